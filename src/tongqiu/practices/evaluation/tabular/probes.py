"""The checks of what lies behind a score: one question each, so that what cannot be answered takes nothing else with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.practice import Run, Target
from tongqiu.practices.evaluation.declared import DataKeys, PairParams, Params, ScoreParams
from tongqiu.practices.evaluation.probes import TABLES, keys_of, of_table, read_table, take
from tongqiu.practices.evaluation.tabular import calibration, drift, explanation, membership, mitigation, robustness
from tongqiu.practices.evaluation.tabular.asking import together
from tongqiu.practices.evaluation.tabular.kinds import (
    CALIBRATION,
    DRIFT,
    EXPLANATION,
    MEMBERSHIP,
    MITIGATION,
    ROBUSTNESS,
)
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tongqiu.practice import World
    from tongqiu.practices.evaluation.probes import Cases
    from tongqiu.practices.evaluation.table import Columns
    from tongqiu.record.subject import Subject


def _tables(target: Target) -> list[tuple[Target, DataKeys]]:
    if target.subject.type != "system":
        return []
    found = [(data, keys_of(data, DataKeys)) for data in target.of("dataset")]
    return [(data, keys) for data, keys in found if data.path is not None and data.path.lower().endswith(TABLES)]


def plan_scores(target: Target) -> Iterator[Run]:
    """Plan calibration and options for each table with outcomes and scores, explanation and robustness where a model is run.

    What a model was trained on says nothing of any of these.
    """
    for data, keys in _tables(target):
        if keys.role == "train" or keys.label is None or (keys.prediction is not None and keys.score is None):
            continue
        for run in of_table(target, data, keys):
            if run.params.model_path is None or not run.params.inputs:
                yield _run(run, "scores", "scores")
            elif run.params.explain or len(run.params.inputs) > explanation.MAX_COLUMNS:
                # What may be missing, or too much, must not take the rest with it.
                yield _run(run, "scores", "scores", "robustness")
                yield _run(run, "explanation", "explanation")
            else:
                yield _run(run, "scores", "scores", "explanation", "robustness")


def _run(run: Run, part: str, *asked: str) -> Run:
    params = msgspec.convert({"asked": asked, "cases": msgspec.to_builtins(run.params)}, ScoreParams)
    return run._replace(params=params, part=part)


def observe_scores(subject: Subject, params: ScoreParams, world: World) -> Iterable[Said]:
    """Hand back what ``params`` asks for; nothing on scores where there are only decisions.

    Raises what :func:`tongqiu.practices.evaluation.probes.observe` raises, and what explaining raises.
    """
    cases = _cases(params.cases, world)
    if "scores" in params.asked and cases.scores is not None:
        sensitive = params.cases.sensitive
        yield Said(CALIBRATION.name, subject, calibration.calibration(cases, sensitive))
        if sensitive:
            yield Said(MITIGATION.name, subject, mitigation.mitigation(cases, sensitive, params.cases.smallest_cell))
    wanted = {}
    alone = len(params.asked) == 1
    if "explanation" in params.asked and (alone or cases.rows.done >= explanation.SMALLEST):
        wanted[EXPLANATION.name] = explanation.prepare(params.cases, cases, world)
    if "robustness" in params.asked:
        wanted[ROBUSTNESS.name] = robustness.prepare(params.cases, cases)
    if wanted:
        made = together(params.cases, cases.source, world, list(wanted.values()))
        for kind, body in zip(wanted, made, strict=True):
            yield Said(kind, subject, body)


def _cases(params: Params, world: World) -> Cases:
    return take(params, read_table(params, world), world)


def plan_pairs(target: Target) -> Iterator[Run]:
    """Plan membership for each table of role ``train`` with one of role ``test``, and drift between two periods.

    Periods are a table of role ``reference`` and one of role ``test``, or the two parts of a table that names ``period``.
    """
    tables = _tables(target)
    by_role = {role: [each for each in tables if each[1].role == role] for role in ("train", "test", "reference")}
    for before in by_role["train"]:
        for after in by_role["test"]:
            if before[1].label is not None and after[1].label is not None:
                yield from _pairs(target, "membership", before, after)
    for before in by_role["reference"]:
        for after in by_role["test"]:
            yield from _pairs(target, "drift", before, after)
    for data, keys in tables:
        if keys.period is not None:
            for run in of_table(target, data, keys):
                yield run._replace(params=PairParams("drift", run.params, run.params), part="drift")


def _pairs(
    target: Target, purpose: str, before: tuple[Target, DataKeys], after: tuple[Target, DataKeys]
) -> Iterator[Run]:
    """Yield one run for each way to get decisions that both tables share."""
    earlier = {run.subject.id: run for run in of_table(target, *before)}
    for run in of_table(target, *after):
        other = earlier.get(run.subject.id)
        if other is not None and other.params.model_path == run.params.model_path:
            params = msgspec.convert(
                {
                    "purpose": purpose,
                    "before": msgspec.to_builtins(other.params),
                    "after": msgspec.to_builtins(run.params),
                },
                PairParams,
            )
            yield run._replace(params=params, reads=tuple(dict.fromkeys((*other.reads, *run.reads))), part=f"{purpose}")


def observe_pairs(subject: Subject, params: PairParams, world: World) -> Iterable[Said]:
    """Hand back what two tables, or two periods of one, say together; nothing on membership where there are no scores.

    Raises what :func:`tongqiu.practices.evaluation.probes.observe` raises, and Malformed (``evaluation.tables-differ``).
    """
    if params.before.data_path == params.after.data_path:
        read = read_table(params.after, world)
        before, after = (take(params.after, _part(read, later=later), world) for later in (False, True))
    else:
        before, after = _cases(params.before, world), _cases(params.after, world)
    _same_classes(before, after)
    if params.purpose == "drift":
        yield Said(DRIFT.name, subject, drift.drift(params.after, before, after, params.before))
    elif before.scores is not None and after.scores is not None:
        yield Said(MEMBERSHIP.name, subject, membership.membership(before, after))


def _part(read: Columns, *, later: bool) -> Columns:
    """Return the rows of one period; rows that could not be read at all belong to neither and stay with the later."""
    assert read.later is not None  # noqa: S101 - planned only where the table names a period
    mine = read.later if later else ~read.later
    return read._replace(
        rows=int(mine.sum()),
        lost=read.lost if later else 0,
        codes={name: codes[mine] for name, codes in read.codes.items()},
        numbers=read.numbers[mine],
        later=None,
    )


def _same_classes(*cases: Cases) -> None:
    counted: Sequence[tuple[str, str]] = [(each.source.positive, each.source.negative) for each in cases]
    if len(set(counted)) > 1:
        raise Malformed(
            "evaluation.tables-differ",
            Text(en="The two tables count different outcomes.", zh="两张表所计的结果不同。"),
            do=Text(en="Give both the same favourable outcome.", zh="请为两表写明相同的 favourable。"),
            where=cases[-1].source.data.name or "",
        )
