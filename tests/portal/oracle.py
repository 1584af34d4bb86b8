"""A node full of records with drawn readers, and an oracle that says who may see which, written from the rules alone.

The oracle reads no code of the house: a record is its own table of plain values here, and :func:`may` is the rule of the
design in its own words. Every record holds one word that stands nowhere else, in its name, its body, its evidence, its
finding, its thread and its file, so that one search in a page tells whether anything of it came through.
"""

from __future__ import annotations

import hashlib
import io
import random
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.ledger.log import Submission, check_in
from tongqiu.node.ask import marks
from tongqiu.record import core
from tongqiu.record.audience import Audience, Principal
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Blob, Content, write_content
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.seal import keyfile
from tongqiu.seal.statement import new_salt, seal_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.node import Node
    from tongqiu.seal.keys import Signer

GROUPS = ("urn:example:group:north", "urn:example:group:south", "urn:example:group:press")
MARKINGS = ("clear", "green", "amber", "amber+strict", "red")
PAST, FUTURE = "2026-01-01T00:00:00.000Z", "2036-01-01T00:00:00.000Z"
AT = "2026-11-01T00:00:00.000Z"


class Told(NamedTuple):
    """A record as the oracle knows it: ``word`` stands in it alone; ``readers`` None is everyone."""

    word: str
    entry: str
    file: str
    subject: str
    composition: bool
    issuer: str
    readers: frozenset[str] | None
    embargo: str | None
    ended: bool


class Who(NamedTuple):
    """Somebody who asks, as the oracle knows it."""

    party: str | None
    groups: frozenset[str]

    @property
    def principal(self) -> Principal:
        """Return the same for the node."""
        return Principal(self.party, self.groups)


def may(who: Who, told: Told) -> bool:
    """Tell whether ``who`` may read: an issuer its own always; anyone else only after the embargo, and if named."""
    if who.party == told.issuer and who.party is not None:
        return True
    if told.embargo == FUTURE:
        return False
    if told.readers is None:
        return True
    if who.party is None:
        return any(group in told.readers for group in who.groups)
    return who.party in told.readers or any(group in told.readers for group in who.groups)


def drawn(seed: int) -> random.Random:
    """Return chances that are the same in every run."""
    return random.Random(seed)  # noqa: S311 - for tests alone


def parties(count: int = 4) -> tuple[Signer, ...]:
    """Return keys of parties that are always the same."""
    return tuple(keyfile.from_seed(hashlib.sha256(f"party {number}".encode()).digest()) for number in range(count))


def everybody(node: Node, signers: Sequence[Signer], drawn: random.Random, count: int) -> list[Who]:
    """Return a stranger, members of groups without a name, the node's party, every other party, and drawn mixtures."""
    found = [Who(None, frozenset()), Who(node.me, frozenset())]
    found += [Who(None, frozenset({group})) for group in GROUPS]
    names = [*(each.public.did for each in signers), "did:web:nobody.example"]
    found += [Who(name, frozenset()) for name in names]
    while len(found) < count:
        found.append(Who(drawn.choice([None, *names]), frozenset(drawn.sample(GROUPS, drawn.randint(0, 3)))))
    return found


def fill(node: Node, signers: Sequence[Signer], drawn: random.Random, count: int) -> list[Told]:
    """Log ``count`` records of the node's party and of others, with drawn readers, and withdraw some of them."""
    people = [*(each.public.did for each in signers), node.me, *GROUPS]
    told: list[Told] = []
    for number in range(count):
        signer = drawn.choice([node.home.party, *signers])
        readers = None if drawn.random() < 0.25 else frozenset(drawn.sample(people, drawn.randint(0, 4)))
        audience = Audience(
            None if readers is None else tuple(sorted(readers)),
            "clear" if readers is None else drawn.choice(MARKINGS),  # type: ignore[arg-type]
            drawn.choice([None, None, None, PAST, FUTURE]),
        )
        one = _record(
            node, signer, audience, f"w{number:04d}x{drawn.getrandbits(64):016x}", composition=number % 3 == 0
        )
        if drawn.random() < 0.15:
            _withdraw(node, signer, audience, one)
            one = one._replace(ended=True)
        told.append(one)
    node.registry.catch_up()
    return told


def _record(node: Node, signer: Signer, audience: Audience, word: str, *, composition: bool) -> Told:
    subject = Subject("system" if composition else "dataset", f"urn:example:{word}", None, f"Name {word}")
    if composition:
        kind, body = core.COMPOSITION.name, core.COMPOSITION.write(core.Composition(parts=(), purpose=f"for {word}"))
        schema = core.COMPOSITION.schema_digest
        shapes: tuple[Evidence, ...] = ()
        findings: tuple[Finding, ...] = ()
    else:
        words = Text(en=f"Seen {word}", zh=f"所见 {word}")
        kind, body, schema = "strange.seen/1", {"note": word}, "sha-256:" + "1" * 64
        shapes = (Evidence("strange.rate", words, 0.5, "1", "strange@1", group={"kind": word}),)
        findings = (Finding(f"strange:{word}", words, "unmet", "strange.code", words),)
    digest, size = node.store.backend.stage(io.BytesIO(f"file of {word}".encode()), limit=1 << 20)
    file = Blob(f"{word}.txt", "text/plain", f"sha-256:{digest.hex()}", size)
    content = Content(
        kind, schema, subject, signer.public.did, AT, body, audience=audience, thread=f"urn:example:thread:{word}",
        files=(file,), evidence=shapes, findings=findings, by="strange@1",
    )  # fmt: skip
    entry = _log(node, signer, content)
    readers = None if audience.readers is None else frozenset(audience.readers)
    return Told(
        word, entry, file.digest, subject.id, composition, signer.public.did, readers, audience.embargo, ended=False
    )


def _withdraw(node: Node, signer: Signer, audience: Audience, told: Told) -> None:
    subject = Subject("system" if told.composition else "dataset", told.subject, None, f"Name {told.word}")
    body: Any = core.WITHDRAWAL.write(core.Withdrawal(entry=told.entry, why=f"because {told.word}"))
    thread = "urn:tongqiu:entry:" + told.entry.removeprefix("sha-256:")
    kind = core.WITHDRAWAL
    _log(
        node,
        signer,
        Content(
            kind.name, kind.schema_digest, subject, signer.public.did, AT, body, (told.entry,), audience, thread=thread
        ),
    )


def _log(node: Node, signer: Signer, content: Content) -> str:
    data, salt = write_content(content), new_salt()
    issuer = signer.public.did
    envelope = seal_statement(data, salt, signer=signer, issuer=issuer, subject=node.home.pseudonym(content.subject.id))
    refs = [*(bytes.fromhex(each.removeprefix("sha-256:")) for each in content.rests_on), *marks(node.home, content)]
    sealed = check_in(
        envelope,
        signer.public,
        content=data,
        salt=salt,
        kind=content.kind,
        audience=node.store.audience_id(content.audience, issuer),
        thread=node.home.thread(content.thread),
        refs=refs,
        files=[bytes.fromhex(each.digest.removeprefix("sha-256:")) for each in content.files],
    )
    (places,) = node.log.append([Submission((sealed,))])
    if not isinstance(places, tuple):
        raise places
    return f"sha-256:{places[0].entry.hex()}"
