"""What the supply practice records: licences that were found, model files that may be loaded, and the bill of materials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding, Scalar
from tongqiu.record.subject import DigestText, EntryText, Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Short = Annotated[str, msgspec.Meta(max_length=500)]
METHOD = "supply@1"
WHOLE = 0.9
"""From this share of a known text on, a file counts as holding it."""


class Expression(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One licence expression in SPDX headers, and how many files carry it."""

    expression: Short
    files: Count


class BadHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A header whose expression is not one: where (``file:line``), what it says, and what is wrong with it."""

    where: Short
    says: Short
    wrong: Text


class Recognised(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A known licence text found in a file: its id, other ids that have the same text, and the share that was found."""

    id: Short
    name: Short
    category: Short
    score: Share
    alternatives: tuple[Short, ...] = ()
    exception: bool = False


class LicenceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file that is named like a licence: what stands in it, and the share of its words that nothing explains.

    ``state``: ``recognised`` (0.9 or more of a known text), ``altered`` (0.6 to 0.9: another licence in law),
    ``unknown``, or ``notice`` for a notice that holds no licence text. ``foreign_runs`` runs of five words are
    explained by no text. ``third_party`` files lie in a folder for the work of others.
    """

    path: Short
    state: Literal["recognised", "altered", "unknown", "notice"]
    digest: EntryText
    foreign: Share
    foreign_runs: Count
    matches: tuple[Recognised, ...] = ()
    third_party: bool = False


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a package's own description says its licence is; ``expression`` is empty where it is no SPDX expression."""

    path: Short
    field: Short
    says: Short
    expression: Short = ""
    ids: tuple[Short, ...] = ()


class Licences(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The licences of one folder: headers, texts and declarations as found; nothing is concluded from them.

    ``files`` were looked at, ``sources`` of them are program text, ``headed`` of those carry a valid SPDX header.
    ``left_out`` counts what a walk leaves out (links out of the folder and the like), ``more`` what the lists leave out.
    ``index`` is the digest of the fingerprint index that was used.
    """

    files: Count
    sources: Count
    headed: Count
    index: EntryText
    headers: tuple[Expression, ...] = ()
    bad_headers: tuple[BadHeader, ...] = ()
    texts: tuple[LicenceFile, ...] = ()
    declared: tuple[Declared, ...] = ()
    left_out: Count = 0
    more: Count = 0


class WeightFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model file: its format by content, whether it may be loaded, and why."""

    path: Short
    digest: EntryText
    size: Count
    format: Short
    state: Literal["allowed", "refused", "malformed", "not-assessed"]
    code: Short
    reason: Text
    facts: dict[str, Scalar] = {}


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The model files of one model: every file whose content is a known format or whose name is that of weights."""

    looked_at: Count
    files: tuple[WeightFile, ...] = ()
    left_out: Count = 0
    more: Count = 0


class Bom(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A bill of materials as CycloneDX 1.7 JSON, attached as a file: its digest, and what is in it.

    ``checked`` values in it were taken from bytes by this run, ``claimed`` ones from what the owner or a package says.
    ``dependencies`` are the packages that are named but not at hand; ``unpinned`` of the required ones have no exact
    version; ``unlicensed`` components have no known licence.
    """

    digest: EntryText
    serial: Short
    components: dict[str, Count]
    dependencies: Count
    unpinned: Count
    unlicensed: Count
    checked: Count
    claimed: Count
    unread: tuple[Short, ...] = ()
    subject_digest: DigestText | None = None


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was concluded from licences, model files and bill of materials."""

    findings: tuple[Finding, ...]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one part lies, and the licence that its owner names for it."""

    path: str
    licence: str = ""


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part for the bill of materials: what it is, where it lies (empty: nowhere here), what its owner says."""

    subject: Subject
    path: str = ""
    says: dict[str, str] = {}
    trained_on: tuple[str, ...] = ()


class Pieces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The system and its parts."""

    says: dict[str, str] = {}
    parts: tuple[Piece, ...] = ()


class ModelKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a model in the manifest, for its card in the bill of materials."""

    task: str | None = None
    architecture: str | None = None
    trained_on: tuple[str, ...] = ()


_TITLES = {
    "supply.files": Text(en="Files looked at", zh="已检查的文件数"),
    "supply.header-share": Text(en="Program files with an SPDX licence header", zh="带 SPDX 许可证标头的程序文件占比"),
    "supply.licence-text": Text(en="Licence text recognised: {id}", zh="识别出的许可证文本：{id}"),
    "supply.licence-declared": Text(en="Licence declared in {path}", zh="{path} 中声明的许可证"),
    "supply.weights": Text(en="Model files: {state}", zh="模型文件：{state}"),
    "supply.components": Text(en="Components of type {type}", zh="{type} 类型的组件"),
    "supply.unpinned": Text(en="Required packages without an exact version", zh="未锁定确切版本的必需包"),
    "supply.checked": Text(en="Entries of the bill of materials taken from bytes", zh="物料清单中从字节核得的条目"),
    "supply.claimed": Text(en="Entries of the bill of materials that are only claimed", zh="物料清单中仅为声明的条目"),
    "supply.unlicensed": Text(en="Components without a known licence", zh="许可证不明的组件"),
}
STATES = {
    "allowed": Text(en="allowed", zh="允许加载"),
    "refused": Text(en="refused", zh="拒绝加载"),
    "malformed": Text(en="malformed", zh="格式有误"),
    "not-assessed": Text(en="not assessed", zh="未评估"),
}


def _seen(measure: str, value: Scalar, *, n: int | None = None, claimed: bool = False, **group: str) -> Evidence:
    names: dict[str, object] = dict(group)
    title = _TITLES[measure].fill(**names)
    if "state" in group:
        state = STATES[group["state"]]
        title = Text(en=_TITLES[measure].fill(state=state.en).en, zh=_TITLES[measure].fill(state=state.zh).zh)
    return Evidence(
        measure=measure,
        title=title,
        value=value,
        unit="1",
        method=METHOD,
        group=group,
        n=n,
        basis="claimed" if claimed else "measured",
    )


def licences_evidence(body: Licences) -> Iterator[Evidence]:
    """Yield the counts, the share of program files with a header (of ``n`` files), and each licence found or declared."""
    yield _seen("supply.files", body.files)
    if body.sources:
        yield _seen("supply.header-share", round(body.headed / body.sources, 4), n=body.sources)
    best: dict[str, float] = {}
    for text in body.texts:
        for match in text.matches:
            best[match.id] = max(best.get(match.id, 0.0), match.score)
    for name, score in sorted(best.items()):
        yield _seen("supply.licence-text", score, id=name)
    for each in body.declared:
        yield _seen("supply.licence-declared", each.expression or each.says, claimed=True, path=each.path)


def weights_evidence(body: Weights) -> Iterator[Evidence]:
    """Yield how many model files are in each state."""
    yield _seen("supply.files", body.looked_at)
    for state in STATES:
        count = sum(each.state == state for each in body.files)
        if count:
            yield _seen("supply.weights", count, n=len(body.files), state=state)


def bom_evidence(body: Bom) -> Iterator[Evidence]:
    """Yield how many components of each type the bill of materials holds, and what it could not say of them."""
    total = sum(body.components.values())
    for name, count in sorted(body.components.items()):
        yield _seen("supply.components", count, n=total, type=name)
    yield _seen("supply.unpinned", body.unpinned, n=body.dependencies)
    yield _seen("supply.unlicensed", body.unlicensed, n=total)
    yield _seen("supply.checked", body.checked)
    yield _seen("supply.claimed", body.claimed)


def licences_hold(body: Licences) -> Iterator[str]:
    """Yield the fields that contradict others: more headers than files, a state that its scores do not give."""
    if not body.headed <= body.sources <= body.files:
        yield "headed"
    if sum(each.files for each in body.headers) != body.headed and not body.more:
        yield "headers"
    for number, text in enumerate(body.texts):
        best = max((match.score for match in text.matches), default=0.0)
        whole = best >= WHOLE
        if (text.state == "recognised") != whole or (text.state == "altered") != (bool(text.matches) and not whole):
            yield f"texts.{number}.state"


def weights_hold(body: Weights) -> Iterator[str]:
    """Yield the fields that contradict others: a state that its rule does not give."""
    if len(body.files) + body.more > body.looked_at:
        yield "looked_at"
    for number, each in enumerate(body.files):
        if (each.state == "allowed") != (each.code == "weights.allowed"):
            yield f"files.{number}.state"


def bom_holds(body: Bom) -> Iterator[str]:
    """Yield the fields that contradict others: more dependencies than components, more unpinned than dependencies."""
    if body.dependencies > body.components.get("library", 0):
        yield "dependencies"
    if body.unpinned > body.dependencies:
        yield "unpinned"
    if body.unlicensed > sum(body.components.values()):
        yield "unlicensed"


def review_findings(body: Review) -> tuple[Finding, ...]:
    """Return the findings as they stand."""
    return body.findings


LICENCES = Kind(
    name="supply.licences/1",
    body=Licences,
    title=Text(en="Licences found", zh="发现的许可证"),
    evidence=licences_evidence,
    holds=licences_hold,
)
WEIGHTS = Kind(
    name="supply.weights/1",
    body=Weights,
    title=Text(en="Model files", zh="模型文件"),
    evidence=weights_evidence,
    holds=weights_hold,
)
BOM = Kind(
    name="supply.bom/1",
    body=Bom,
    title=Text(en="Bill of materials", zh="物料清单"),
    evidence=bom_evidence,
    holds=bom_holds,
)
REVIEW = Kind(
    name="supply.review/1",
    body=Review,
    title=Text(en="Supply review", zh="供应链审查"),
    findings=review_findings,
)
