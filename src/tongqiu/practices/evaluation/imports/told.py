"""What another tool told of one method run on one system, and the record that is made of it, with all that it leaves out.

A record of this sort is kept and shown; no verdict rests on it while anything is named as missing.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from tongqiu.practices.evaluation.bodies import Completeness
from tongqiu.practices.evaluation.imports.reading import MAX_ITEMS, item_id, line, many, name, slug, twice
from tongqiu.practices.evaluation.objects import (
    Environment,
    Estimator,
    Item,
    SystemIdentity,
    TestMethod,
    TestRun,
)
from tongqiu.record.statement import instant
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongqiu.practices.evaluation.objects import Detail, Relationship, Reported, Use
    from tongqiu.record.shapes import Scalar

AGREES: Final = 1e-6
"""How far the other tool's own figure may lie from what its items give."""

MISSING: Final[dict[str, Text]] = {
    "agreement": Text(en="its own figure does not follow from its items", zh="其自报数值与条目得分不符"),
    "completion": Text(en="a sign that the run came to its end", zh="运行已结束的标志"),
    "dataset-digest": Text(en="a digest of the data set", zh="数据集摘要"),
    "detectors": Text(en="results of detectors that were to run", zh="本应运行的检测器的结果"),
    "direction": Text(en="whether higher or lower is better", zh="数值高好还是低好"),
    "engine-version": Text(en="the version of the tool", zh="工具版本"),
    "floors": Text(en="what systems without skill reach", zh="无能力系统的基线"),
    "hardware": Text(en="the machine it ran on", zh="运行所用机器"),
    "item-scores": Text(en="the score of each item", zh="逐条目得分"),
    "judge-calibration": Text(en="how often the judge errs", zh="评判者的出错率"),
    "model-digest": Text(en="a digest of the model", zh="模型摘要"),
    "original-scores": Text(en="scores as they were before somebody edited them", zh="被人修改之前的原始得分"),
    "score-scale": Text(en="scores from 0 to 1", zh="0 到 1 的得分"),
    "task-hash": Text(en="items that match the hash in its results", zh="与结果中哈希相符的条目"),
    "task-version": Text(en="the version of the task", zh="任务版本"),
    "times": Text(en="when it ran, with time zone", zh="运行时间（含时区）"),
    "uncertainty": Text(en="an uncertainty", zh="不确定度"),
    "validity": Text(en="validity: somebody marked it invalid", zh="有效性：已被标为无效"),
}
"""What a record of another tool may lack, by code, in words."""

ALWAYS: Final = ("floors", "model-digest", "hardware")
"""What no tool that is read here tells."""

_DAY_ONE = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


class Told(NamedTuple):
    """One method's results as another tool told them.

    ``tool`` and ``release`` of the engine; ``task``, ``version`` and ``scorer`` name the method; ``planned`` items, of which
    ``skipped`` never came; ``data`` a digest of the items as far as they are told; ``left`` what was silently left out;
    ``clustered`` says that items of one cluster are alike; ``begun`` and ``ended`` as the tool wrote them.
    """

    tool: str
    release: str
    task: str
    scorer: str
    model: str
    items: tuple[Item, ...] = ()
    version: str = ""
    planned: int = 0
    skipped: int = 0
    data: str = ""
    better: Literal["higher", "lower"] | None = None
    reported: Reported | None = None
    missing: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    deviations: tuple[Text, ...] = ()
    clustered: bool = False
    begun: object = None
    ended: object = None
    seed: int | None = None
    pins: Mapping[str, Scalar] = {}
    packages: Mapping[str, str] = {}
    use: Use | None = None
    revision: str = ""
    developer: str = ""
    title: str = ""
    relationship: Relationship = "first_party"


class Gathered:
    """Scores of one method as they are read; no item twice, and no more than a record has room for."""

    def __init__(self, where: str) -> None:
        """Gather from the file ``where``."""
        self._where = where
        self._items: dict[str, Item] = {}
        self.outside = False

    def add(  # noqa: PLR0913 - the fields of an item
        self,
        key: object,
        score: float | None,
        cluster: object = "",
        *,
        part: str = "",
        error: str = "",
        language: str = "und",
    ) -> None:
        """Take one score; one that is not from 0 to 1 makes the whole scale unreadable.

        Raises Malformed (``imports.twice``, ``imports.many``).
        """
        own = item_id(key)
        if own in self._items:
            raise twice(self._where, str(key))
        if len(self._items) >= MAX_ITEMS:
            raise many(self._where, MAX_ITEMS)
        if score is not None and not 0 <= score <= 1:
            self.outside = True
        group = "" if cluster == "" else item_id(cluster)
        self._items[own] = Item(own, score, group, language, line(part, 80), line(error, 80))

    def items(self) -> tuple[Item, ...]:
        """Return the items in the order of their names, without any score where the scale is not ours."""
        found = (self._items[key] for key in sorted(self._items))
        if not self.outside:
            return tuple(found)
        return tuple(msgspec.structs.replace(each, score=None, error=each.error or "outside 0..1") for each in found)


def record(told: Told, evidence: tuple[Detail, ...], now: str) -> TestRun:
    """Return the record of ``told``; ``now`` stands in where the tool did not say when it ran.

    What the record lacks is named: nothing is filled in.
    """
    lacks = dict.fromkeys((*ALWAYS, *told.missing))
    scored = [each for each in told.items if each.score is not None]
    if not told.items:
        lacks["item-scores"] = None
        if told.reported is None or (told.reported.u is None and told.reported.low is None):
            lacks["uncertainty"] = None
    elif not scored and "score-scale" not in lacks and told.reported is None:
        lacks["item-scores"] = None
    if not told.release:
        lacks["engine-version"] = None
    if told.better is None:
        lacks["direction"] = None
    begun, ended = moment(told.begun), moment(told.ended)
    if begun is None or ended is None or ended < begun or not _zoned(told.begun):
        lacks["times"] = None
    begun = begun or now
    planned = max(told.planned, len(told.items) + told.skipped)
    deviations = told.deviations
    off = _disagrees(told)
    if off is not None:
        lacks["agreement"] = None
        deviations = (*deviations, off)
    return TestRun(
        method=_method(told, lacks),
        system=SystemIdentity(
            "name-and-date", name(told.model), begun, developer=line(told.developer), version=line(told.revision)
        ),
        environment=_environment(told),
        started=begun,
        ended=max(begun, ended or begun),
        items=told.items,
        completeness=Completeness(
            planned=planned,
            done=len(scored) if told.items else min(planned, told.reported.n if told.reported else 0),
            errored=len(told.items) - len(scored),
            skipped=planned - len(told.items) if told.items else 0,
        ),
        seed=told.seed,
        deviations=deviations,
        skipped=tuple(name(each, 400) for each in told.left),
        evidence=evidence,
        use=told.use,
        source="imported",
        missing=tuple(sorted(lacks)),
        relationship=told.relationship,
        reported=told.reported,
    )


def moment(value: object) -> str | None:
    """Return an instant from a written time or seconds since 1970, else None; without a zone it is read as UTC."""
    try:
        if isinstance(value, str) and value:
            at = datetime.datetime.fromisoformat(value[:40])
            at = at if at.tzinfo is not None else at.replace(tzinfo=datetime.UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            at = datetime.datetime.fromtimestamp(value, tz=datetime.UTC)
        else:
            return None
        return instant(at) if at >= _DAY_ONE else None
    except (ValueError, OverflowError, OSError):
        return None


def _zoned(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.datetime.fromisoformat(value[:40]).tzinfo is not None
    except ValueError:
        return False


def _disagrees(told: Told) -> Text | None:
    """Return words where the tool's own figure is not what its items give."""
    scores = [each.score for each in told.items if each.score is not None]
    if not scores or told.reported is None:
        return None
    mean = sum(scores) / len(scores)
    if abs(mean - told.reported.value) <= AGREES:
        return None
    return Text(en="The tool says {said}; its items give {found}.", zh="该工具自报 {said}，其条目得出 {found}。").fill(
        said=f"{told.reported.value:.6g}", found=f"{mean:.6g}"
    )


def _method(told: Told, lacks: dict[str, None]) -> TestMethod:
    tool = slug(told.tool)
    known = "-".join(filter(None, (slug(told.task), slug(told.scorer)))) if told.scorer else slug(told.task)
    version = told.version if _dotted(told.version) else "0"
    if version != told.version:
        lacks["task-version"] = None
    data = told.data
    if not data:
        lacks["dataset-digest"] = None
        data = digest([*(each.id for each in told.items), told.task])
    shown = line(told.title or " · ".join(filter(None, (told.task, told.scorer))), 160) or "?"
    title = f"{line(told.tool, 40)}: {shown}"
    clusters = told.clustered and any(each.cluster for each in told.items)
    binary = all(each.score in {None, 0.0, 1.0} for each in told.items)
    pins = {line(key, 60): line(value) if isinstance(value, str) else value for key, value in told.pins.items()}
    return TestMethod(
        method=f"{tool}.{known}@{version}",
        title=Text(en=title, zh=title),
        about=Text(
            en="Run by another tool; taken in as it was told, not run again here.",
            zh="由其他工具运行；按其所述收录，此处未重新运行。",
        ),
        measurand=f"imported.{tool}.{known}",
        better=told.better or "higher",
        classes=("language-model",),
        languages=tuple(sorted({each.language for each in told.items})) or ("und",),
        data=data,
        items=len({each.cluster or each.id for each in told.items}) if clusters else len(told.items),
        pins=pins,
        estimator=Estimator("clustered-mean", cluster_key="sample")
        if clusters
        else Estimator("proportion" if binary else "mean"),
        withheld=True,
    )


def _dotted(text: str) -> bool:
    return bool(text) and len(text) <= 30 and text.isascii() and all(part.isdigit() for part in text.split("."))  # noqa: PLR2004 - no version is longer


def digest(parts: Iterable[str]) -> str:
    """Return one SHA-256 over the SHA-256 of each part, so that no part can be moved into its neighbour."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    return "sha-256:" + total.hexdigest()


def _environment(told: Told) -> Environment | None:
    if not told.release and not told.packages:
        return None
    packages = {line(key, 80): line(value, 80) for key, value in sorted(told.packages.items())[:200]}
    engine = line(f"{told.tool} {told.release}".strip())
    parts = [engine, *(f"{key} {value}" for key, value in sorted(packages.items()))]
    return Environment(digest(parts), engine, python="", platform="", packages=packages)


__all__ = ["AGREES", "ALWAYS", "MISSING", "Gathered", "Told", "digest", "moment", "record"]
