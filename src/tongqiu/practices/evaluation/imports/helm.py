"""Reading the folder of a HELM run: what was asked of which model, and each measure of each instance.

Files are those of HELM 0.5 (``benchmark/runner.py``): ``run_spec.json``, ``per_instance_stats.json``, ``stats.json`` and
``scenario_state.json``, of which only the number of requests is read. Measures of cost, length and time are left out. HELM
writes neither its version nor the time of a run into the folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from tongqiu.practices.evaluation.imports.reading import (
    MAX_METHODS,
    count,
    decode,
    line,
    many,
    number,
    share,
    table,
    whole,
)
from tongqiu.practices.evaluation.imports.told import Gathered, Told
from tongqiu.practices.evaluation.objects import Reported, Use

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.record.shapes import Scalar

TOOL: Final = "helm"
SPEC, EACH, ALL, STATE = "run_spec.json", "per_instance_stats.json", "stats.json", "scenario_state.json"
_COSTS = re.compile(
    r"(num_|batch_size|finish_reason_|inference_|training_|max_prob|logprob|perplexity|bits_per_byte|prompt_truncated"
    r"|(estimated_)?(total|runtime|denoised)|ece_|selective_|platt_)"
)
_PINS: Final = (
    "max_eval_instances",
    "max_train_instances",
    "num_outputs",
    "num_trials",
    "num_train_trials",
    "temperature",
    "max_tokens",
)


class _Spec(msgspec.Struct, frozen=True):
    name: str
    adapter_spec: dict[str, Any]
    metric_specs: list[dict[str, Any]] = []
    annotators: list[Any] | None = None


class _Name(msgspec.Struct, frozen=True):
    name: str
    split: str | None = None
    sub_split: str | None = None
    perturbation: dict[str, Any] | None = None


class _Stat(msgspec.Struct, frozen=True):
    name: _Name
    count: int = 0
    mean: float | None = None


class _Each(msgspec.Struct, frozen=True):
    instance_id: str | None
    stats: list[_Stat]
    train_trial_index: int = 0
    perturbation: dict[str, Any] | None = None


class _State(msgspec.Struct, frozen=True):
    request_states: list[msgspec.Raw] = []


def from_folder(open_: Callable[[str], BinaryIO], names: frozenset[str], where: str) -> tuple[Told, ...]:
    """Return what a run's folder tells, by measure; ``open_`` opens one of ``names``. Raises Malformed (``imports.*``)."""
    spec = _read(open_, SPEC, _Spec, where)
    stats = _read(open_, ALL, list[_Stat], where) if ALL in names else []
    each = _read(open_, EACH, list[_Each], where) if EACH in names else []
    asked = len(_read(open_, STATE, _State, where).request_states) if STATE in names else 0
    gathered: dict[str, Gathered] = {}
    for one in each:
        part = line(table(one.perturbation).get("name") or "", 40)
        for stat in one.stats:
            if _COSTS.match(stat.name.name) or stat.count < 1:
                continue
            if stat.name.name not in gathered and len(gathered) >= MAX_METHODS:
                raise many(where, MAX_METHODS)
            split = stat.name.split if stat.name.split not in {None, "test"} else ""
            key = ":".join(filter(None, (one.instance_id or "?", str(one.train_trial_index), part, split)))
            value = number(stat.mean)
            gathered.setdefault(stat.name.name, Gathered(where)).add(
                key,
                value,
                one.instance_id or "",
                part=part or split or "",
                error="" if value is not None else "unscored",
            )
    told = {stat.name.name for stat in stats if not _COSTS.match(stat.name.name)}
    plain = _plain(spec, asked, len({(one.instance_id, str(one.perturbation), one.train_trial_index) for one in each}))
    found = sorted(told | set(gathered))
    if len(found) > MAX_METHODS:
        raise many(where, MAX_METHODS)
    return tuple(_of(plain, name, gathered.get(name), stats) for name in found) or (plain,)


def _read(open_: Callable[[str], BinaryIO], name: str, form: Any, where: str) -> Any:  # noqa: ANN401 - the form asked for
    with open_(name) as stream:
        return decode(whole(stream, f"{where}/{name}"), form, f"{where}/{name}")


def _plain(spec: _Spec, asked: int, done: int) -> Told:
    adapter = spec.adapter_spec
    pins: dict[str, Scalar] = {key: value for key in _PINS if (value := number(adapter.get(key))) is not None}
    lacks = {
        "completion": asked == 0 or done == 0,
        "judge-calibration": bool(spec.annotators),
        "dataset-digest": True,
        "task-version": True,
    }
    return Told(
        tool=TOOL,
        release="",
        task=re.split(r"[,:]model=", spec.name)[0],
        scorer="",
        model=line(adapter.get("model") or adapter.get("model_deployment") or ""),
        planned=max(asked, done),
        missing=tuple(key for key, lack in lacks.items() if lack),
        pins=pins,
        use=Use(asked=asked),
    )


def _of(plain: Told, name: str, gathered: Gathered | None, stats: list[_Stat]) -> Told:
    """Return one measure's part of a run."""
    items = gathered.items() if gathered is not None else ()
    outside = gathered is not None and gathered.outside
    bare = [
        each
        for each in stats
        if each.name.name == name and each.name.perturbation is None and each.name.split == "test"
    ]
    bare = [each for each in bare if each.name.sub_split is None]
    mean = share(bare[0].mean) if len(bare) == 1 else None
    lacks = (*plain.missing, *(("score-scale",) if outside or (not items and mean is None) else ()))
    alone = not any(each.slice for each in items)
    return plain._replace(
        scorer=name,
        items=items,
        skipped=max(0, plain.planned - len(items)) if items else 0,
        clustered=len({each.cluster for each in items}) < len(items),
        reported=Reported(mean, n=count(bare[0].count)) if mean is not None and alone and not outside else None,
        missing=lacks,
    )


__all__ = ["ALL", "EACH", "SPEC", "STATE", "from_folder"]
