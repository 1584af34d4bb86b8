"""Changed files for every reader of other tools' results, for tests and ``make bench-imports``; seeds are plain numbers."""

from __future__ import annotations

import io
import json
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.practices.evaluation import foreign
from tongqiu.practices.evaluation.imports import every_eval_ever, garak, helm, inspect_log, lm_eval, pyrit
from tongqiu.practices.evaluation.imports.told import Told, record
from tongqiu.practices.evaluation.object_kinds import RUN
from tongqiu.record.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW: Final = "2026-11-23T08:00:00.000Z"
PIECES: Final = (
    b"NaN",
    b"1e999",
    b"-1",
    b'"',
    b"null",
    b"[[[[",
    b"{}",
    b"\xff",
    b"\0",
    b"9" * 400,
    b"\xed\xa0\x80",
    b"Infinity",
    b"true",
)


def _samples(data: bytes) -> tuple[Told, ...]:
    results = json.dumps(foreign.lm_eval()[0]).encode()
    return lm_eval.from_results(io.BytesIO(results), "x", [lm_eval.samples(io.BytesIO(data), "x")])


def _answers(data: bytes) -> tuple[Told, ...]:
    answers = every_eval_ever.Answers(io.BytesIO(data), "x")
    document = foreign.every_eval_ever() | {"detailed_evaluation_results": {"checksum": answers.digest}}
    return every_eval_ever.from_document(io.BytesIO(json.dumps(document).encode()), "x", [answers])


def _helm(data: bytes) -> tuple[Told, ...]:
    """Read a run of HELM whose files stand in one text, one a line."""
    lines = data.split(b"\n")
    files = dict(zip((helm.SPEC, helm.EACH, helm.ALL, helm.STATE), lines, strict=False))
    return helm.from_folder(lambda name: io.BytesIO(files[name]), frozenset(files), "x")


def _pyrit(data: bytes) -> tuple[Told, ...]:
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        file.write(data)
        file.flush()
        return pyrit.from_database(Path(file.name), "x")


def _memory() -> bytes:
    with tempfile.TemporaryDirectory() as place:
        foreign.pyrit(Path(place) / "x.db", 3)
        return (Path(place) / "x.db").read_bytes()


def _helm_text(files: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(files[name]).encode() for name in (helm.SPEC, helm.EACH, helm.ALL, helm.STATE))


def _json_log() -> dict[str, Any]:
    return foreign.header(3) | {"samples": [foreign.sample(at) for at in range(3)]}


READERS: Final[dict[str, Callable[[bytes], tuple[Told, ...]]]] = {
    "inspect": lambda data: inspect_log.from_archive(io.BytesIO(data), "x"),
    "inspect-json": lambda data: inspect_log.from_json(io.BytesIO(data), "x"),
    "garak": lambda data: garak.from_report(io.BytesIO(data), "x"),
    "pyrit": _pyrit,
    "pyrit-json": lambda data: pyrit.from_json(io.BytesIO(data), "x"),
    "lm-eval": lambda data: lm_eval.from_results(io.BytesIO(data), "x"),
    "lm-eval-samples": _samples,
    "helm": _helm,
    "every-eval-ever": lambda data: every_eval_ever.from_document(io.BytesIO(data), "x"),
    "answers": _answers,
}
"""Every reader, from bytes."""

SEEDS: Final[dict[str, Callable[[], bytes]]] = {
    "inspect": lambda: foreign.log([foreign.sample(at) for at in range(3)], method=0),
    "inspect-json": lambda: json.dumps(_json_log()).encode(),
    "garak": lambda: foreign.rows(foreign.garak(attempts=2)),
    "pyrit": _memory,
    "pyrit-json": lambda: json.dumps(foreign.scores(3)).encode(),
    "lm-eval": lambda: json.dumps(foreign.lm_eval(3)[0]).encode(),
    "lm-eval-samples": lambda: foreign.rows(foreign.lm_eval(3)[1]),
    "helm": lambda: _helm_text(foreign.helm(3)),
    "every-eval-ever": lambda: json.dumps(foreign.every_eval_ever()).encode(),
    "answers": lambda: foreign.rows(foreign.answers(3)),
}
"""An input that each reader takes."""


def run(reader: str, rounds: int, first: int = 0) -> tuple[int, int]:
    """Give ``reader`` that many changed inputs; return how many it refused and how many it made whole records of.

    Whatever else it raises passes through, and so does a record that is not consistent.
    """
    seed = SEEDS[reader]()
    refused = kept = 0
    for number in range(first, first + rounds):
        try:
            told = READERS[reader](changed(seed, number))
        except Fault:
            refused += 1
            continue
        for each in told[:3]:
            body = record(each, (), NOW)
            if RUN.read(RUN.write(body)) != body or (RUN.holds is not None and list(RUN.holds(body))):
                raise AssertionError(f"{reader} {number}: {body}")
        kept += 1
    return refused, kept


def changed(seed: bytes, number: int) -> bytes:
    """Return ``seed`` with one to three changes, always the same for one ``number``."""
    dice = random.Random(number)  # noqa: S311 - the same input again, not a secret
    data = bytearray(seed)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data))
        way = dice.randrange(6)
        if way == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            del data[at : at + dice.randint(1, 40)]
        elif way == 2:
            data[at:at] = dice.choice(PIECES)
        elif way == 3:
            data[at : at + 4] = dice.choice(PIECES)
        elif way == 4:
            other = dice.randrange(len(data))
            data[at:at] = data[other : other + dice.randint(1, 200)]
        else:
            digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
            if digits:
                data[dice.choice(digits)] = 48 + dice.randrange(10)
        if not data:
            return b""
    return bytes(data)


# fmt: off
KEYS: Final = frozenset(
    {
        "version", "status", "eval", "task", "task_version", "created", "model", "model_base_url", "model_args",
        "dataset", "name", "samples", "sample_ids", "config", "epochs", "packages", "results", "total_samples",
        "scores", "metrics", "accuracy", "value", "stderr", "stats", "started_at", "completed_at", "id", "epoch",
        "input", "target", "history", "entry_type", "garak_version", "start_time", "run", "uuid", "seq",
        "probe_classname", "prompt", "outputs", "detector_results", "probe", "detector", "passed", "fails",
        "nones", "total_evaluated", "total_processed", "end_time", "plugin_cache", "probes", "primary_detector",
        "extended_detectors", "score_value", "score_type", "scorer_class_identifier", "message_piece_id",
        "timestamp", "class_name", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better",
        "n-samples", "date", "lm_eval_version", "transformers_version", "task_hashes", "model_name",
        "total_evaluation_time_seconds", "doc_id", "doc", "arguments", "resps", "filtered_resps", "filter",
        "doc_hash", "prompt_hash", "target_hash", "instance_id", "train_trial_index", "perturbation",
        "split", "count", "mean", "adapter_spec", "metric_specs", "model_deployment", "request_states",
        "schema_version", "evaluation_id", "evaluation_timestamp", "retrieved_timestamp", "source_metadata",
        "source_type", "source_organization_name", "evaluator_relationship", "eval_library", "model_info",
        "developer", "additional_details", "evaluation_results", "evaluation_result_id", "evaluation_name",
        "source_data", "metric_config", "metric_id", "lower_is_better", "min_score", "max_score", "score_details",
        "score", "uncertainty", "standard_error", "confidence_interval", "lower", "upper", "confidence_level",
        "num_samples", "evaluation", "sample_id", "original", "effective",
    }
)
# fmt: on
"""Keys that the readers look for; all others may be anything."""

KEPT: Final = frozenset({"first_party", "third_party", "test", "2026-11-23T08:00:00Z"})
"""Values that are choices, not words."""


def poisoned(poison: Callable[[Any], Any]) -> Iterator[tuple[str, tuple[Told, ...]]]:
    """Yield what each reader tells of a file in which ``poison`` changed every free text."""
    log = poison(_json_log())
    yield "inspect", READERS["inspect-json"](json.dumps(log).encode())
    yield "garak", READERS["garak"](foreign.rows(poison(foreign.garak(attempts=2, silent=True))))
    yield "pyrit", READERS["pyrit-json"](json.dumps(poison(foreign.scores(2))).encode())
    yield "lm-eval", READERS["lm-eval"](json.dumps(poison(foreign.lm_eval(2)[0])).encode())
    yield "helm", READERS["helm"](_helm_text({key: poison(value) for key, value in foreign.helm(2).items()}))
    yield "every-eval-ever", READERS["every-eval-ever"](json.dumps(poison(foreign.every_eval_ever())).encode())
