"""Makes files in the forms of other tools, field by field as their code writes them, for tests, examples and the benchmark.

Written after garak 0.16 (``evaluators/base.py``, ``attempt.py``, ``command.py``), PyRIT 1.1 (``memory/memory_models.py``), lm-eval
0.4.12 (``evaluation_tracker.py``, ``result_schema.py``), HELM 0.5.16 (``benchmark/runner.py``) and Every Eval Ever 0.3.0. Logs of
Inspect are made by Inspect itself (``make_logs.py``); :func:`archive` packs one by hand, for what a real one never holds.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

DETECTORS = ("always.Pass", "always.Fail")


def rows(each: Iterable[Any]) -> bytes:
    """Return JSON lines."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in each)


# --- Inspect ---------------------------------------------------------------------------------------------------------


def header(samples: int, **changes: Any) -> dict[str, Any]:
    """Return the header of a log in which all samples are right."""
    plain: dict[str, Any] = {
        "version": 2,
        "status": "success",
        "eval": {
            "task": "capital_check",
            "task_version": 2,
            "created": "2026-11-23T08:00:00+00:00",
            "model": "mockllm/model",
            "model_base_url": "https://user:hunter2@models.example/v1",
            "model_args": {"api_key": "sk-0123456789abcdef0123456789abcdef0123"},
            "dataset": {"name": "capitals", "samples": samples, "sample_ids": list(range(samples))},
            "config": {"epochs": 1},
            "packages": {"inspect_ai": "0.3.285"},
        },
        "results": {
            "total_samples": samples,
            "scores": [{"name": "match", "metrics": {"accuracy": {"value": 1.0}, "stderr": {"value": 0.0}}}],
        },
        "stats": {"started_at": "2026-11-23T08:00:00+00:00", "completed_at": "2026-11-23T08:01:00+00:00"},
    }
    return plain | changes


def sample(number: int | str, value: Any = "C", **changes: Any) -> dict[str, Any]:
    """Return one sample of a log."""
    plain = {
        "id": number,
        "epoch": 1,
        "input": "?",
        "target": "!",
        "scores": {"match": {"value": value, "history": []}},
    }
    return plain | changes


def log(samples: Iterable[dict[str, Any]], head: Mapping[str, Any] | None = None, method: int = zlib.DEFLATED) -> bytes:
    """Return an archive as Inspect lays it out."""
    samples = list(samples)
    members = {f"samples/{each['id']}_epoch_{each['epoch']}.json": json.dumps(each).encode() for each in samples}
    members["header.json"] = json.dumps(head if head is not None else header(len(samples))).encode()
    return archive(members, method)


def archive(members: Mapping[str, bytes], method: int = zlib.DEFLATED, **lies: int) -> bytes:
    """Return a ZIP archive; ``lies`` replace what its directory says (``size``, ``crc``, ``flags``, ``at``, ``count``)."""
    body, directory = io.BytesIO(), io.BytesIO()
    for name, data in members.items():
        packed, at, raw = pack(data, method), body.tell(), name.encode()
        crc, size = lies.get("crc", zlib.crc32(data)), lies.get("size", len(data))
        flags = lies.get("flags", 0)
        body.write(struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 0, crc, len(packed), size, len(raw), 0))
        body.write(raw + packed)
        directory.write(
            struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, method, 0, 0, crc, len(packed), size, len(raw), 0, 0, 0, 0, 0, lies.get("at", at))
        )  # fmt: skip
        directory.write(raw)
    begin, count = body.tell(), lies.get("count", len(members))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, directory.tell(), begin, 0)
    return body.getvalue() + directory.getvalue() + end


def pack(data: bytes, method: int) -> bytes:
    """Return ``data`` packed: 0 as it is, 8 deflated, 93 by Zstandard."""
    if method == zlib.DEFLATED:
        made = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return made.compress(data) + made.flush()
    if method:
        import zstandard

        return zstandard.ZstdCompressor().compress(data)
    return data


# --- garak -----------------------------------------------------------------------------------------------------------


def garak(attempts: int = 6, *, done: bool = True, silent: bool = False, text: str = "hello") -> list[dict[str, Any]]:
    """Return the rows of a report of one probe and two detectors; with ``silent`` the second never spoke."""
    probe = "test.Test"
    told = DETECTORS[:1] if silent else DETECTORS
    plugins = {"probes": {"probes.test.Test": {"primary_detector": DETECTORS[0], "extended_detectors": [DETECTORS[1]]}}}
    found: list[dict[str, Any]] = [
        {
            "entry_type": "start_run setup",
            "_config.version": "0.16.0",
            "run.seed": 3,
            "run.generations": 2,
            "run.eval_threshold": 0.5,
            "plugins.target_type": "test.Blank",
            "plugins.target_name": text,
            "plugins.probe_spec": probe,
            "plugins.extended_detectors": True,
        },
        {"entry_type": "init", "garak_version": "0.16.0", "start_time": "2026-11-23T08:00:00", "run": "r"},
        {"entry_type": "plugin_cache", "run": "r", "plugin_cache": plugins},
    ]
    for status in (1, 2):
        found += [
            {
                "entry_type": "attempt",
                "uuid": f"a-{at}",
                "seq": at,
                "status": status,
                "probe_classname": probe,
                "prompt": {"turns": [{"role": "user", "content": {"text": text}}]},
                "outputs": [{"text": text}, {"text": text}],
                "detector_results": {each: [float(each == DETECTORS[1])] * 2 for each in told} if status > 1 else {},
            }
            for at in range(attempts)
        ]
    n = 2 * attempts
    for each in told:
        passed = 0 if each == DETECTORS[1] else n
        counts = {"passed": passed, "fails": n - passed, "nones": 0, "total_evaluated": n, "total_processed": n}
        found.append({"entry_type": "eval", "probe": probe, "detector": each, **counts})
    if done:
        found.append({"entry_type": "completion", "end_time": "2026-11-23T08:05:00", "run": "r"})
        found.append({"entry_type": "digest", "meta": {}, "eval": {}})
    return found


# --- PyRIT -----------------------------------------------------------------------------------------------------------

_TABLES = """
CREATE TABLE "PromptMemoryEntries" (id CHAR(32) PRIMARY KEY, role TEXT, conversation_id TEXT, original_value TEXT);
CREATE TABLE "Conversations" (conversation_id TEXT PRIMARY KEY, target_identifier JSON, pyrit_version TEXT);
CREATE TABLE "ScoreEntries" (id CHAR(32) PRIMARY KEY, score_value TEXT, status VARCHAR(16), score_type TEXT,
  score_rationale TEXT, scorer_class_identifier JSON, prompt_request_response_id CHAR(32), timestamp DATETIME,
  pyrit_version TEXT);
CREATE TABLE "AttackResultEntries" (id CHAR(32) PRIMARY KEY, conversation_id TEXT, objective TEXT, outcome TEXT,
  timestamp DATETIME);
"""


def pyrit(path: Path, talks: int = 5, text: str = "SelfAskRefusalScorer") -> None:
    """Write the memory of ``talks`` conversations: a refusal scored in each, one undetermined, every second attack won."""
    base = sqlite3.connect(path)
    base.executescript(_TABLES)
    for at in range(talks):
        talk, answer = f"talk-{at}", f"piece-{at}"
        when = f"2026-11-23 08:0{at % 10}:00.000000+00:00"
        target = json.dumps(
            {"class_name": "OpenAIChatTarget", "model_name": "assistant-2", "endpoint": "https://x.example"}
        )
        base.execute('INSERT INTO "PromptMemoryEntries" VALUES (?, ?, ?, ?)', (answer, "assistant", talk, "words"))
        base.execute('INSERT INTO "Conversations" VALUES (?, ?, ?)', (talk, target, "1.1.0"))
        value, status = (None, "undetermined") if at == 1 else (("true", "false")[at % 2], "complete")
        scorer = json.dumps({"class_name": text, "class_module": "pyrit.score"})
        base.execute(
            'INSERT INTO "ScoreEntries" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
            (f"score-{at}", value, status, "true_false", "why", scorer, answer, when, "1.1.0"),
        )
        base.execute(
            'INSERT INTO "AttackResultEntries" VALUES (?, ?, ?, ?, ?)',
            (f"attack-{at}", talk, "goal", ("success", "failure")[at % 2], when),
        )
    base.commit()
    base.close()


def scores(count: int = 4) -> list[dict[str, Any]]:
    """Return scores as PyRIT writes them as JSON."""
    return [
        {
            "id": f"s-{at}",
            "score_value": str(at / 10),
            "status": "complete",
            "score_type": "float_scale",
            "scorer_class_identifier": {"class_name": "SelfAskScaleScorer"},
            "message_piece_id": f"p-{at}",
            "timestamp": "2026-11-23T08:00:00Z",
        }
        for at in range(count)
    ]


# --- lm-eval ---------------------------------------------------------------------------------------------------------


def lm_eval(docs: int = 8, task: str = "arc_easy") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return results and samples of a task in which every second answer is right, under two filters."""
    lines: list[dict[str, Any]] = [
        {
            "doc_id": at,
            "doc": {"question": "?"},
            "target": "A",
            "arguments": {"gen_args_0": {"arg_0": "?"}},
            "resps": [["A"]],
            "filtered_resps": ["A"],
            "filter": way,
            "metrics": ["acc"],
            "doc_hash": f"{at:064x}",
            "prompt_hash": "b" * 64,
            "target_hash": "c" * 64,
            "acc": float(at % 2),
        }
        for way in ("none", "strict-match")
        for at in range(docs)
    ]
    total = hashlib.sha256("".join(one["doc_hash"] + one["prompt_hash"] + one["target_hash"] for one in lines).encode())
    results = {
        "results": {
            task: {"alias": task, "acc,none": 0.5, "acc_stderr,none": 0.19, "acc,strict-match": 0.5, "acc_stderr,strict-match": "N/A"}
        },
        "group_subtasks": {task: []},
        "configs": {task: {"task": task}},
        "versions": {task: 1.0},
        "n-shot": {task: 5},
        "higher_is_better": {task: {"acc": True}},
        "n-samples": {task: {"original": docs, "effective": docs}},
        "config": {"model": "hf", "model_args": "pretrained=a/b,token=hf_secret", "model_sha": "ab" * 20, "random_seed": 0},
        "date": 1795420800.5,
        "lm_eval_version": "0.4.12",
        "transformers_version": "4.57.6",
        "task_hashes": {task: total.hexdigest()},
        "model_name": "a/b",
        "total_evaluation_time_seconds": "61.5",
    }  # fmt: skip
    return results, lines


# --- HELM ------------------------------------------------------------------------------------------------------------


def helm(instances: int = 6) -> dict[str, Any]:
    """Return the files of a run: a measure of correctness and one of cost, and a perturbed twin of each instance."""
    name = {"name": "exact_match", "split": "test"}
    each = [
        {
            "instance_id": f"id{at}",
            "train_trial_index": 0,
            **({"perturbation": {"name": "typos"}} if worn else {}),
            "stats": [
                {"name": name, "count": 1, "mean": float(at % 2)},
                {"name": {"name": "num_prompt_tokens", "split": "test"}, "count": 1, "mean": 333.0},
            ],
        }
        for worn in (False, True)
        for at in range(instances)
    ]
    adapter = {
        "model": "openai/gpt2",
        "model_deployment": "huggingface/gpt2",
        "max_eval_instances": instances,
        "temperature": 0.0,
    }
    return {
        "run_spec.json": {
            "name": "mmlu:subject=philosophy,model=openai_gpt2",
            "adapter_spec": adapter,
            "metric_specs": [],
        },
        "per_instance_stats.json": each,
        "stats.json": [{"name": name, "count": 1, "mean": 0.5}],
        "scenario_state.json": {"adapter_spec": adapter, "request_states": [{"instance": {}}] * (2 * instances)},
    }


# --- Every Eval Ever -------------------------------------------------------------------------------------------------


def every_eval_ever(**details: Any) -> dict[str, Any]:
    """Return a document with one result on a scale from 0 to 100."""
    metric = {
        "metric_id": "accuracy",
        "lower_is_better": False,
        "score_type": "continuous",
        "min_score": 0,
        "max_score": 100,
    }
    interval = {"lower": 70.0, "upper": 80.0, "confidence_level": 0.95}
    uncertainty = {"standard_error": {"value": 2.5}, "confidence_interval": interval, "num_samples": 300}
    return {
        "schema_version": "0.3.0",
        "evaluation_id": "demo/a_b/1750000000",
        "evaluation_timestamp": "1750000000",
        "retrieved_timestamp": "1750000001",
        "source_metadata": {
            "source_type": "evaluation_run",
            "source_organization_name": "A laboratory",
            "evaluator_relationship": "third_party",
        },
        "eval_library": {"name": "lm-eval", "version": "0.4.12"},
        "model_info": {
            "name": "b",
            "id": "a/b",
            "developer": "a",
            "additional_details": {"deployment_type": "unknown", "model_availability": "open_weights"},
        },
        "evaluation_results": [
            {
                "evaluation_result_id": "demo.one",
                "evaluation_name": "Demo bench",
                "source_data": {"dataset_name": "demo", "source_type": "other"},
                "metric_config": metric,
                "score_details": {"score": 75.0, "uncertainty": uncertainty} | details,
            }
        ],
    }


def answers(count: int = 4) -> list[dict[str, Any]]:
    """Return single answers that belong to that result."""
    return [
        {
            "schema_version": "0.3.0",
            "evaluation_id": "demo/a_b/1750000000",
            "model_id": "a/b",
            "evaluation_name": "Demo bench",
            "evaluation_result_id": "demo.one",
            "sample_id": f"q{at}",
            "interaction_type": "single_turn",
            "input": {"raw": "?", "reference": ["!"]},
            "answer_attribution": [],
            "evaluation": {"score": float(at > 0), "is_correct": at > 0},
        }
        for at in range(count)
    ]
