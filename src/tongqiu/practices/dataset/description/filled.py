"""What is known of a data set, field by field: what is claimed and where, what was measured and how, and what nobody assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from tongqiu.practices.dataset.description.claims import clean
from tongqiu.practices.dataset.description.kinds import Claim, Topic
from tongqiu.practices.dataset.words import sort_name
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tongqiu.practices.dataset.description.declared import CardParams
    from tongqiu.practices.dataset.description.kinds import Conflicts, Description
    from tongqiu.practices.dataset.description.measuring import Facts
    from tongqiu.record.subject import Subject

FIELDS: Final[tuple[Topic, ...]] = tuple(topic for topic in get_args(Topic) if not topic.startswith("file-"))
"""The fields of a description, in the order in which people read them."""

OPTION: Final = "(option)"
_SHOWN: Final = 12


class Origin(NamedTuple):
    """Of what this was made, and by what, as records of the node say (``core.derivation/1``)."""

    activity: str
    source: str


class Sheet(NamedTuple):
    """Everything a description can be filled from. ``records`` are the entries used, ``at`` the latest moment among them."""

    subject: Subject
    claims: Mapping[Topic, tuple[Claim, ...]]
    measured: Mapping[Topic, Text]
    facts: Facts | None
    description: Description | None
    conflicts: Conflicts | None
    origins: tuple[Origin, ...]
    records: tuple[str, ...]
    at: str

    def first(self, topic: Topic) -> str:
        """Return the first value that is claimed, or nothing."""
        found = self.claims.get(topic, ())
        return found[0].value if found else ""

    def values(self, topic: Topic) -> tuple[str, ...]:
        """Return what is claimed, each value once."""
        return tuple(dict.fromkeys(claim.value for claim in self.claims.get(topic, ())))

    @property
    def claimed(self) -> tuple[Topic, ...]:
        """Return the fields for which there is a claim."""
        return tuple(topic for topic in FIELDS if self.claims.get(topic))

    @property
    def not_assessed(self) -> tuple[Topic, ...]:
        """Return the fields for which there is neither claim nor measurement."""
        return tuple(topic for topic in FIELDS if not self.claims.get(topic) and topic not in self.measured)


def sheet(  # noqa: PLR0913 - a sheet is made of its parts
    subject: Subject,
    params: CardParams,
    description: Description | None,
    facts: Facts | None,
    conflicts: Conflicts | None,
    *,
    origins: tuple[Origin, ...] = (),
    records: tuple[str, ...] = (),
    at: str,
) -> Sheet:
    """Put together what is known; what the person said at the command comes first, as a claim."""
    claims: dict[Topic, list[Claim]] = {}
    told: tuple[tuple[Topic, str], ...] = (
        ("url", params.url),
        ("creator", params.creator),
        ("created", params.created),
        ("published", params.published),
    )
    for topic, value in told:
        if value:
            claims.setdefault(topic, []).append(Claim(topic, clean(value, 300), OPTION, topic))
    for claim in description.claims if description else ():
        claims.setdefault(claim.topic, []).append(claim)
    if subject.name and "name" not in claims:
        claims["name"] = [Claim("name", clean(subject.name, 300), OPTION, "name")]
    measured = {} if facts is None else dict(_measured(facts))
    return Sheet(
        subject,
        {topic: tuple(found) for topic, found in claims.items()},
        measured,
        facts,
        description,
        conflicts,
        origins,
        records,
        at,
    )


def parts(sheet: Sheet, topic: Topic) -> list[str]:
    """Return what is claimed and what was measured of one field, each marked as such, for documents that have one text a field."""
    found = [f"Claimed ({claim.document}, {claim.place}): {claim.value}" for claim in sheet.claims.get(topic, ())[:20]]
    if topic in sheet.measured and sheet.facts is not None:
        found.append(f"Measured ({sheet.facts.by}): {sheet.measured[topic].en}.")
    return found


# --- measurements in words ------------------------------------------------------------------------------------------------


def _measured(facts: Facts) -> Iterator[tuple[Topic, Text]]:
    """Yield what was measured, in a sentence for each field it speaks to."""
    n = facts.documents
    yield (
        "documents",
        Text(en="{n} were read, {lost} could not be read", zh="读取 {n}，无法读取 {lost}").fill(n=n, lost=facts.lost),
    )
    yield (
        "size",
        Text(en="{n} bytes; files: {files}", zh="{files} 个文件，共 {n} 字节").fill(
            n=facts.size, files=len(facts.files)
        ),
    )
    if facts.heard:
        yield "language", _shares(facts.languages, facts.heard, facts.undetermined)
        yield "bias", _balance(facts)
    elif facts.groups:
        yield "bias", _balance(facts)
    if facts.splits:
        yield "split", _listed(facts.splits)
    if facts.sources:
        yield "source", _listed(facts.sources)
    if facts.licences:
        yield "licence", _listed(facts.licences)
    if facts.years is not None:
        yield (
            "period",
            Text(en="dates from {low} to {high}", zh="日期为 {low} 至 {high} 年").fill(
                low=facts.years[0], high=facts.years[1]
            ),
        )
    yield "personal-data", _people(facts)
    if facts.exact is not None:
        near = Text(en="", zh="")
        if facts.near is not None:
            near = Text(
                en=", {near} nearly (likeness {threshold} or more)", zh="，{near} 篇近似（相似度不低于 {threshold}）"
            ).fill(near=facts.near, threshold=facts.threshold)
        whole = Text(en="{exact} repeat an earlier one exactly{near}", zh="{exact} 篇与前文完全重复{near}")
        yield (
            "duplicates",
            Text(en=whole.en.replace("{near}", near.en), zh=whole.zh.replace("{near}", near.zh)).fill(
                exact=facts.exact
            ),
        )
    yield "noise", _noise(facts)
    if not facts.whole or facts.lost or facts.undetermined:
        yield (
            "limitation",
            Text(
                en="{lost} records could not be read; the language of {und} could not be told; {whole}",
                zh="{lost} 条记录无法读取；{und} 篇语言无法判定；{whole_zh}",
            ).fill(
                lost=facts.lost,
                und=facts.undetermined,
                whole="every file was read to its end" if facts.whole else "not every file was read to its end",
                whole_zh="全部文件读至末尾" if facts.whole else "有文件未读至末尾",
            ),
        )


def _shares(counts: Mapping[str, int], of: int, undetermined: int) -> Text:
    rows = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown = ", ".join(f"{code} {count / of:.1%}" for code, count in rows[:_SHOWN])
    return Text(
        en="{shown}; further languages: {more}; not told: {und}", zh="{shown}；另有 {more} 种语言；无法判定：{und}"
    ).fill(shown=shown or "-", more=max(0, len(rows) - _SHOWN), und=f"{undetermined / of:.1%}")


def _listed(counts: Mapping[str, int]) -> Text:
    rows = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown = ", ".join(f"{name}: {count}" for name, count in rows[:_SHOWN])
    return Text(en="{shown}; more: {more}", zh="{shown}；另有 {more} 项").fill(
        shown=shown, more=max(0, len(rows) - _SHOWN)
    )


def _balance(facts: Facts) -> Text:
    if facts.languages:
        most = min(facts.languages.items(), key=lambda each: (-each[1], each[0]))
        return Text(
            en="the most common language, {code}, is that of {share} of the documents; languages heard: {n}",
            zh="最常见的语言 {code} 占文档的 {share}；共识别 {n} 种语言",
        ).fill(code=most[0], share=f"{most[1] / facts.heard:.1%}", n=len(facts.languages))
    shown = ", ".join(f"{column} = {value}: {rows}" for column, value, rows in facts.groups[:_SHOWN])
    return Text(en="rows of groups: {shown}", zh="群体行数：{shown}").fill(shown=shown or "-")


def _people(facts: Facts) -> Text:
    if not facts.identifiers:
        return Text(
            en="none of {schemes} kinds of identifiers was found; names, faces and what texts tell of people were not looked for",
            zh="未发现 {schemes} 种标识中的任何一种；姓名、面部与文中有关个人的叙述未在查找之列",
        ).fill(schemes=facts.schemes)
    rows = sorted(facts.sorts.items(), key=lambda each: (-each[1], each[0]))[:_SHOWN]
    en = ", ".join(
        f"{sort_name(sort).en}{f' ({country})' if country else ''} {count}" for (sort, country), count in rows
    )
    zh = "、".join(
        f"{sort_name(sort).zh}{f'（{country}）' if country else ''} {count}" for (sort, country), count in rows
    )
    return Text(
        en=f"{facts.identifiers} identifiers of people, {facts.sure} of them certain: {en}",
        zh=f"{facts.identifiers} 个个人标识，其中 {facts.sure} 个确定：{zh}",
    )


def _noise(facts: Facts) -> Text:
    en, zh = [f"{facts.lost} records could not be read"], [f"{facts.lost} 条记录无法读取"]
    if facts.unfit is not None:
        en.append(f"{facts.unfit} documents have a flaw of form")
        zh.append(f"{facts.unfit} 篇文档有形式缺陷")
    if facts.missing is not None and facts.missing[1]:
        share = f"{facts.missing[0] / facts.missing[1]:.1%}"
        en.append(f"{share} of the values are absent")
        zh.append(f"缺失值占 {share}")
    return Text(en="; ".join(en), zh="；".join(zh))
