"""Weighing what was found: is the licence known and consistent, may the model files be loaded, is the list complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.practices.supply.kinds import BOM, LICENCES, WEIGHTS, Review
from tongqiu.practices.supply.words import MENDS, REASONS, TITLES
from tongqiu.record.shapes import Finding
from tongqiu.record.statement import Said
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

    from tongqiu.practice import Ask
    from tongqiu.practices.supply.kinds import Bom, Declared, LicenceFile, Licences, Weights
    from tongqiu.record.shapes import Scalar, Verdict
    from tongqiu.record.statement import Statement
    from tongqiu.record.subject import Subject

    Severity = Literal["info", "low", "medium", "high", "critical"]

OPEN = frozenset({"Permissive", "Copyleft", "Copyleft Limited", "Public Domain"})
"""Categories of the licence data that put no condition on who may use a work and for what."""

MUCH_FOREIGN, MANY_RUNS = 0.25, 60
"""From this share and this many runs of five words on, text beside a licence is called an addition to it."""

MOST = 50
"""Files named one by one in findings."""

_SHOWN = 6


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Yield one review of what the latest records say about ``subject``; nothing where there are none."""
    findings: list[Finding] = []
    if last := _last(ask.said(LICENCES.name, subject=subject), subject):
        findings += licences(LICENCES.read(last.body, where=last.entry))
    if last := _last(ask.said(WEIGHTS.name, subject=subject), subject):
        findings += weights(WEIGHTS.read(last.body, where=last.entry))
    if last := _last(ask.said(BOM.name, subject=subject), subject):
        findings += bom(BOM.read(last.body, where=last.entry))
    if findings:
        yield Said("supply.review/1", subject, Review(tuple(findings)))


def licences(body: Licences) -> Iterator[Finding]:
    """Yield what the licences of one part come to."""
    own = [text for text in body.texts if not text.third_party]
    known = [text for text in own if text.state == "recognised"]
    said = [each for each in body.declared if each.ids]
    yield _known(body, known, said)
    yield from _agreement(known, said)
    if said and body.files > 1:
        yield _texts_present(known, said)
    yield from _odd_texts(own)
    yield from _terms(known)
    if body.bad_headers:
        places = [each.where for each in body.bad_headers]
        yield _finding("licence-headers", "unmet", "bad-headers", "low", count=len(places), places=_some(places))
    elif body.headed:
        yield _finding("licence-headers", "met", "headers", headed=body.headed, sources=body.sources)


def weights(body: Weights) -> Iterator[Finding]:
    """Yield whether the model files may be loaded: one finding for each that may not, one for all where all may."""
    if not body.files:
        yield _finding("weights-safe", "not-assessed", "no-weights")
        return
    shown = [each for each in body.files if each.state in {"refused", "malformed"}]
    for each in shown[:MOST]:
        severity: Severity = "critical" if each.code == "weights.executes" else "high"
        code = "weights-refused" if each.state == "refused" else "weights-malformed"
        words = REASONS[code]
        reason = Text(
            en=words.fill(path=each.path, why=each.reason.en).en, zh=words.fill(path=each.path, why=each.reason.zh).zh
        )
        params: dict[str, Scalar] = {"path": each.path, "rule": each.code, "format": each.format}
        yield _made("weights-safe", "unmet", code, reason=reason, params=params, severity=severity)
    if len(shown) > MOST:
        yield _finding("weights-safe", "unmet", "weights-more", "high", count=len(shown) - MOST)
    unknown = [each.path for each in body.files if each.state == "not-assessed"]
    if unknown:
        yield _finding("weights-safe", "not-assessed", "weights-unknown", count=len(unknown), places=_some(unknown))
    if len(shown) + len(unknown) == 0:
        yield _finding("weights-safe", "met", "weights-allowed", count=len(body.files))
    programs = [each.path for each in body.files if each.facts.get("chat_template") is True]
    if programs:
        yield _finding("weights-template", "undecided", "chat-template", "low", places=_some(programs))


def bom(body: Bom) -> Iterator[Finding]:
    """Yield whether the bill of materials could name everything exactly."""
    if body.unread:
        yield _finding("bom-complete", "unmet", "unread", "medium", count=len(body.unread), places=_some(body.unread))
    if body.unpinned:
        yield _finding("bom-pinned", "unmet", "unpinned", "low", count=body.unpinned, total=body.dependencies)
    elif body.dependencies:
        yield _finding("bom-pinned", "met", "pinned", total=body.dependencies)
    else:
        yield _finding("bom-pinned", "not-applicable", "no-dependencies")


# --- licences ---------------------------------------------------------------------------------------------------------


def _known(body: Licences, known: Sequence[LicenceFile], said: Sequence[Declared]) -> Finding:
    ids = sorted({match.id for text in known for match in text.matches} | {one for each in said for one in each.ids})
    ids = ids or sorted(each.expression for each in body.headers)
    if ids:
        return _finding("licence-known", "met", "licence-known", ids=_some(ids))
    if body.declared:
        return _finding("licence-known", "unmet", "licence-unclear", "medium", says=body.declared[0].says)
    return _finding("licence-known", "unmet", "licence-none", "medium", files=body.files)


def _agreement(known: Sequence[LicenceFile], said: Sequence[Declared]) -> Iterator[Finding]:
    """Compare what is declared in several places, and what is declared with the texts that are there."""
    if not said:
        return
    agreed = True
    for other in said[1:]:
        if set(other.ids) != set(said[0].ids):
            agreed = False
            yield _finding(
                "licence-agreement",
                "unmet",
                "declared-twice",
                "medium",
                first=said[0].expression,
                first_path=said[0].path,
                second=other.expression,
                second_path=other.path,
            )
    ids = {one for each in said for one in each.ids}
    found = [(text, match) for text in known for match in text.matches if not match.exception]
    strange = [(text, match) for text, match in found if ids.isdisjoint({match.id, *match.alternatives})]
    if strange:
        agreed = False
        names = sorted({match.id for _, match in strange})
        whole = len(strange) == len(found)
        yield _finding(
            "licence-agreement",
            "unmet" if whole else "undecided",
            "text-differs" if whole else "text-besides",
            "high" if whole else "low",
            declared=_some(sorted(ids)),
            found=_some(names),
            places=_some(sorted({text.path for text, _ in strange})),
        )
    if agreed and found:
        yield _finding("licence-agreement", "met", "agreed", declared=_some(sorted(ids)))


def _texts_present(known: Sequence[LicenceFile], said: Sequence[Declared]) -> Finding:
    have = {one for text in known for match in text.matches for one in (match.id, *match.alternatives)}
    missing = sorted({one for each in said for one in each.ids} - have)
    if missing:
        return _finding("licence-text", "unmet", "text-missing", "low", ids=_some(missing))
    return _finding("licence-text", "met", "text-present")


def _odd_texts(own: Sequence[LicenceFile]) -> Iterator[Finding]:
    for text in [each for each in own if each.state == "altered"][:MOST]:
        best = max(text.matches, key=lambda match: match.score)
        share = round(100 * best.score)
        yield _finding("licence-whole", "unmet", "text-altered", "medium", path=text.path, id=best.id, percent=share)
    for text in [each for each in own if each.state == "recognised"][:MOST]:
        if text.foreign >= MUCH_FOREIGN and text.foreign_runs >= MANY_RUNS:
            share = round(100 * text.foreign)
            yield _finding("licence-whole", "undecided", "text-added", "low", path=text.path, percent=share)
    unknown = [each.path for each in own if each.state == "unknown"]
    if unknown:
        yield _finding(
            "licence-whole", "not-assessed", "text-unknown", "low", count=len(unknown), places=_some(unknown)
        )


def _terms(known: Sequence[LicenceFile]) -> Iterator[Finding]:
    """Name texts whose terms go beyond an open licence, as the licence data class them."""
    seen: set[str] = set()
    for text in known:
        for match in text.matches:
            if match.category not in OPEN and match.id not in seen and not match.exception:
                seen.add(match.id)
                yield _finding(
                    "licence-open",
                    "unmet",
                    "terms-restricted",
                    "medium",
                    id=match.id,
                    name=match.name,
                    category=match.category,
                    path=text.path,
                )


# --- forms ------------------------------------------------------------------------------------------------------------


def _last(said: Sequence[Statement], subject: Subject) -> Statement | None:
    """Return the record that was said last about ``subject``, or else about the same bytes under another name.

    Entry ids break a tie, so order does not matter.
    """
    named = [each for each in said if each.subject.id == subject.id]
    return max(named or said, key=lambda each: (each.at, each.entry), default=None)


def _finding(rule: str, verdict: Verdict, code: str, severity: Severity = "info", **params: str | float) -> Finding:
    reason = REASONS[code].fill(**params)
    return _made(rule, verdict, code, reason=reason, params=dict(params), severity=severity)


def _made(  # noqa: PLR0913 - a finding is made of its parts
    rule: str, verdict: Verdict, code: str, *, reason: Text, params: dict[str, Scalar], severity: Severity
) -> Finding:
    return Finding(
        requirement=f"supply.{rule}",
        title=TITLES[rule],
        verdict=verdict,
        code=f"supply.{code}",
        reason=reason,
        params=params,
        severity=severity,
        mend=MENDS.get(code),
    )


def _some(names: Iterable[str]) -> str:
    """Return a few names and how many more there are."""
    every = list(names)
    more = f" (+{len(every) - _SHOWN})" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
