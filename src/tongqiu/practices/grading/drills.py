"""Whether people can oversee, stop and roll back a system: shown by a drill that was timed, never by saying so.

The record measures the time: one verb says that the drill begins, another that it is over, and the node's clock counts between
them. What somebody says of an earlier drill is kept as a claim, and a claim leaves the question *not assessed*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.practices.grading.keeping import no, own, said_again
from tongqiu.practices.grading.risks import Line, Short, Told, Words
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Instant, instant, moment_of
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tongqiu.record.shapes import Verdict
    from tongqiu.record.statement import Said, Statement

Control = Literal["oversight", "stop", "roll-back"]
Phase = Literal["running", "ended", "lapsed", "claimed"]
Outcome = Literal["done", "failed", "broken-off"]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=31_536_000)]
Limit = Annotated[float, msgspec.Meta(gt=0, le=31_536_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=1100)]

METHOD = "grading.drill@1"

CONTROLS: dict[str, Text] = {
    "oversight": Text(en="People notice and step in", zh="人员发现并介入"),
    "stop": Text(en="People can stop it", zh="人员可停止系统"),
    "roll-back": Text(en="People can go back to the version before", zh="人员可回退到先前版本"),
}
"""What a drill shows; each is the requirement ``grading.control.<name>``."""

OUTCOMES: dict[str, Text] = {
    "done": Text(en="it worked", zh="成功"),
    "failed": Text(en="it did not work", zh="未成功"),
    "broken-off": Text(en="the drill was broken off", zh="演练中止"),
}


class Drill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One drill of one control of a system (``grading.drill/1``), which keeps its name ``drill`` from begin to end.

    ``limit`` is how many seconds it may take. ``seconds`` is the time between ``started_at`` and ``stopped_at``: measured,
    as the node's clock saw both acts, unless ``phase`` is ``claimed``. From ``valid_until``, ``valid_days`` after the end,
    it shows nothing any more (``lapsed``).
    """

    drill: Short
    phase: Phase
    control: Control
    scenario: Told
    operator: Line
    limit: Limit
    valid_days: Days
    started_at: Instant | None = None
    stopped_at: Instant | None = None
    seconds: Seconds | None = None
    outcome: Outcome | None = None
    notes: Words = ""
    valid_until: Instant | None = None


def seconds_between(start: str, stop: str) -> float:
    """Return the seconds from one instant to another, to the millisecond in which records count."""
    return round((moment_of(stop) - moment_of(start)).total_seconds(), 3)


def days_after(start: str, days: int) -> str:
    """Return the instant ``days`` days after another."""
    import datetime

    return instant(moment_of(start) + datetime.timedelta(days=days))


def holds(body: Drill) -> Iterator[str]:
    """Yield the figures that do not follow from the two instants, and what does not belong to the phase."""
    timed = body.started_at is not None and body.stopped_at is not None
    if timed:
        took = seconds_between(str(body.started_at), str(body.stopped_at))
        if took < 0 or body.seconds != took:
            yield "seconds"
    elif body.seconds is not None:
        yield "seconds"
    over = body.phase in {"ended", "lapsed"}
    if over != (body.valid_until is not None) or (
        over and timed and body.valid_until != days_after(str(body.stopped_at), body.valid_days)
    ):
        yield "valid_until"
    if (body.outcome is None) != (body.phase == "running") or (over and not timed):
        yield "outcome"


def evidence(body: Drill) -> Iterator[Evidence]:
    """Yield how long it took, ``grading.drill.<control>.seconds``: measured between two acts, or claimed."""
    if body.seconds is None:
        return
    yield Evidence(
        measure=f"grading.drill.{body.control}.seconds",
        title=_TOOK.fill(en=CONTROLS[body.control].en, zh=CONTROLS[body.control].zh),
        value=body.seconds,
        unit="s",
        method=METHOD,
        n=1,
        basis="claimed" if body.phase == "claimed" else "measured",
    )


def findings(body: Drill) -> Iterator[Finding]:
    """Yield the verdict on the control, at the observed time; nothing while the drill runs."""
    if body.phase == "running":
        return
    verdict, sort = judged(body)
    yield Finding(
        requirement=f"grading.control.{body.control}",
        # A claim has a title of its own, so that pages never show it in the place of what was measured.
        title=_CLAIM.fill(en=CONTROLS[body.control].en, zh=CONTROLS[body.control].zh)
        if body.phase == "claimed"
        else CONTROLS[body.control],
        verdict=verdict,
        code=f"grading.drill-{sort}",
        reason=_REASONS[sort].fill(
            seconds=_plain(body.seconds),
            limit=_plain(body.limit),
            until=(body.valid_until or "-")[:10],
            operator=body.operator or "-",
        ),
        params={
            "seconds": body.seconds,
            "limit": body.limit,
            "started_at": body.started_at,
            "valid_until": body.valid_until,
        },
        severity={"met": "info", "unmet": "high"}.get(verdict, "medium"),  # type: ignore[arg-type]
        mend=None if verdict == "met" else _MEND,
    )


def judged(body: Drill) -> tuple[Verdict, str]:
    """Return the verdict on a drill that does not run, and why: as observed, no margin added."""
    if body.phase == "claimed":
        return "not-assessed", "claimed"
    if body.phase == "lapsed":
        return "not-assessed", "lapsed"
    if body.outcome == "broken-off":
        return "not-assessed", "broken-off"
    if body.outcome == "failed" or body.seconds is None:
        return "unmet", "failed"
    return ("met", "in-time") if body.seconds <= body.limit else ("unmet", "too-slow")


def _plain(seconds: float | None) -> str:
    """Return seconds to the millisecond, without idle zeros."""
    return "-" if seconds is None else f"{seconds:.3f}".rstrip("0").rstrip(".")


_TOOK = Text(en="Time it took: {en}", zh="用时：{zh}")
_CLAIM = Text(en="{en} (claimed)", zh="{zh}（声称）")
_MEND = Text(
    en="Hold a drill: grading.start-drill, then grading.end-drill.",
    zh="请进行演练：grading.start-drill，再 grading.end-drill。",
)
_REASONS: dict[str, Text] = {
    "in-time": Text(
        en="It took {seconds} s (operated by: {operator}), within the {limit} s expected; it counts until {until}.",
        zh="用时 {seconds} 秒（操作者：{operator}），未超过预期的 {limit} 秒；此次演练有效至 {until}。",
    ),
    "too-slow": Text(
        en="It took {seconds} s (operated by: {operator}); {limit} s were expected.",
        zh="用时 {seconds} 秒（操作者：{operator}），超过预期的 {limit} 秒。",
    ),
    "failed": Text(
        en="It did not work in the drill (operated by: {operator}).", zh="演练未成功（操作者：{operator}）。"
    ),
    "broken-off": Text(en="The drill was broken off and shows nothing.", zh="演练中止，不能证明任何事项。"),
    "lapsed": Text(
        en="The last drill counted until {until} and shows nothing any more.", zh="上次演练有效至 {until}，现已失效。"
    ),
    "claimed": Text(
        en="It is claimed and was not measured here; a claim shows nothing.",
        zh="仅为声称，未在此处实测；声称不能证明任何事项。",
    ),
}


def admit(said: Said, thread: Sequence[Statement]) -> None:
    """Admit the beginning of a drill, its end as it was begun, a claim, and the lapse of what counted. Pure; Refused."""
    if said_again(DRILL, said, thread):
        return
    body: Drill = said.body
    before = [each for _, each in own(DRILL, said, thread)]
    if wrong := list(holds(body)):
        raise no(
            "figures",
            Text(en="These figures do not follow from the others: {names}.", zh="以下数值与其他数值不符：{names}。"),
            Text(en="Let them be worked out.", zh="请由系统计算。"),
            names=", ".join(wrong),
        )
    same = [each for each in before if each.drill == body.drill]
    wanted = {"running": [], "claimed": [], "ended": ["running"], "lapsed": ["ended"]}[body.phase]
    if [each.phase for each in same][-1:] != wanted or (same and _plan(same[0]) != _plan(body)):
        raise no(
            "drill-not-begun",
            Text(en="No such drill is under way.", zh="没有正在进行的该演练。"),
            Text(en="Begin one: grading.start-drill", zh="请先开始：grading.start-drill"),
            where="entry",
        )


def _plan(body: Drill) -> tuple[object, ...]:
    """Return what was fixed when a drill began and does not change by its end."""
    return (body.control, body.scenario, body.operator, body.limit, body.valid_days, body.started_at)


DRILL: Kind[Drill] = Kind(
    name="grading.drill/1",
    body=Drill,
    title=Text(en="Drill of human control", zh="人工控制演练"),
    evidence=evidence,
    findings=findings,
    holds=holds,
    admit="tongqiu.practices.grading.drills:admit",
)
