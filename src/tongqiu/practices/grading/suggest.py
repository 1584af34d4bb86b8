"""Suggesting risks of a system: from rows of taxonomies whose condition may hold, and from findings that went badly.

An unknown fact is never taken for a no: while facts that decide a row are open, the risk is *possible*. Nothing here opens a
risk; a person does that, or sets the suggestion aside.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tongqiu.norms.library import Norms
from tongqiu.norms.rules import tabulate
from tongqiu.practices.grading.kinds import FACTS, Clause
from tongqiu.practices.grading.risks import RISK
from tongqiu.practices.grading.suggestions import DISMISSAL, SUGGESTION, Suggested, Suggestions, Trace
from tongqiu.record import core
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tongqiu.norms.grading import Book
    from tongqiu.norms.pack import Pack, Risk
    from tongqiu.norms.rules import Table
    from tongqiu.practice import Ask
    from tongqiu.record.kind import Kind
    from tongqiu.record.subject import Subject

OWN = "own"
"""The taxonomy of risks in our own words."""

MOST = 120
"""Suggestions in one record; sure ones first."""

_NUMBER = re.compile(r"\d+")


class Pointer(NamedTuple):
    """Unmet findings, by prefix of their requirement, that point at a risk; ``mit`` is the subdomain it falls in."""

    prefixes: tuple[str, ...]
    row: str
    mit: str
    title: Text
    text: Text
    measures: tuple[Text, ...]


POINTERS: tuple[Pointer, ...] = (
    Pointer(
        ("evaluation.fairness", "dataset.gaps-by-group"),
        "unequal-treatment",
        "1.1",
        Text(en="Some groups are treated worse", zh="部分群体受到不利对待"),
        Text(
            en="Decisions fall out worse for some groups of people, without a reason that would stand.",
            zh="对部分群体的决定更为不利，且无正当理由。",
        ),
        (Text(en="Mitigate and measure again, by group", zh="采取缓解措施并按群体重新测量"),),
    ),
    Pointer(
        ("dataset.groups-seen", "evaluation.incomplete-rows"),
        "unequal-performance",
        "1.3",
        Text(en="It works less well for some groups", zh="对部分群体效果较差"),
        Text(
            en="Groups that the data hardly show are served worse, and nobody notices.",
            zh="数据中鲜有体现的群体得到较差的服务，且无人察觉。",
        ),
        (Text(en="Gather data on the groups that are missing", zh="补充缺失群体的数据"),),
    ),
    Pointer(
        ("dataset.no-identifiers", "dataset.no-secrets", "dataset.identifiers-declared"),
        "privacy-leak",
        "2.1",
        Text(en="Personal data or secrets get out", zh="个人信息或秘密泄露"),
        Text(
            en="What identifies people, or opens doors, is in the data and may be learned or passed on.",
            zh="数据中含有可识别个人的信息或密钥，可能被学习或传出。",
        ),
        (Text(en="Remove or mask it, and look again", zh="删除或脱敏后重新检测"),),
    ),
    Pointer(
        ("supply.weights-safe", "supply.bom-pinned", "supply.bom-complete"),
        "supply-attack",
        "2.2",
        Text(en="Somebody tampers with parts of the system", zh="系统部件被篡改"),
        Text(
            en="Weights or packages can run code, or can be exchanged without anybody noticing.",
            zh="权重或软件包可执行代码，或可能在无人察觉时被替换。",
        ),
        (Text(en="Use a format without code; pin every version", zh="使用不含代码的格式，并固定各版本"),),
    ),
    Pointer(
        ("evaluation.performance", "evaluation.complete"),
        "weak-performance",
        "7.3",
        Text(en="It is not good enough for its task", zh="能力不足以胜任任务"),
        Text(
            en="It errs more often than its use allows, or nobody knows how often.",
            zh="其错误率超出用途所允许的范围，或无人知晓错误率。",
        ),
        (Text(en="Narrow the use, or improve it and measure again", zh="限制用途，或改进后重新测量"),),
    ),
    Pointer(
        ("grading.control",),
        "no-control",
        "5.2",
        Text(en="People cannot step in in time", zh="人员无法及时介入"),
        Text(
            en="Nobody could oversee, stop or roll it back in the drill as fast as harm would come.",
            zh="演练表明，无法在损害发生前监督、停止或回退系统。",
        ),
        (Text(en="Mend the control and hold the drill again", zh="改进控制手段并重新演练"),),
    ),
    Pointer(
        ("supply.licence",),
        "licence-breach",
        "",
        Text(en="It is used against a licence", zh="违反许可使用"),
        Text(
            en="A licence is missing, unclear or in conflict, so use may have to stop.",
            zh="许可缺失、不明或相互冲突，可能须停止使用。",
        ),
        (Text(en="Clear the licence or replace the part", zh="厘清许可或更换部件"),),
    ),
)
"""Which findings point at which risk. Subdomains are those of the MIT AI Risk Repository's domain taxonomy."""


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Yield the suggested risks of the system ``subject`` that are neither in the register nor set aside."""
    norms = _norms(ask)
    facts, declared = _facts(subject, ask)
    found, composed = _findings(subject, ask)
    books = [norms.book(each) for each in norms.ids]
    day = (norms.as_of, norms.known_at)
    rows: dict[tuple[str, str], Suggested] = {}
    for book in books:
        for each in _from_facts(book, facts, day):
            rows[each.taxonomy, each.row] = each
    for each in _from_findings([book.pack for book in books], found):
        key = (each.taxonomy, each.row)
        before = rows.get(key, each)
        rows[key] = msgspec.structs.replace(before, state="sure", found=each.found)
    done, people = _decided(subject, ask)
    left = sorted(
        (each for key, each in rows.items() if key not in done),
        key=lambda each: (each.state != "sure", not each.found, each.taxonomy, each.row),
    )
    if left:
        body = Suggestions(ask.as_of[:10], tuple(left[:MOST]), max(0, len(left) - MOST))
        packs = {
            entry for name in {each.taxonomy for each in body.rows} & set(norms.ids) for entry in norms.entries(name)
        }
        rests = {*declared, *composed, *people, *(each.entry for each in found), *packs}
        yield Said(SUGGESTION.name, subject, body, tuple(sorted(rests)))


def _norms(ask: Ask) -> Norms:
    """Return the packs that the node lends; the shipped ones where it lends the shelf itself."""
    if isinstance(ask.norms, Norms):
        return ask.norms
    return Norms(datetime.date.fromisoformat(ask.as_of[:10]), datetime.date.fromisoformat(ask.known_at[:10]))


def _facts(subject: Subject, ask: Ask) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return what was declared last about the use of the system, and the record that says so."""
    said = max(ask.said(FACTS.name, subject=subject), key=lambda each: (each.at, each.entry), default=None)
    if said is None:
        return {}, ()
    return {each.key: each.value for each in FACTS.read(said.body, where=said.entry).facts}, (said.entry,)


def _findings(subject: Subject, ask: Ask) -> tuple[tuple[Trace, ...], tuple[str, ...]]:
    """Return the unmet findings on the system and its parts that some pointer looks for, sorted, and the record of parts."""
    said = max(ask.said(core.COMPOSITION.name, subject=subject), key=lambda each: (each.at, each.entry), default=None)
    parts = () if said is None else tuple(each.subject for each in core.COMPOSITION.read(said.body).parts)
    prefixes = sorted({prefix for each in POINTERS for prefix in each.prefixes})
    found = {
        Trace(each.finding.requirement[:200], each.statement.entry, each.finding.reason)
        for about in (subject, *parts)
        for prefix in prefixes
        for each in ask.findings(subject=about, requirement=prefix)
        if each.finding.verdict == "unmet"
    }
    traces = tuple(sorted(found, key=lambda each: (each.requirement, each.entry, each.reason.en)))
    return traces, () if said is None else (said.entry,)


def _from_facts(
    book: Book, facts: Mapping[str, object], day: tuple[datetime.date, datetime.date]
) -> Iterator[Suggested]:
    """Yield the rows of a pack whose condition holds, or may hold, under the facts that its questions know."""
    known = book.settle({key: value for key, value in facts.items() if key in book.facts})
    for row in book.pack.risks:
        if row.suggested_when is None or not _counts(row, day):
            continue
        table = tabulate(book.pack, row.id, row.suggested_when)
        read = {key: known[key] for key in table.facts if key in known}
        table = _answered(book, table, known)
        if table.settled is False:
            continue
        yield _suggested(book.pack, row, read={key: _plain(each) for key, each in read.items()}, open_=_deciding(table))


def _answered(book: Book, table: Table, known: Mapping[str, object]) -> Table:
    """Return what is left of a condition once the known answers are filled in."""
    for key in table.facts:
        values = book.facts[key].values
        if key in known and known[key] in values:
            table = table.given(key, values.index(known[key]))
    return table


def _deciding(table: Table) -> tuple[str, ...]:
    """Return the open facts on which it depends whether a condition holds; none where it does."""
    if table.settled:
        return ()
    return tuple(
        fact
        for fact, size in zip(table.facts, table.sizes, strict=True)
        if len({table.given(fact, value).cells for value in range(size)}) > 1
    )


def _counts(row: Risk, day: tuple[datetime.date, datetime.date]) -> bool:
    as_of, known_at = day
    return (row.applies_until is None or as_of < row.applies_until) and (
        row.known_from is None or row.known_from <= known_at
    )


def _from_findings(packs: Iterable[Pack], found: tuple[Trace, ...]) -> Iterator[Suggested]:
    """Yield the risks at which unmet findings point: the row of the MIT taxonomy where a pack has it, else in own words."""
    mit = {
        ".".join(_NUMBER.findall(row.id)): (pack, row)
        for pack in packs
        if pack.id.startswith("mit")
        for row in pack.risks
    }
    for each in POINTERS:
        traces = tuple(one for one in found if one.requirement.startswith(each.prefixes))
        if not traces:
            continue
        if each.mit in mit:
            pack, row = mit[each.mit]
            yield msgspec.structs.replace(_suggested(pack, row, read={}, open_=()), found=traces)
            continue
        yield Suggested(
            taxonomy=OWN,
            row=each.row,
            state="sure",
            title=each.title,
            text=each.text,
            clauses=(Clause("MIT AI Risk Repository", each.mit),) if each.mit else (),
            checked=False,
            found=traces,
            measures=each.measures,
        )


def _suggested(pack: Pack, row: Risk, *, read: dict[str, bool | str | float], open_: tuple[str, ...]) -> Suggested:
    return Suggested(
        taxonomy=pack.id,
        row=row.id,
        state="possible" if open_ else "sure",
        title=Text(en=row.title.en, zh=row.title.zh),
        text=Text(en=row.text.en, zh=row.text.zh),
        clauses=tuple(Clause(pack.source(each.source).document, each.article, each.clause) for each in row.cite),
        checked=row.checked,
        read=read,
        open=open_,
        measures=tuple(Text(en=each.en, zh=each.zh) for each in row.measures),
    )


def _decided(subject: Subject, ask: Ask) -> tuple[set[tuple[str, str]], tuple[str, ...]]:
    """Return the rows that a person of ours took up, whatever came of it, or set aside, and the records that say so."""
    kinds: dict[str, Kind[Any]] = {each.name: each for each in (RISK, DISMISSAL)}
    said = [each for name in kinds for each in ask.said(name, subject=subject) if each.issuer == ask.receiver]
    bodies = [kinds[each.kind].read(each.body) for each in said]
    return {(each.taxonomy, each.row) for each in bodies}, tuple(each.entry for each in said)


def _plain(value: object) -> bool | str | float:
    return value if isinstance(value, bool | int | float) else str(value)
