"""The check of a system that decides: its decisions on a table of cases, counted by outcome and by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from tongqiu.practice import Run, Target
from tongqiu.practices.evaluation import counting, fairness, onnx_file, onnx_model, table
from tongqiu.practices.evaluation.bodies import Completeness, Fairness, Result, Source
from tongqiu.practices.evaluation.declared import HALF, DataKeys, ModelKeys, Params
from tongqiu.practices.evaluation.kinds import FAIRNESS, RESULT
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tongqiu.practice import World
    from tongqiu.record.subject import Subject

    Flags = NDArray[np.bool_]

METHOD = "tongqiu.tabular-decisions@1"
HEAD = 16
_YES = frozenset({"1", "1.0", "yes", "true", "y", "t", "是"})
_NO = frozenset({"0", "0.0", "no", "false", "n", "f", "否"})
TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".gz")
_TWO = 2

K = TypeVar("K", bound=msgspec.Struct)


def plan(target: Target) -> Iterator[Run]:
    """Plan one run for each table of cases: with its column of decisions, else with each model that can be run on it.

    Tables for training are left alone: what a model learnt by heart says nothing of how it decides.
    """
    if target.subject.type != "system":
        return
    for data in target.of("dataset"):
        keys = keys_of(data, DataKeys)
        if data.path is None or keys.role == "train" or not data.path.lower().endswith(TABLES):
            continue
        yield from of_table(target, data, keys)


def of_table(target: Target, data: Target, keys: DataKeys) -> Iterator[Run]:
    """Yield the ways to get decisions for one table: its column of decisions or scores, else each model that can be run on it."""
    assert data.path is not None  # noqa: S101 - callers leave out tables without a file
    models = target.of("model")
    if keys.prediction is not None or (keys.score is not None and keys.label is not None):
        of = models[0].subject if len(models) == 1 else None
        yield Run(of or target.subject, _params(data.subject, data.path, keys, of), (data.path,))
    elif keys.label is not None:
        for model in models:
            if model.path is not None and _decides(model):
                params = _params(data.subject, data.path, keys, model.subject, model)
                yield Run(model.subject, params, (data.path, model.path))


def keys_of(target: Target, kind: type[K]) -> K:
    """Return what the owner declared among the keys of ``kind``."""
    names = {field.name for field in msgspec.structs.fields(kind)}
    return msgspec.convert({key: value for key, value in target.declared.items() if key in names}, kind)


def _decides(model: Target) -> bool:
    """Tell whether a model is meant to decide on rows: it says so, or it is of a format in which such models come."""
    keys = keys_of(model, ModelKeys)
    if keys.task is not None:
        return keys.task == "binary-classification"
    return bool(keys.inputs) or str(model.path).lower().endswith(".onnx")


def _params(data: Subject, path: str, keys: DataKeys, of: Subject | None, model: Target | None = None) -> Params:
    how = keys_of(model, ModelKeys) if model is not None else ModelKeys()
    return Params(
        data=data,
        data_path=path,
        label=keys.label,
        prediction=keys.prediction,
        favourable=keys.favourable,
        sensitive=keys.sensitive,
        model=of,
        model_path=model.path if model is not None else None,
        inputs=how.inputs,
        output=how.output,
        positive=how.positive,
        threshold=HALF if how.threshold is None else how.threshold,
        score=keys.score,
        score_class=keys.score_class,
        period=keys.period,
        since=keys.since,
        explain=how.explain,
    )


def observe(subject: Subject, params: Params, world: World) -> Iterable[Said]:
    """Count the decisions of ``params`` and hand back the result and, where groups are named, their treatment.

    Raises Malformed (``evaluation.one-class``, ``evaluation.classes``, ``evaluation.favourable``, ``evaluation.positive``,
    ``evaluation.no-inputs``, ``evaluation.nothing-left`` and those of table and model), Missing, Refused.
    """
    if params.prediction is not None:
        # Decisions count as they were taken; a score that is missing beside one takes nothing away.
        params = msgspec.structs.replace(params, score=None)
    counted = _count(params, read_table(params, world), world)
    yield Said(RESULT.name, subject, _result(counted))
    if params.sensitive:
        yield Said(FAIRNESS.name, subject, _fairness(counted, params.smallest_cell))


def read_table(params: Params, world: World) -> table.Columns:
    """Read the columns that ``params`` names; a dangerous model format is refused before. The score, where named, is the last number."""
    if params.model_path is not None:
        _refuse_early(params.model_path, world)
    coded = [name for name in (params.label, params.prediction, *params.sensitive) if name is not None]
    numeric = params.inputs if params.model_path is not None else ()
    with world.tree.open(params.data_path) as stream:
        return table.read(
            stream,
            where=params.data_path,
            coded=tuple(dict.fromkeys(coded)),
            numeric=numeric if params.score is None else (*numeric, params.score),
            split=(params.period, params.since) if params.period is not None else None,
            progress=world.progress,
        )


class _Counted(NamedTuple):
    cells: counting.Cells
    source: Source
    rows: Completeness
    labelled: bool


def _refuse_early(path: str, world: World) -> None:
    """Refuse a dangerous format before anything else is read, by its name and first bytes."""
    if not world.tree.locate(path).is_dir():
        with world.tree.open(path) as stream:
            onnx_file.refuse_unsafe(path, stream.read(HEAD))


class Cases(NamedTuple):
    """The rows that count: what was decided and recorded of each, as positive or not, and the score behind it where there is one.

    ``scores`` is the probability of the positive class (None where only decisions are known); ``keep`` marks, among all rows read,
    those that count, and everything else here holds these rows alone.
    """

    read: table.Columns
    source: Source
    rows: Completeness
    keep: Flags
    label: Flags
    decision: Flags
    scores: NDArray[np.float64] | None
    labelled: bool

    @property
    def features(self) -> NDArray[np.float32]:
        """Return the numeric columns of the rows that count."""
        return self.read.numbers[self.keep]

    def codes(self, name: str) -> tuple[NDArray[np.uint16], list[str]]:
        """Return the codes of a category column for the rows that count, and the levels they stand for."""
        return self.read.codes[name][self.keep], self.read.levels[name]


class _Decided(NamedTuple):
    decision: Flags
    errored: Flags
    scores: NDArray[np.float64] | None


def take(params: Params, read: table.Columns, world: World) -> Cases:
    """Return decisions, outcomes and scores of the rows that count, running the model where there is no column of decisions."""
    import numpy as np

    known = params.label if params.label is not None else params.prediction
    assert known is not None  # noqa: S101 - plan() asks for one of them
    classes = _classes(read, known, params.data_path)
    positive, negative = _orient(params, classes)
    skipped = np.zeros(read.rows, dtype=bool)
    if params.label is not None:
        label = _is(read, params.label, positive)
        skipped |= _is(read, params.label, "")
    event = threshold = None
    if params.score is not None or params.prediction is None:
        event = _event(params, classes)
    if params.prediction is not None:
        _same_classes(read, params.prediction, classes, params.data_path)
        blank = _is(read, params.prediction, "") & ~skipped
        decided = _Decided(_is(read, params.prediction, positive), blank, None)
    else:
        threshold = params.threshold
        decided = _decide(params, read, world, skipped, positive_is_event=event == positive)
    scores, errored = decided.scores, decided.errored
    if params.score is not None:
        column = read.numbers[:, -1].astype(np.float64)
        errored = errored | (~((column >= 0.0) & (column <= 1.0)) & ~skipped)
        scores = column if event == positive else 1.0 - column
        if params.prediction is None:
            decided = decided._replace(decision=_at(column, params.threshold, positive_is_event=event == positive))
    keep = ~(errored | skipped)
    if not keep.any():
        raise _nothing_left(params.data_path)
    source = Source(
        data=params.data,
        decisions="model" if params.prediction is None and params.score is None else "column",
        positive=positive,
        negative=negative,
        favourable=params.favourable is not None,
        model=params.model,
        label=params.label,
        threshold=threshold,
        threshold_class=event if threshold is not None else None,
    )
    rows = Completeness(
        planned=read.rows + read.lost,
        done=int(keep.sum()),
        errored=int(errored.sum()) + read.lost,
        skipped=int(skipped.sum()),
    )
    decision = decided.decision[keep]
    return Cases(
        read,
        source,
        rows,
        keep,
        label[keep] if params.label is not None else decision,
        decision,
        scores[keep] if scores is not None else None,
        params.label is not None,
    )


def _count(params: Params, read: table.Columns, world: World) -> _Counted:
    import numpy as np

    cases = take(params, read, world)
    columns = {name: cases.codes(name) for name in params.sensitive}
    cells = counting.count(columns, cases.label.astype(np.uint8), cases.decision.astype(np.uint8))
    return _Counted(cells, cases.source, cases.rows, cases.labelled)


def _at(scores: NDArray[np.float64], threshold: float, *, positive_is_event: bool) -> Flags:
    event: Flags = scores >= threshold
    return event if positive_is_event else ~event


def _decide(params: Params, read: table.Columns, world: World, skipped: Flags, *, positive_is_event: bool) -> _Decided:
    """Run the model on every readable row; return the decisions, which rows could not be scored, and probabilities."""
    import numpy as np

    none = np.zeros(read.rows, dtype=bool)
    if params.score is not None:
        return _Decided(none, none, None)
    errored = ~np.isfinite(read.numbers).all(axis=1) & ~skipped
    usable = ~(errored | skipped)
    values = np.full(read.rows, np.nan)
    kind = "class"
    if usable.any():
        kind, values[usable] = ask_model(params, world, read.numbers[usable])
        errored |= usable & ~np.isfinite(values)
    threshold = params.threshold if kind == "probability" else HALF
    decision = _at(values, threshold, positive_is_event=positive_is_event)
    probable = kind == "probability" and bool(
        ((values[~(errored | skipped)] >= 0) & (values[~(errored | skipped)] <= 1)).all()
    )
    return _Decided(decision, errored, (values if positive_is_event else 1.0 - values) if probable else None)


def ask_model(params: Params, world: World, features: NDArray[np.float32]) -> onnx_model.Scores:
    """Return what the model of ``params`` says of each row of ``features`` (all finite); Malformed ``evaluation.no-inputs``."""
    assert params.model_path is not None  # noqa: S101 - plan() gives a model where there is no column of decisions
    if not params.inputs:
        raise Malformed(
            "evaluation.no-inputs",
            Text(en="The manifest does not say which columns the model reads.", zh="清单没有写明模型读取哪些列。"),
            do=Text(
                en='Add to the model, in its order: inputs = ["…", "…"]', zh='请按模型的顺序添加：inputs = ["…", "…"]'
            ),
            where=params.model_path,
        )
    return onnx_model.score(world.tree, world.pool, params.model_path, features, params.inputs, output=params.output)


def _is(read: table.Columns, name: str, value: str) -> Flags:
    """Return which rows hold ``value`` in the column ``name``."""
    levels = read.levels[name]
    code = levels.index(value) if value in levels else len(levels)
    flags: Flags = read.codes[name] == code
    return flags


def _classes(read: table.Columns, name: str, where: str) -> tuple[str, str]:
    """Return the two classes of a column, in order; blanks are no class."""
    found = sorted(level for level in read.levels[name] if level)
    if len(found) < _TWO:
        raise Malformed(
            "evaluation.one-class",
            Text(
                en="The column {name} holds only one class ({classes}); how well the two are told apart cannot be measured.",
                zh="列 {name} 只有一个类别（{classes}），无法衡量区分两类的能力。",
            ),
            do=Text(
                en="Give a table in which both outcomes occur, or name the right column under label.",
                zh="请提供两种结果都出现的表格，或在 label 中写明正确的列。",
            ),
            where=where,
            name=name,
            classes=", ".join(found),
        )
    if len(found) > _TWO:
        raise Malformed(
            "evaluation.classes",
            Text(
                en="The column {name} holds more than two classes ({classes}); this check judges decisions between two.",
                zh="列 {name} 有两个以上的类别（{classes}）；此项检测只评判两类之间的决定。",
            ),
            do=Text(en="Give one column for each yes-or-no question.", zh="请为每个是非问题各给一列。"),
            where=where,
            name=name,
            classes=", ".join(found[:6]),
        )
    return found[0], found[1]


def _same_classes(read: table.Columns, name: str, classes: Sequence[str], where: str) -> None:
    strange = sorted(level for level in read.levels[name] if level and level not in classes)
    if strange:
        raise Malformed(
            "evaluation.decision-classes",
            Text(
                en="The column {name} holds decisions ({strange}) that are not among the recorded classes ({classes}).",
                zh="列 {name} 中的决定（{strange}）不在记录的类别（{classes}）之内。",
            ),
            do=Text(
                en="Write decisions and outcomes with the same words; turn scores into decisions first.",
                zh="请用相同的词书写决定与结果；若为分数，请先化为决定。",
            ),
            where=where,
            name=name,
            strange=", ".join(strange[:4]),
            classes=", ".join(classes),
        )


def _orient(params: Params, classes: tuple[str, str]) -> tuple[str, str]:
    """Return the class that all rates count, and the other: the favourable one, else the model's, else the plain yes."""
    wanted = params.favourable if params.favourable is not None else params.positive
    if wanted is None:
        wanted = _plain_yes(classes)
    if wanted is None or wanted not in classes:
        raise Malformed(
            "evaluation.favourable",
            Text(
                en="It is not clear which class to count: {wanted} is not one of {classes}.",
                zh="不清楚应计哪个类别：{wanted} 不是 {classes} 之一。",
            ),
            do=Text(
                en="Add to the data, for the outcome that is good for the person: favourable = '{first}'",
                zh="请在数据中写明对当事人有利的结果：favourable = '{first}'",
            ),
            where=params.data_path,
            wanted=wanted or "?",
            classes=", ".join(classes),
            first=classes[0],
        )
    return wanted, classes[1] if wanted == classes[0] else classes[0]


def _event(params: Params, classes: tuple[str, str]) -> str:
    """Return the class that the model's score speaks of."""
    wanted = params.score_class if params.score is not None else None
    if wanted is None:
        wanted = params.positive if params.positive is not None else _plain_yes(classes)
    if wanted is None or wanted not in classes:
        raise Malformed(
            "evaluation.positive",
            Text(
                en="It is not clear which class the model's score speaks of: {wanted} is not one of {classes}.",
                zh="不清楚模型的分数针对哪个类别：{wanted} 不是 {classes} 之一。",
            ),
            do=Text(
                en="Add to the model: positive = '{last}' (to a table with a score: score_class = '{last}')",
                zh="请在模型中写明：positive = '{last}'（有分数列的表则写 score_class = '{last}'）",
            ),
            where=params.model_path or params.data_path,
            wanted=wanted or "?",
            classes=", ".join(classes),
            last=classes[1],
        )
    return wanted


def _plain_yes(classes: tuple[str, str]) -> str | None:
    low = [each.lower() for each in classes]
    for at in (0, 1):
        if low[at] in _YES and low[1 - at] in _NO:
            return classes[at]
    return None


def _nothing_left(where: str) -> Malformed:
    return Malformed(
        "evaluation.nothing-left",
        Text(
            en="No row of the table has both a recorded outcome and a decision.",
            zh="表中没有一行同时具有记录结果和决定。",
        ),
        do=Text(en="Check the columns named in the manifest.", zh="请检查清单中所写的列。"),
        where=where,
    )


def _result(counted: _Counted) -> Result:
    total = counted.cells.total
    return Result(
        method=METHOD,
        source=counted.source,
        rows=counted.rows,
        coverage=fairness.COVERAGE,
        interval="wilson",
        values=fairness.values(total, labelled=counted.labelled, smallest=1, floors=counted.labelled),
        skill=fairness.skill(total, counted.source.positive, counted.source.negative) if counted.labelled else None,
    )


def _fairness(counted: _Counted, smallest: int) -> Fairness:
    report = fairness.report(counted.cells, labelled=counted.labelled, smallest=smallest)
    return Fairness(
        method=METHOD,
        source=counted.source,
        rows=counted.rows,
        coverage=fairness.COVERAGE,
        interval="wilson; newcombe-10; katz-log",
        adjustment="bonferroni",
        smallest_cell=smallest,
        groups=report.groups,
        gaps=report.gaps,
        left_out=report.left_out,
    )
