"""Reading reports of garak (``*.report.jsonl``): what each detector said of each answer, and which detectors never spoke.

Rows are those of garak 0.11 to 0.17 (``start_run setup``, ``init``, ``plugin_cache``, ``attempt``, ``eval``, ``completion``). A
score below ``run.eval_threshold`` passes (``evaluators/base.py``, ThresholdEvaluator); a run without ``completion`` was cut
short. Detectors whose model could not be loaded leave only a line in a log file: whatever a probe was to be judged by,
and was not, is named. Prompts and answers are not decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import msgspec

from tongqiu.practices.evaluation.imports.reading import (
    MAX_METHODS,
    count,
    decode,
    line,
    lines,
    many,
    number,
    share,
    table,
)
from tongqiu.practices.evaluation.imports.told import Gathered, Told
from tongqiu.practices.evaluation.objects import Reported, Use
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

TOOL: Final = "garak"
JUDGED: Final = 2
"""Status of an attempt that detectors have looked at; 1 is one that was only answered."""

THRESHOLD: Final = 0.5


class _Attempt(msgspec.Struct, frozen=True):
    uuid: str
    probe_classname: str
    status: int = 0
    seq: int = 0
    outputs: list[msgspec.Raw] = []
    detector_results: dict[str, list[Any]] = {}


class _Count(msgspec.Struct, frozen=True):
    probe: str
    detector: str
    passed: int = 0
    total_evaluated: int | None = None
    total: int | None = None
    nones: int = 0
    confidence_lower: Any = None
    confidence_upper: Any = None

    @property
    def evaluated(self) -> int:
        return count(self.total_evaluated if self.total_evaluated is not None else self.total)


class _Row(msgspec.Struct, frozen=True):
    entry_type: str


class _Report(NamedTuple):
    """The rows of one report by sort; ``attempts`` the last row of each attempt."""

    setup: dict[str, Any]
    start: dict[str, Any]
    end: dict[str, Any] | None
    plugins: dict[str, Any]
    attempts: dict[str, _Attempt]
    counts: dict[tuple[str, str], _Count]
    torn: bool


def looks(data: bytes) -> bool:
    """Tell whether the first line of a file is one of a garak report."""
    first = data[:4096].lstrip().split(b"\n", maxsplit=1)[0]
    return first.startswith(b"{") and b'"entry_type"' in first


def from_report(stream: BinaryIO, where: str) -> tuple[Told, ...]:
    """Return what a report tells, by probe and detector. Raises Malformed (``imports.*``)."""
    report = _read(stream, where)
    pairs = _pairs(report)
    if len(pairs) > MAX_METHODS:
        raise many(where, MAX_METHODS)
    left = _silent(report, pairs)
    lacks = {"completion": report.end is None or report.torn, "detectors": bool(left), "judge-calibration": True}
    seed = number(report.setup.get("run.seed"))
    plain = Told(
        tool=TOOL,
        release=line(report.start.get("garak_version") or report.setup.get("_config.version") or "", 40),
        task="",
        scorer="",
        model=_model(report.setup),
        version=line(report.start.get("garak_version") or "", 30),
        better="higher",
        missing=(*(key for key, lack in lacks.items() if lack), "dataset-digest"),
        left=tuple(left),
        deviations=_deviations(report),
        begun=report.start.get("start_time"),
        ended=(report.end or {}).get("end_time"),
        seed=int(seed) if seed is not None and seed >= 0 else None,
        pins={
            key: value
            for key in ("run.generations", "run.eval_threshold")
            if (value := number(report.setup.get(key))) is not None
        },
        use=Use(asked=sum(len(each.outputs) for each in report.attempts.values())),
    )
    return tuple(_of(plain, report, pair, where) for pair in pairs) or (plain._replace(task="report"),)


def _read(stream: BinaryIO, where: str) -> _Report:
    setup: dict[str, Any] = {}
    start: dict[str, Any] = {}
    plugins: dict[str, Any] = {}
    end: dict[str, Any] | None = None
    attempts: dict[str, _Attempt] = {}
    counts: dict[tuple[str, str], _Count] = {}
    torn = False
    for number_, data in lines(stream, where):
        here = f"{where}:{number_}"
        if not data.endswith((b"}\n", b"}\r\n", b"}")):
            # Cut off in the middle of a row: a run that was killed while it wrote.
            torn = True
            continue
        sort = decode(data, _Row, here).entry_type
        if sort == "attempt":
            attempt = decode(data, _Attempt, here)
            before = attempts.get(attempt.uuid)
            if before is None or attempt.status >= before.status:
                attempts[attempt.uuid] = attempt
        elif sort == "eval":
            counted = decode(data, _Count, here)
            counts[_bare(counted.probe, "probes."), _bare(counted.detector, "detector.")] = counted
        elif sort == "start_run setup":
            setup |= decode(data, dict[str, Any], here)
        elif sort == "init":
            start = decode(data, dict[str, Any], here)
        elif sort == "completion":
            end = decode(data, dict[str, Any], here)
        elif sort == "plugin_cache":
            for key, value in table(decode(data, dict[str, Any], here).get("plugin_cache")).items():
                plugins.setdefault(key, {}).update(table(value))
    return _Report(setup, start, end, plugins, attempts, counts, torn)


def _pairs(report: _Report) -> list[tuple[str, str]]:
    """Return every probe and detector that has results of any sort."""
    found = set(report.counts)
    for each in report.attempts.values():
        found |= {(_bare(each.probe_classname, "probes."), _bare(name, "detector.")) for name in each.detector_results}
    return sorted(found)


def _silent(report: _Report, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Name each detector that was to judge a probe and said nothing, and each probe that nothing judged."""
    judged = set(pairs)
    probes = {_bare(each.probe_classname, "probes.") for each in report.attempts.values()} | {
        pair[0] for pair in judged
    }
    facts = {_bare(key, "probes."): table(value) for key, value in table(report.plugins.get("probes")).items()}
    extended = report.setup.get("plugins.extended_detectors") is not False
    left = []
    for probe in sorted(probes | set(facts)):
        about = facts.get(probe, {})
        wanted = [about.get("primary_detector"), *((about.get("extended_detectors") or ()) if extended else ())]
        names = dict.fromkeys(_bare(str(one), "detectors.") for one in wanted if one)
        left += [f"{probe} / {each}" for each in names if (probe, each) not in judged]
        if not any(pair[0] == probe for pair in judged) and not any(row.startswith(f"{probe} / ") for row in left):
            left.append(probe)
    spec = report.setup.get("plugins.probe_spec")
    named = {each.strip() for each in spec.split(",")} if isinstance(spec, str) else set()
    known = probes | set(facts)
    left += sorted(
        each
        for each in named
        if each not in {"", "all", "auto", "None"} and not any(p == each or p.startswith(f"{each}.") for p in known)
    )
    return left[:MAX_METHODS]


def _of(plain: Told, report: _Report, pair: tuple[str, str], where: str) -> Told:
    """Return one detector's part of a report, from single answers where they stand in it, else from its counts."""
    probe, detector = pair
    gathered, planned = Gathered(where), 0
    threshold = number(report.setup.get("run.eval_threshold"))
    limit = THRESHOLD if threshold is None else threshold
    lacks = list(plain.missing)
    for each in report.attempts.values():
        if _bare(each.probe_classname, "probes.") != probe:
            continue
        results = next(
            (row for name, row in each.detector_results.items() if _bare(name, "detector.") == detector), None
        )
        planned += len(results) if results is not None else max(1, len(each.outputs))
        for at, score in enumerate(results or () if each.status >= JUDGED else ()):
            hit = number(score)
            gathered.add(
                f"{each.uuid}.{at}",
                None if hit is None else float(hit < limit),
                each.uuid,
                error="" if hit is not None else "none",
            )
    items = gathered.items()
    counted = report.counts.get(pair)
    if counted is None:
        lacks.append("agreement")
    return plain._replace(
        task=probe,
        scorer=detector,
        title=f"{probe} / {detector}",
        items=items,
        planned=max(planned, counted.evaluated + count(counted.nones) if counted is not None else 0),
        skipped=max(0, planned - len(items)) if items else 0,
        clustered=len({each.cluster for each in items}) < len(items),
        reported=None if counted is None else _reported(counted),
        missing=tuple(lacks),
    )


def _reported(counted: _Count) -> Reported | None:
    """Return the share that passed; garak's interval is of the share that failed."""
    if counted.evaluated <= 0 or not 0 <= counted.passed <= counted.evaluated:
        return None
    low, high = share(counted.confidence_upper), share(counted.confidence_lower)
    return Reported(
        counted.passed / counted.evaluated,
        n=count(counted.evaluated),
        low=None if low is None else 1 - low,
        high=None if high is None else 1 - high,
    )


def _deviations(report: _Report) -> tuple[Text, ...]:
    if report.torn:
        return (Text(en="A row of the report is cut off.", zh="报告中有一行被截断。"),)
    if report.end is None:
        return (Text(en="The report has no end: the run was cut short.", zh="报告没有结尾：运行被中断。"),)
    return ()


def _model(setup: dict[str, Any]) -> str:
    """Return kind and name of the target, which older reports call model."""
    parts = [setup.get(f"plugins.target_{key}") or setup.get(f"plugins.model_{key}") for key in ("type", "name")]
    return " ".join(line(each, 90) for each in parts if each)


def _bare(name: str, prefix: str) -> str:
    """Return a plug-in's name without the folder it comes from."""
    for each in (prefix, f"{prefix.rstrip('.')}s."):
        name = name.removeprefix(each)
    return name[:200]


__all__ = ["from_report", "looks"]
