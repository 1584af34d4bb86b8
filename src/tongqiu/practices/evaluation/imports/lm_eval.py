"""Reading results of the LM Evaluation Harness: ``results_*.json``, and the scores of items in ``samples_*.jsonl`` beside it.

Fields are those of lm-eval 0.4 (``loggers/evaluation_tracker.py``, ``result_schema.py``). A file of samples belongs to a task when
the hash over its documents, prompts and targets is the one in the results (``task_hashes``); where it is only named alike,
that is said. Arguments of the model are not copied, its documents and answers not decoded.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import msgspec

from tongqiu.practices.evaluation.imports.reading import (
    MAX_ITEMS,
    MAX_METHODS,
    count,
    decode,
    line,
    lines,
    many,
    number,
    share,
    table,
    whole,
)
from tongqiu.practices.evaluation.imports.told import Gathered, Told, moment
from tongqiu.practices.evaluation.objects import Reported, Use
from tongqiu.record.statement import moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOL: Final = "lm-eval"
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_SEEDS: Final = ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")
_SAMPLES = re.compile(r"samples_(.{1,200})_\d{4}-\d\d-\d\dT[0-9.+-]{6,40}\.jsonl\Z")


class _Results(msgspec.Struct, frozen=True, rename={"shots": "n-shot", "counts": "n-samples"}):
    results: dict[str, dict[str, Any]]
    config: dict[str, Any] = {}
    versions: dict[str, Any] = {}
    shots: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    higher_is_better: dict[str, Any] = {}
    group_subtasks: dict[str, Any] = {}
    task_hashes: dict[str, str] = {}
    date: float | None = None
    lm_eval_version: str | None = None
    transformers_version: str | None = None
    git_hash: str | None = None
    model_name: str | None = None
    total_evaluation_time_seconds: str | float | None = None


class _Line(msgspec.Struct, frozen=True):
    doc_id: int | str
    doc_hash: str = ""
    prompt_hash: str = ""
    target_hash: str = ""
    filter: str = "none"
    metrics: list[str] = []


class Samples(NamedTuple):
    """One file of samples: the name of the file, the hash over its items, and scores by metric and filter."""

    name: str
    hash: str
    scores: dict[tuple[str, str], Gathered]


def looks(data: bytes) -> bool:
    """Tell whether a whole JSON document may be the results of a run."""
    return b'"results"' in data and b'"n-shot"' in data and b'"versions"' in data


def looks_like_samples(data: bytes) -> bool:
    """Tell whether the first line of a file is that of an item."""
    first = data.lstrip().split(b"\n", maxsplit=1)[0]
    return first.startswith(b"{") and b'"doc_id"' in first and b'"target"' in first


def samples(stream: BinaryIO, name: str) -> Samples:
    """Return the scores of one file of samples. Raises Malformed (``imports.*``)."""
    total = hashlib.sha256()
    found: dict[tuple[str, str], Gathered] = {}
    for number_, data in lines(stream, name):
        here = f"{name}:{number_}"
        row = decode(data, _Line, here)
        total.update((row.doc_hash + row.prompt_hash + row.target_hash).encode("utf-8", "surrogatepass"))
        own = _values(data, row.metrics, here)
        for metric in dict.fromkeys(row.metrics):
            key = (metric, row.filter)
            if key not in found and len(found) >= MAX_METHODS:
                raise many(name, MAX_METHODS)
            value = number(own.get(metric))
            found.setdefault(key, Gathered(name)).add(row.doc_id, value, error="" if value is not None else "unscored")
    return Samples(name, total.hexdigest(), found)


def _values(data: bytes, metrics: Sequence[str], here: str) -> dict[str, Any]:
    """Return the fields of a line that hold its metrics; the rest stays bytes."""
    rows = decode(data, dict[str, msgspec.Raw], here) if b"NaN" not in data else decode(data, dict[str, Any], here)
    return {
        each: decode(bytes(value), Any, here) if isinstance(value, msgspec.Raw) else value
        for each in metrics
        if (value := rows.get(each)) is not None and (not isinstance(value, msgspec.Raw) or len(bytes(value)) < 64)  # noqa: PLR2004 - no number is longer
    }


def from_results(stream: BinaryIO, where: str, beside: Sequence[Samples] = ()) -> tuple[Told, ...]:
    """Return what results tell, by task, metric and filter, with the items of ``beside``. Raises Malformed (``imports.*``)."""
    told = decode(whole(stream, where), _Results, where)
    found: list[Told] = []
    taken: set[str] = set()
    for task in sorted(told.results):
        if told.group_subtasks.get(task):
            # A group's figure is made of its tasks' figures, which stand on their own.
            continue
        part, sure = _samples_of(task, told, beside)
        if part is not None:
            taken.add(part.name)
        for key in sorted(told.results[task]):
            metric, _, way = key.partition(",")
            if key in {"alias", "name", "sample_len"} or "_stderr" in metric or number(told.results[task][key]) is None:
                continue
            if len(found) >= MAX_METHODS:
                raise many(where, MAX_METHODS)
            found.append(_of(told, task, (metric, way or "none"), part, sure=sure))
    left = tuple(sorted(f"{each.name}: belongs to no task" for each in beside if each.name not in taken))
    return tuple(each._replace(left=left) for each in found) or (_plain(told, "results")._replace(left=left),)


def _samples_of(task: str, told: _Results, beside: Sequence[Samples]) -> tuple[Samples | None, bool]:
    """Return the samples of a task, and whether their hash is the one in the results."""
    wanted = told.task_hashes.get(task)
    for each in beside:
        if wanted and each.hash == wanted:
            return each, True
    for each in beside:
        named = _SAMPLES.search(each.name)
        if named and named[1] == task:
            return each, False
    return None, False


def _plain(told: _Results, task: str) -> Told:
    begun = moment(told.date)
    seconds = number(told.total_evaluation_time_seconds)
    ended = None
    if begun is not None and seconds is not None:
        ended = moment(moment_of(begun).timestamp() + seconds)
    config = told.config
    release = line(told.lm_eval_version or told.git_hash or "", 40)
    packages = {TOOL: release} | (
        {"transformers": line(told.transformers_version)} if told.transformers_version else {}
    )
    seed = number(config.get("random_seed"))
    return Told(
        tool=TOOL,
        release=release,
        task=task,
        scorer="",
        model=line(told.model_name or config.get("model") or ""),
        version=_version(told.versions.get(task)),
        revision=line(config.get("model_sha") or config.get("model_revision") or "", 200),
        begun=begun,
        ended=ended,
        seed=int(seed) if seed is not None and seed >= 0 else None,
        pins={
            key: value
            for key in ("limit", "bootstrap_iters", *_SEEDS)
            if (value := number(config.get(key))) is not None
        }
        | ({"shots": shots} if (shots := number(told.shots.get(task))) is not None else {}),
        packages=packages if release else {},
    )


def _of(told: _Results, task: str, way: tuple[str, str], part: Samples | None, *, sure: bool) -> Told:
    """Return one metric's part of the results."""
    plain, (metric, filter_) = _plain(told, task), way
    row = told.results[task]
    counts = table(told.counts.get(task))
    better = table(told.higher_is_better.get(task)).get(metric)
    gathered = part.scores.get((metric, filter_)) if part is not None else None
    items = gathered.items() if gathered is not None else ()
    value = share(row.get(f"{metric},{filter_}", row.get(metric)))
    error = number(row.get(f"{metric}_stderr,{filter_}", row.get(f"{metric}_stderr")))
    effective = count(counts.get("effective"))
    hashed = told.task_hashes.get(task, "")
    lacks = {
        "dataset-digest": not _HASH.match(hashed),
        "task-hash": bool(items) and not sure,
        "score-scale": value is None or (gathered is not None and gathered.outside),
    }
    planned = max(effective, len(items))
    return plain._replace(
        scorer=metric if filter_ == "none" else f"{metric}/{filter_}",
        items=items,
        planned=planned,
        skipped=planned - len(items) if items else 0,
        data="" if lacks["dataset-digest"] else f"sha-256:{hashed}",
        better=None if not isinstance(better, bool) else "higher" if better else "lower",
        reported=None
        if value is None
        else Reported(value, n=effective, u=error if error is not None and error >= 0 else None),
        missing=tuple(key for key, lack in lacks.items() if lack),
        use=Use(asked=planned),
    )


def _version(value: object) -> str:
    """Return the version of a task: 1.0 is written as 1, as both are one version."""
    found = number(value)
    return "" if found is None or found < 0 else f"{found:g}" if found < MAX_ITEMS else ""


__all__ = ["Samples", "from_results", "looks", "looks_like_samples", "samples"]
