"""Reading logs of Inspect (``.eval`` archives, and the same as JSON): scores of samples, never their transcripts.

Read without the engine itself: of each sample only name, scores, error and marks are decoded, and the question as bytes for
its digest. Arguments of the model are never looked at, as keys have been found in them. Log format 2 (inspect_ai 0.3.x);
what a value means is Inspect's own default (C, I, P, N; yes, no, true, false; numbers).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

import msgspec

from tongqiu.practices.evaluation.imports.archive import Archive
from tongqiu.practices.evaluation.imports.reading import (
    MAX_ITEMS,
    MAX_METHODS,
    count,
    damaged,
    decode,
    line,
    many,
    number,
    share,
    table,
    twice,
    whole,
)
from tongqiu.practices.evaluation.imports.told import Gathered, Told
from tongqiu.practices.evaluation.objects import Reported, Use
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tongqiu.record.shapes import Scalar

TOOL: Final = "inspect_ai"
MAX_SAMPLES: Final = 512 << 20
"""Most bytes of samples that are unpacked; beyond that the summaries in the log are read instead."""

MAX_UNPACKED: Final = 1 << 30
_NULL: Final = msgspec.Raw(b"null")
_WORDS: Final = {"c": 1.0, "i": 0.0, "p": 0.5, "n": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_PINS: Final = ("temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty", "num_choices")
_LIMITS: Final = ("epochs", "limit", "message_limit", "token_limit", "time_limit", "working_limit")


class _Score(msgspec.Struct, frozen=True):
    value: Any = None
    history: list[msgspec.Raw] = []


class _Sample(msgspec.Struct, frozen=True):
    id: int | str
    epoch: int = 1
    scores: dict[str, _Score] | None = None
    error: msgspec.Raw = _NULL
    invalidation: msgspec.Raw = _NULL
    input: msgspec.Raw = _NULL
    target: msgspec.Raw = _NULL


class _Dataset(msgspec.Struct, frozen=True):
    name: str | None = None
    samples: int | None = None
    sample_ids: list[int | str] | None = None


class _Scorer(msgspec.Struct, frozen=True):
    name: str = ""
    options: dict[str, Any] | None = None


class _Eval(msgspec.Struct, frozen=True):
    task: str
    model: str = ""
    created: str = ""
    task_version: int | str = 0
    dataset: _Dataset = _Dataset()
    model_base_url: str | None = None
    model_generate_config: dict[str, Any] = {}
    config: dict[str, Any] = {}
    packages: dict[str, str] = {}
    scorers: list[_Scorer] | None = None


class _Result(msgspec.Struct, frozen=True):
    name: str = ""
    reducer: str | None = None
    scored_samples: int | None = None
    metrics: dict[str, Any] = {}


class _Results(msgspec.Struct, frozen=True):
    total_samples: int = 0
    scores: list[_Result] = []


class _Stats(msgspec.Struct, frozen=True):
    started_at: str = ""
    completed_at: str = ""
    model_usage: dict[str, Any] = {}


class _Plan(msgspec.Struct, frozen=True):
    config: dict[str, Any] = {}


class _Log(msgspec.Struct, frozen=True):
    eval: _Eval
    plan: _Plan = _Plan()
    version: int = 2
    status: str = "started"
    results: _Results | None = None
    stats: _Stats = _Stats()
    invalidated: bool = False
    samples: list[_Sample] | None = None


def from_archive(stream: BinaryIO, where: str) -> tuple[Told, ...]:
    """Return what an ``.eval`` archive tells, by scorer.

    Raises Malformed (``imports.*``); Missing (``imports.zstd``) where Zstandard cannot be unpacked.
    """
    archive = Archive(stream, where, MAX_UNPACKED)
    names = archive.members
    head = next((each for each in ("header.json", "_journal/start.json") if each in names), None)
    if head is None:
        raise damaged(where, "no header.json in it")
    log = decode(archive.read(head), _Log, f"{where}/{head}")
    if head != "header.json":
        log = msgspec.structs.replace(log, status="started")
    samples = sorted(each for each in names if each.startswith("samples/") and each.endswith(".json"))
    if len(samples) > MAX_ITEMS:
        raise many(where, MAX_ITEMS)
    if sum(names[each].size for each in samples) <= MAX_SAMPLES:
        read: Iterable[_Sample] = (decode(archive.read(each), _Sample, f"{where}/{line(each, 80)}") for each in samples)
        return _told(log, read, where)
    parts = (
        ["summaries.json"]
        if "summaries.json" in names
        else sorted(e for e in names if e.startswith("_journal/summaries/"))
    )
    told = (each for part in parts for each in decode(archive.read(part), list[_Sample], f"{where}/{line(part, 80)}"))
    return _told(log, told, where, whole_samples=False)


def from_json(stream: BinaryIO, where: str) -> tuple[Told, ...]:
    """Return what a log in JSON tells, by scorer. Raises Malformed (``imports.*``)."""
    log = decode(whole(stream, where), _Log, where)
    return _told(log, log.samples or (), where)


def _told(log: _Log, samples: Iterable[_Sample], where: str, *, whole_samples: bool = True) -> tuple[Told, ...]:
    gathered, marks, seen, asked = _gather(log, samples, where)
    config = log.eval.config
    epochs = max(1, count(config.get("epochs")))
    planned = max(
        count(log.results.total_samples) if log.results else 0,
        len(log.eval.dataset.sample_ids or ()) * epochs,
        len(seen),
    )
    lacks = {
        "completion": log.status != "success",
        "validity": log.invalidated or bool(marks["invalid"]),
        "original-scores": bool(marks["edited"]),
        "dataset-digest": True,
    }
    # The task's own settings stand in the plan, those of the call beside the model; the plan holds both merged.
    generate = log.eval.model_generate_config | log.plan.config
    pins: dict[str, Scalar] = {key: value for key in _PINS if (value := number(generate.get(key))) is not None}
    pins |= {key: value for key in _LIMITS if (value := number(config.get(key))) is not None}
    plain = Told(
        tool=TOOL,
        release=log.eval.packages.get(TOOL, ""),
        task=log.eval.task,
        scorer="",
        model=log.eval.model,
        version=str(log.eval.task_version),
        planned=planned,
        skipped=planned - len(seen),
        data="" if not seen or not whole_samples else "sha-256:" + asked,
        missing=tuple(key for key, lack in lacks.items() if lack),
        deviations=_deviations(log, marks, whole_samples=whole_samples),
        clustered=epochs > 1 or marks["epochs"] > 1,
        begun=log.stats.started_at or log.eval.created,
        ended=log.stats.completed_at,
        seed=count(generate["seed"]) if number(generate.get("seed")) is not None else None,
        pins=pins,
        packages=log.eval.packages,
        use=_use(log, len(seen)),
    )
    if not gathered:
        told = [each.name for each in (log.results.scores if log.results else ())][:MAX_METHODS]
        gathered = {each: Gathered(where) for each in told or [""]}
    return tuple(_of(plain, log, scorer, gathered[scorer]) for scorer in sorted(gathered))


def _gather(
    log: _Log, samples: Iterable[_Sample], where: str
) -> tuple[dict[str, Gathered], dict[str, int], set[tuple[str, int]], str]:
    """Return scores by scorer, how many marks of each sort there were, which samples, and a digest of what was asked."""
    gathered: dict[str, Gathered] = {}
    marks = {"edited": 0, "invalid": 0, "epochs": 1}
    seen: set[tuple[str, int]] = set()
    asked = hashlib.sha256()
    known = sorted({each.name for each in log.results.scores} if log.results else set())
    bare: list[_Sample] = []
    for each in samples:
        key = (str(each.id), each.epoch)
        if key in seen:
            raise twice(where, f"{each.id}, epoch {each.epoch}")
        seen.add(key)
        marks["epochs"] = max(marks["epochs"], each.epoch)
        for part in (str(each.id).encode("utf-8", "surrogatepass"), bytes(each.input), bytes(each.target)):
            asked.update(hashlib.sha256(part).digest())
        marks["invalid"] += bytes(each.invalidation) != b"null"
        if not each.scores:
            bare.append(each)
        for name, score in (each.scores or {}).items():
            marks["edited"] += bool(score.history)
            values = table(score.value) or {"": score.value}
            for part_name, value in values.items():
                full = f"{name}/{part_name}" if part_name else name
                if full not in gathered:
                    if len(gathered) >= MAX_METHODS:
                        raise many(where, MAX_METHODS)
                    gathered[full] = Gathered(where)
                _add(gathered[full], each, value)
    for each in bare:
        # A sample without any score stands in every method as one that could not be scored.
        for full in gathered or known:
            gathered.setdefault(full, Gathered(where))
            _add(gathered[full], each, None)
    return gathered, marks, seen, asked.hexdigest()


def _add(into: Gathered, sample: _Sample, value: object) -> None:
    invalid, failed = bytes(sample.invalidation) != b"null", bytes(sample.error) != b"null"
    score = None if invalid or failed else _value(value)
    error = "invalidated" if invalid else "error" if failed else "" if score is not None else "unscored"
    key = f"{sample.id}" if sample.epoch == 1 else f"{sample.id}:{sample.epoch}"
    into.add(key, score, sample.id, error=error)


def _value(value: object) -> float | None:
    """Return a score as a number, by Inspect's own default reading of values."""
    if isinstance(value, str):
        known = _WORDS.get(value.lower()) if len(value) > 1 else _WORDS.get(value.lower()) if value.isupper() else None
        return number(value) if known is None else known
    return number(value)


def _of(plain: Told, log: _Log, scorer: str, gathered: Gathered) -> Told:
    """Return one scorer's part of a log."""
    lacks = list(plain.missing)
    base = scorer.split("/", maxsplit=1)[0]
    own = next((each for each in log.eval.scorers or () if each.name.rpartition("/")[2] == base), None)
    if base.startswith("model_graded") or (own is not None and any("model" in key for key in own.options or {})):
        lacks.append("judge-calibration")
    if gathered.outside:
        lacks.append("score-scale")
    items = gathered.items()
    return plain._replace(
        scorer=scorer,
        items=items,
        skipped=max(0, plain.planned - len(items)) if items else 0,
        reported=None if gathered.outside else _reported(log, scorer),
        missing=tuple(lacks),
    )


def _reported(log: _Log, scorer: str) -> Reported | None:
    """Return the log's own figure for a scorer: its accuracy or mean, with the standard error where it stands."""
    found = next((each for each in log.results.scores if each.name == scorer), None) if log.results else None
    if found is None or found.reducer not in {None, "mean"}:
        return None
    told = {key: share(table(value).get("value")) for key, value in found.metrics.items()}
    value = next((told[key] for key in ("accuracy", "mean") if told.get(key) is not None), None)
    return None if value is None else Reported(value, n=count(found.scored_samples), u=told.get("stderr"))


def _deviations(log: _Log, marks: dict[str, int], *, whole_samples: bool) -> tuple[Text, ...]:
    said: list[Text] = []
    if log.status != "success":
        said.append(
            Text(en="The log says of the run: {status}.", zh="日志所记的运行状态：{status}。").fill(
                status=line(log.status, 40)
            )
        )
    if marks["edited"]:
        said.append(
            Text(en="{n} scores were edited after the run.", zh="{n} 个得分在运行后被修改。").fill(n=marks["edited"])
        )
    if marks["invalid"]:
        said.append(Text(en="{n} samples were marked invalid.", zh="{n} 个样本被标为无效。").fill(n=marks["invalid"]))
    if not whole_samples:
        said.append(
            Text(
                en="The samples are too large to be read; scores are from the log's summaries.",
                zh="样本过大未读取；得分取自日志摘要。",
            )
        )
    return tuple(said)


def _use(log: _Log, asked: int) -> Use:
    """Return tokens as the log counted them, and the bare name of the host: an address may hold a password."""
    usage: Sequence[dict[str, Any]] = [table(each) for each in log.stats.model_usage.values()]
    return Use(
        asked=asked,
        tokens_in=sum(count(each.get("input_tokens")) for each in usage) if usage else None,
        tokens_out=sum(count(each.get("output_tokens")) for each in usage) if usage else None,
        host=_host(log.eval.model_base_url),
    )


def _host(address: str | None) -> str:
    try:
        return line(urlsplit(address or "").hostname or "", 200)
    except ValueError:
        return ""


def looks(data: bytes) -> bool:
    """Tell whether the beginning of a JSON document is that of a log."""
    head = data[:4096]
    return (
        b'"eval"' in head
        and b'"version"' in head
        and (b'"task"' in head or b'"eval_id"' in head or b'"status"' in head)
    )


__all__ = ["MAX_SAMPLES", "from_archive", "from_json", "looks"]
