"""Every Eval Ever, the coalition's form for exchanging results: read it, and write it, by its schema 0.3.0.

Source: ``evaleval/every_eval_ever``, ``schemas/eval.schema.json`` (MIT). It gives totals; the file of single answers that may
stand beside it is read where its SHA-256 is the one that the document names. What is written holds no question and no
answer, and says in its details what the result lacks.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

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
    whole,
)
from tongqiu.practices.evaluation.imports.told import Gathered, Told, moment
from tongqiu.practices.evaluation.objects import Reported
from tongqiu.record.statement import moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.practices.evaluation.objects import Measurement, TestRun

SCHEMA: Final = "0.3.0"
_LEVEL: Final = 0.95
_ALIKE: Final = 1e-9


class _Library(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


class _Source(msgspec.Struct, frozen=True):
    source_organization_name: str = ""
    evaluator_relationship: Literal["first_party", "third_party", "collaborative", "other"] = "other"


class _Model(msgspec.Struct, frozen=True):
    name: str
    id: str
    developer: str = ""


class _Metric(msgspec.Struct, frozen=True):
    lower_is_better: bool
    metric_id: str = ""
    metric_name: str = ""
    min_score: float | str | None = None
    max_score: float | str | None = None
    llm_scoring: dict[str, Any] | None = None


class _Score(msgspec.Struct, frozen=True):
    score: float
    uncertainty: dict[str, Any] | None = None


class _One(msgspec.Struct, frozen=True):
    evaluation_name: str
    metric_config: _Metric
    score_details: _Score
    evaluation_result_id: str = ""
    evaluation_timestamp: str = ""


class _Detailed(msgspec.Struct, frozen=True):
    checksum: str = ""
    hash_algorithm: str = ""
    total_rows: int = 0


class _Document(msgspec.Struct, frozen=True):
    schema_version: str
    model_info: _Model
    evaluation_results: list[_One]
    source_metadata: _Source = _Source()
    eval_library: _Library = _Library()
    evaluation_id: str = ""
    evaluation_timestamp: str = ""
    detailed_evaluation_results: _Detailed | None = None


class _Answer(msgspec.Struct, frozen=True):
    sample_id: str
    evaluation_name: str
    evaluation: dict[str, Any]
    evaluation_result_id: str = ""


class Answers:
    """Single answers from the file beside a document: its SHA-256, and scores by the result they belong to."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        """Read the file. Raises Malformed (``imports.*``)."""
        total = hashlib.sha256()
        self.name, self.scores = where, dict[str, Gathered]()
        for number_, data in lines(stream, where):
            total.update(data)
            row = decode(data, _Answer, f"{where}:{number_}")
            key = row.evaluation_result_id or row.evaluation_name
            if key not in self.scores and len(self.scores) >= MAX_METHODS:
                raise many(where, MAX_METHODS)
            score = number(row.evaluation.get("score"))
            self.scores.setdefault(key, Gathered(where)).add(
                row.sample_id, score, error="" if score is not None else "unscored"
            )
        self.digest = total.hexdigest()


def looks(data: bytes) -> bool:
    """Tell whether a whole JSON document may be one of Every Eval Ever."""
    return b'"schema_version"' in data and b'"evaluation_results"' in data and b'"model_info"' in data


def looks_like_answers(data: bytes) -> bool:
    """Tell whether the first line of a file is that of a single answer."""
    first = data.lstrip().split(b"\n", maxsplit=1)[0]
    return b'"sample_id"' in first and b'"evaluation_name"' in first and b'"interaction_type"' in first


def from_document(stream: BinaryIO, where: str, beside: Sequence[Answers] = ()) -> tuple[Told, ...]:
    """Return what a document tells, by result, with the single answers of ``beside`` it names. Raises Malformed."""
    document = decode(whole(stream, where), _Document, where)
    if len(document.evaluation_results) > MAX_METHODS:
        raise many(where, MAX_METHODS)
    named = document.detailed_evaluation_results
    answers = next((each for each in beside if named is not None and each.digest == named.checksum.lower()), None)
    left = tuple(f"{each.name}: not the file that the document names" for each in beside if each is not answers)
    return tuple(_of(document, each, answers)._replace(left=left) for each in document.evaluation_results)


def _of(document: _Document, one: _One, answers: Answers | None) -> Told:
    library, metric = document.eval_library, one.metric_config
    low, high = number(metric.min_score), number(metric.max_score)
    low, high = (0.0, 1.0) if low is None or high is None or high <= low else (low, high)
    wide = high - low
    value = share((one.score_details.score - low) / wide)
    told = table(one.score_details.uncertainty)
    bounds = table(told.get("confidence_interval"))
    level = number(bounds.get("confidence_level"))
    error = number(table(told.get("standard_error")).get("value"))
    n = count(told.get("num_samples"))
    gathered = None
    if answers is not None:
        gathered = answers.scores.get(one.evaluation_result_id) or answers.scores.get(one.evaluation_name)
    items = gathered.items() if gathered is not None else ()
    at = _time(one.evaluation_timestamp or document.evaluation_timestamp)
    sure = level is not None and abs(level - _LEVEL) < _ALIKE
    lacks = {
        "score-scale": value is None,
        "judge-calibration": metric.llm_scoring is not None,
        "completion": n == 0 and not items,
        "dataset-digest": True,
        "task-version": True,
    }
    reported = None
    if value is not None:
        reported = Reported(
            value,
            n=n,
            u=None if error is None or error < 0 else number(error / wide),
            low=_scaled(bounds.get("lower"), low, wide) if sure else None,
            high=_scaled(bounds.get("upper"), low, wide) if sure else None,
        )
    return Told(
        tool=library.name if library.name not in {"", "unknown"} else "every-eval-ever",
        release="" if library.version == "unknown" else library.version,
        task=one.evaluation_name,
        scorer=metric.metric_id or metric.metric_name,
        title=one.evaluation_name,
        model=document.model_info.id,
        developer=document.model_info.developer,
        items=items,
        planned=max(n, len(items)),
        skipped=max(0, n - len(items)) if items else 0,
        better="lower" if metric.lower_is_better else "higher",
        reported=reported,
        missing=tuple(key for key, lack in lacks.items() if lack),
        begun=at,
        ended=at,
        relationship=document.source_metadata.evaluator_relationship,
    )


def _scaled(value: object, low: float, wide: float) -> float | None:
    """Return a bound on the scale from 0 to 1; what a normal interval puts beyond its ends is cut off."""
    found = number(value)
    return None if found is None else min(1.0, max(0.0, (found - low) / wide))


def _time(text: str) -> str | None:
    """Return an instant from a written time or from seconds since 1970 written as text."""
    seconds = number(text)
    return moment(text) if seconds is None else moment(seconds)


# --- writing -----------------------------------------------------------------------------------------------------------


def document(
    runs: Sequence[tuple[TestRun, Measurement]], *, organisation: str, retrieved: str, entries: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the document (schema 0.3.0) of measurements of one system; ``retrieved`` is when it is written.

    ``entries`` are the records in this log, in the same order. Raises ValueError for no run, or for several systems or tools.
    """
    if not runs or len({(run.system.name, run.relationship, _engine(run)) for run, _ in runs}) != 1:
        raise ValueError("one document is of one system, one evaluator and one tool")
    first = runs[0][0]
    system = first.system
    engine, version = _engine(first)
    source = {
        "source_name": "Tongqiu",
        "source_type": "evaluation_run",
        "source_organization_name": organisation,
        "evaluator_relationship": first.relationship,
        "additional_details": {"source": first.source},
    }
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"tongqiu/{system.name}/{_seconds(retrieved)}",
        "evaluation_timestamp": first.started,
        "retrieved_timestamp": _seconds(retrieved),
        "source_metadata": source,
        "eval_library": {"name": engine, "version": version},
        "model_info": {
            "name": system.name,
            "id": system.name,
            "developer": system.developer or "unknown",
            "additional_details": {
                "deployment_type": "externally_managed" if first.use and first.use.host else "unknown",
                "model_availability": "unknown",
                "identity": system.rung,
                **({"digest": system.digest} if system.digest else {}),
            },
        },
        "evaluation_results": [
            _result(run, measured, entries[at] if at < len(entries) else "") for at, (run, measured) in enumerate(runs)
        ],
    }


def _result(run: TestRun, measured: Measurement, entry: str) -> dict[str, Any]:
    method, rows = run.method, measured.completeness
    sure = "uncertainty" not in measured.lacking
    details = {
        "method": method.method,
        "basis": measured.basis,
        "lacking": ", ".join(measured.lacking) or "none",
        "planned": str(rows.planned),
        "done": str(rows.done),
        "errored": str(rows.errored),
        "skipped": str(rows.skipped),
        **{f"floor.{each.agent}": f"{each.value:.6g} ({each.low:.6g}..{each.high:.6g})" for each in measured.floors},
        **({"utility": f"{measured.utility.method}: {measured.utility.value:.6g}"} if measured.utility else {}),
        **({"record": entry} if entry else {}),
    }
    score: dict[str, Any] = {"score": measured.value, "details": details}
    uncertainty: dict[str, Any] = {"num_samples": measured.n}
    if sure:
        uncertainty["standard_error"] = {"value": measured.u, "method": method.estimator.name}
        uncertainty["confidence_interval"] = {
            "lower": measured.low,
            "upper": measured.high,
            "confidence_level": measured.coverage,
            "method": method.estimator.name,
        }
    score["uncertainty"] = uncertainty
    return {
        "evaluation_result_id": method.method,
        "evaluation_name": method.title.en,
        "source_data": {
            "dataset_name": method.method,
            "source_type": "other",
            "additional_details": {"digest": method.data, "items": str(method.items)},
        },
        "evaluation_timestamp": run.started,
        "metric_config": {
            "evaluation_description": method.about.en,
            "metric_id": measured.measurand,
            "metric_name": method.title.en,
            "lower_is_better": method.better == "lower",
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": score,
        "generation_config": {
            "generation_args": _pinned(run),
            "additional_details": {line(key, 60): line(value, 200) for key, value in method.pins.items()},
        },
    }


def _pinned(run: TestRun) -> dict[str, Any]:
    """Return those pinned parameters that the schema has a name for."""
    pins = {key: number(run.method.pins.get(key)) for key in ("temperature", "top_p", "top_k", "max_tokens")}
    found: dict[str, Any] = {key: value for key, value in pins.items() if value is not None}
    if "max_tokens" in found:
        found["max_tokens"] = int(found["max_tokens"])
    return found


def _engine(run: TestRun) -> tuple[str, str]:
    told = run.environment.engine if run.environment is not None else ""
    engine, _, version = told.partition(" ")
    return engine or "unknown", version or "unknown"


def _seconds(at: str) -> str:
    """Return an instant as seconds since 1970, as the schema wants it."""
    return f"{moment_of(at).timestamp():.3f}"


__all__ = ["SCHEMA", "Answers", "document", "from_document", "looks", "looks_like_answers"]
