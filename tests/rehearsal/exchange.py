"""A negotiation over data: offer, request, agreement, finalised, each by whose turn it is; then the bytes, while it lasts.

The states are those of the contract negotiation of the Dataspace Protocol 2025-1, cut to four; its roles are checked
against who really speaks. One thread is one negotiation, and its rule runs inside the log's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practice import Door, Duty, Practice
from tongqiu.record import core
from tongqiu.record.faults import Refused
from tongqiu.record.kind import Kind
from tongqiu.record.statement import Instant, Said, Statement
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.practice import Desk, World

_HERE = "tests.rehearsal.exchange"
State = Literal["offered", "requested", "agreed", "finalised", "terminated"]

MOVES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (("offered", "provider"),),
    "offered": (("requested", "consumer"), ("terminated", "provider")),
    "requested": (("agreed", "provider"), ("terminated", "provider"), ("terminated", "consumer")),
    "agreed": (("finalised", "provider"), ("terminated", "provider"), ("terminated", "consumer")),
    "finalised": (("terminated", "provider"), ("terminated", "consumer")),
    "terminated": (),
}
"""From each state, the states that may follow and who may say so."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step of a negotiation: the state it reaches, the two parties, and who took it."""

    state: State
    provider: str
    consumer: str
    by: str
    until: Instant | None = None


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data of an agreement, attached; whoever reads this record reads the bytes, until it is withdrawn."""

    asset: Annotated[str, msgspec.Meta(min_length=1)]
    until: Instant


def _no(code: str, en: str, zh: str) -> Refused:
    return Refused(code, Text(en=en, zh=zh), do=Text(en="Read the thread again.", zh="请重新读取此协商。"))


def admit_step(said: Said, thread: Sequence[Statement]) -> None:
    """Admit a step that follows from the last one and is taken by whose turn it is. Pure; raises Refused.

    What comes in at the door is logged by the provider's node and names its speaker in ``by``, and nobody else.
    """
    step: Step = said.body
    steps = [STEP.read(each.body) for each in thread if each.kind == STEP.name and _genuine(each)]
    last = steps[-1] if steps else None
    role = {step.provider: "provider", step.consumer: "consumer"}.get(step.by)
    if said.thread is None or (last is None and role != "provider"):
        raise _no(
            "exchange.thread",
            "A negotiation begins with an offer, in its own thread.",
            "协商须以要约开始，并自成一线。",
        )
    if said.speaker != step.by:
        raise _no("exchange.voice", "Nobody here may speak for {by}.", "此处无人可代其发言。")
    if last is not None and (step.provider, step.consumer) != (last.provider, last.consumer):
        raise _no("exchange.parties", "The parties of a negotiation do not change.", "协商的双方不可更换。")
    if (step.state, role) not in MOVES[last.state if last else ""]:
        raise _no("exchange.turn", "This step does not follow from the last one.", "此步骤不能承接上一步。")


def admit_delivery(said: Said, thread: Sequence[Statement]) -> None:
    """Admit data only under a finalised agreement, and once."""
    steps = [STEP.read(each.body) for each in thread if each.kind == STEP.name and _genuine(each)]
    if not steps or steps[-1].state != "finalised" or any(each.kind == DELIVERY.name for each in thread):
        raise _no("exchange.no-agreement", "There is no agreement to deliver under.", "没有可据以交付的协议。")
    if said.speaker != steps[-1].provider:
        raise _no("exchange.voice", "Only the provider delivers.", "只有提供方可以交付。")


def _genuine(statement: Statement) -> bool:
    """Tell whether a step in the thread was said by the node of the provider or by whom it names: others may write, too."""
    body = STEP.read(statement.body)
    return statement.issuer in {body.provider, body.by}


def when(statement: Statement) -> str:
    """Say when the right to the data ends."""
    return DELIVERY.read(statement.body).until


def act(statement: Statement, _world: World, _desk: Desk) -> Iterable[Said]:
    """End the right: withdraw the record that carries the data."""
    body = core.Withdrawal(entry=statement.entry, why="the agreement ended")
    yield Said(core.WITHDRAWAL.name, statement.subject, body, audience=statement.content.audience)


STEP = Kind(
    name="exchange.step/1",
    body=Step,
    title=Text(en="Step of a negotiation", zh="协商步骤"),
    admit=f"{_HERE}:admit_step",
)
DELIVERY = Kind(
    name="exchange.delivery/1", body=Delivery, title=Text(en="Delivery", zh="交付"), admit=f"{_HERE}:admit_delivery"
)

PRACTICE = Practice(
    name="exchange-rehearsal",
    title=Text(en="Data exchange", zh="数据流通"),
    about=Text(en="Data lent under an agreement, while it lasts.", zh="依协议出借数据，以协议有效期为限。"),
    kinds=(STEP, DELIVERY),
    doors=(
        Door(
            name="exchange",
            title=Text(en="Negotiation", zh="协商"),
            mounts=("/negotiations/",),
            app=f"{_HERE}:app",
            auth="node",
            takes=(STEP.name,),
        ),
    ),
    duties=(
        Duty(
            name="exchange.end",
            title=Text(en="End of an agreement", zh="协议到期"),
            reads=(DELIVERY.name,),
            when=f"{_HERE}:when",
            act=f"{_HERE}:act",
        ),
    ),
)


def app(lend: object) -> object:
    """Return the lending itself: the tests walk through the door with headers, not with bytes."""
    return lend
