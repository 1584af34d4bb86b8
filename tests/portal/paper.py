"""A node on paper: real-looking records held in memory behind the door that the pages are built on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tongqiu.practice import Column, Found, Measured, Page, Practice, Put, Table, View
from tongqiu.record.audience import EVERYONE, Audience, Principal, permits
from tongqiu.record.core import ASSESSMENT, COMPOSITION, WITHDRAWAL, Assessment, Composition, Failure, Part
from tongqiu.record.faults import Missing
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Asked, Blob, Content, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tongqiu.node.people import People

ME = "did:key:z6MkpaperNodePaperNodePaperNode"
OTHER = "did:web:lab.example"
ZERO = "sha-256:" + "0" * 64
SYSTEM = Subject(type="system", id="urn:example:mortgage", name="Mortgage decisions")
MODEL = Subject(type="model", id="urn:example:mortgage:model", digest="sha-256:" + "a1" * 32, name="model.onnx")
DATA = Subject(type="dataset", id="urn:example:mortgage:data", digest="sha-256:" + "b2" * 32, name="applications.csv")
CODE = Subject(type="software", id="pkg:generic/mortgage-code@1.0", digest="tree-1:" + "c3" * 32, name="src")


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence and findings, as they are."""

    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str = ""


class Graded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grading, by its form."""

    pack: str
    version: str
    spans: tuple[dict[str, Any], ...]
    rules: tuple[dict[str, Any], ...]
    questions: tuple[dict[str, Any], ...]


SEEN = Kind(
    name="paper.seen/1",
    body=Seen,
    title=Text(en="What was seen", zh="所见"),
    evidence=lambda body: body.evidence,
    findings=lambda body: body.findings,
)
GRADED = Kind(name="paper.graded/1", body=Graded, title=Text(en="Grading", zh="分级"))

VIEW = View(
    name="things",
    version=1,
    title=Text(en="Things", zh="事物名录"),
    reads=("*",),
    columns=(
        Column(name="entry", title=Text(en="Record", zh="记录")),
        Column(name="subject", title=Text(en="About", zh="对象"), searched=True),
        Column(name="name", title=Text(en="Name", zh="名称"), searched=True),
        Column(name="number", title=Text(en="No.", zh="序号"), type="integer"),
        Column(name="at", title=Text(en="Said at", zh="出具时间"), type="instant"),
    ),
    key=("entry",),
    rows="tests.portal.paper:things",
)


class Greeting(msgspec.Struct, frozen=True):
    """The model of a practice's own page."""

    who: str
    rows: tuple[Finding, ...] = ()


def greet(desk: object, params: Mapping[str, str]) -> Greeting:
    """Return the model of a practice's own page."""
    del desk
    return Greeting(params.get("who", "world"))


def things(statement: Statement) -> Iterator[Put]:
    """Yield the row of any record."""
    yield Put(
        {
            "entry": statement.entry,
            "subject": statement.subject.id,
            "name": statement.subject.name,
            "number": statement.index,
            "at": statement.at,
        }
    )


PRACTICE = Practice(
    name="paper",
    title=Text(en="Paper", zh="纸上"),
    about=Text(en="For looking at pages.", zh="用于查看页面。"),
    kinds=(SEEN, GRADED, COMPOSITION, ASSESSMENT, WITHDRAWAL),
    views=(VIEW,),
    pages=(
        Page(
            path="hello/{who}",
            title=Text(en="Hello", zh="你好"),
            model=Greeting,
            template="tests.portal:hello.html",
            context="tests.portal.paper:greet",
        ),
    ),
)


class PaperFell(NamedTuple):
    """What ended a job."""

    what: Text
    do: Text


class PaperJob(NamedTuple):
    """Work in progress."""

    id: str = "job-1"
    kind: str = "assess"
    state: str = "running"
    done: float = 3
    total: float | None = 7
    note: str = "evaluation.tabular"
    created: str = "2026-11-23T08:00:00.000Z"
    beat: str = "2026-11-23T08:00:05.000Z"
    fault: PaperFell | None = None


class PaperExplained(NamedTuple):
    """A record with what it rests on."""

    statement: Statement
    why: tuple[PaperExplained, ...] = ()
    asked: tuple[Asked, ...] = ()
    hidden: tuple[str, ...] = ()


class PaperPractices:
    """The installed practices."""

    def __init__(self, *practices: Practice) -> None:
        self.all = practices
        self.views = {view.name: view for each in practices for view in each.views}
        self.queries = {query.name: query for each in practices for query in each.queries}
        self._kinds = {kind.name: kind for each in practices for kind in each.kinds}

    def kind(self, name: str) -> Kind[Any] | None:
        return self._kinds.get(name)


class PaperNode:
    """The node; nobody signs in here."""

    people: People | None = None

    def __init__(self, *practices: Practice, name: str = "Paper laboratory") -> None:
        self.practices = PaperPractices(*(practices or (PRACTICE,)))
        self.me = ME
        self.name = name
        self.statements: list[Statement] = []
        self.work: list[PaperJob] = []

    def say(
        self,
        kind: str,
        subject: Subject,
        body: Any,
        *,
        issuer: str = ME,
        audience: Audience = EVERYONE,
        rests_on: tuple[str, ...] = (),
        at: str = "",
        files: tuple[Blob, ...] = (),
        shapes: Seen | None = None,
    ) -> str:
        """Hold a record and return its entry."""
        index = len(self.statements)
        at = at or f"2026-11-23T08:{index // 60 % 60:02d}:{index % 60:02d}.000Z"
        found = self.practices.kind(kind)
        schema = found.schema_digest if found else ZERO
        plain = msgspec.to_builtins(body, str_keys=True)
        shown = body if isinstance(body, Seen) else shapes or Seen()
        content = Content(
            kind=kind, schema=schema, subject=subject, issuer=issuer, at=at, body=plain, rests_on=rests_on,
            audience=audience, files=files, evidence=shown.evidence, findings=shown.findings,
        )  # fmt: skip
        entry = "sha-256:" + hashlib.sha256(f"{index}{kind}{issuer}".encode()).hexdigest()
        self.statements.append(Statement(entry, index, "paper.example/log", at, content))
        return entry

    def desk(self, principal: Principal) -> PaperDesk:
        return PaperDesk(self, principal)


class PaperDesk:
    """What one principal may read."""

    def __init__(self, node: PaperNode, principal: Principal) -> None:
        self.me = principal
        self.now = "2026-11-23T09:30:00.000Z"
        self._node = node

    def _seen(self) -> list[Statement]:
        return [
            each
            for each in self._node.statements
            if permits(each.content.audience, each.content.issuer, self.me, self.now)
        ]

    def said(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Sequence[Statement]:
        del thread, ref
        return [
            each
            for each in self._seen()
            if kind in {"*", each.kind} and (subject is None or each.subject.same(subject))
        ]

    def record(self, entry: str) -> Statement:
        for each in self._seen():
            if each.entry == entry:
                return each
        raise missing(entry)

    def records(
        self, *, kind: str = "", subject: str = "", search: str = "", after: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Statement], str | None]:
        kept = [
            each
            for each in reversed(self._seen())
            if (not kind or each.kind == kind)
            and (not subject or each.subject.id == subject)
            and search.lower() in (each.subject.name + str(each.body)).lower()
            and (after is None or each.index < int(after))
        ]
        return kept[:limit], str(kept[limit - 1].index) if len(kept) > limit else None

    def retired_by(self, entry: str) -> Statement | None:
        self.record(entry)
        found = (each for each in self._seen() if each.kind == WITHDRAWAL.name and each.body["entry"] == entry)
        return next(found, None)

    def replies(self, entry: str) -> Sequence[Statement]:
        self.record(entry)
        return []

    def systems(self) -> Sequence[Subject]:
        return sorted({each.subject for each in self._seen() if each.subject.type == "system"})

    def subject(self, id: str) -> Subject:  # noqa: A002 - the contract's name
        for each in self._seen():
            if each.subject.id == id:
                return each.subject
        raise missing(id)

    def parts(self, subject: Subject) -> Sequence[tuple[str, Subject]]:
        for each in reversed(self._seen()):
            if each.kind == COMPOSITION.name and each.subject.same(subject):
                return [(part.role, part.subject) for part in COMPOSITION.read(each.body).parts]
        return []

    def evidence(self, *, subject: Subject | None = None, measure: str = "") -> Sequence[Measured]:
        return [
            Measured(statement, each)
            for statement in self.said("*", subject=subject)
            for each in statement.content.evidence
            if each.measure.startswith(measure)
        ]

    def findings(self, *, subject: Subject | None = None, requirement: str = "") -> Sequence[Found]:
        return [
            Found(statement, each)
            for statement in self.said("*", subject=subject)
            for each in statement.content.findings
            if each.requirement.startswith(requirement)
        ]

    def rows(
        self,
        query: str,
        params: Mapping[str, str] | None = None,
        *,
        search: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> Table:
        del params
        view = self._node.practices.views[query]
        rows = [
            tuple(put.values[column.name] for column in view.columns)
            for each in self._seen()
            for put in things(each)
            if search in str(put.values)
        ]
        return Table(view.columns, tuple(rows[offset : offset + limit]), len(rows))

    def explain(self, entry: str) -> PaperExplained:
        statement = self.record(entry)
        why, hidden = [], []
        for each in statement.content.rests_on:
            try:
                why.append(self.explain(each))
            except Missing:
                hidden.append(each)
        return PaperExplained(statement, tuple(why), statement.content.asked, tuple(hidden))

    def envelope(self, entry: str) -> bytes:
        return b"envelope of " + self.record(entry).entry.encode()

    def receipt(self, entry: str) -> bytes:
        return b"receipt of " + self.record(entry).entry.encode()

    def stream(self, digest: str) -> Iterator[bytes]:
        for each in self._seen():
            if any(file.digest == digest for file in each.content.files):
                yield b"<script>alert(1)</script>"
                return
        raise missing(digest)

    def checkpoint(self) -> str:
        return f"paper.example/log\n{len(self._node.statements)}\nAAAA\n\n— paper.example/log zzzz\n"

    def jobs(self) -> Sequence[PaperJob]:
        return self._node.work


def missing(what: str) -> Missing:
    """Return the fault of what is not there."""
    return Missing("paper.missing", Text(en="No {it}.", zh="无 {it}。"), do=Text(en="-", zh="-"), it=what, where=what)


def rate(group: dict[str, str], value: float, low: float, high: float, n: int, **more: Any) -> Evidence:
    """Return the approval rate of a group."""
    return Evidence(
        measure="evaluation.selection-rate",
        title=Text(en="Approval rate", zh="批准率"),
        value=value,
        unit="1",
        method="evaluation.tabular@1",
        group=group,
        n=n,
        low=low,
        high=high,
        coverage=0.95,
        **more,
    )


def mortgage() -> PaperNode:
    """Return a node that has assessed a mortgage model."""
    node = PaperNode()
    composed = node.say(
        COMPOSITION.name,
        SYSTEM,
        Composition(
            parts=(Part("model", MODEL), Part("data", DATA), Part("code", CODE)),
            purpose="Decides whether an application for a home loan is approved.",
            version="1.2",
        ),
    )
    by_race = node.say(SEEN.name, MODEL, Seen(evidence=_rates()), rests_on=(composed,))
    profile = node.say(SEEN.name, DATA, Seen(evidence=_profile(), findings=(_data_finding(),)), rests_on=(composed,))
    supply = node.say(SEEN.name, CODE, Seen(findings=(_licence(), _unseen())), rests_on=(composed,))
    weighed = node.say(SEEN.name, SYSTEM, Seen(findings=_findings()), rests_on=(by_race, profile))
    node.say(GRADED.name, SYSTEM, _grading(), rests_on=(weighed, supply))
    node.say(
        ASSESSMENT.name,
        SYSTEM,
        Assessment(
            done=("evaluation.tabular",),
            unchanged=(),
            failed=(
                Failure(
                    run="supply.weights",
                    about=MODEL.id,
                    code="supply.pickle",
                    reason=Text(
                        en="The file old.pkl is a pickle and was not opened.", zh="文件 old.pkl 为 pickle，未打开。"
                    ),
                ),
            ),
            not_assessed=("service: scoring endpoint",),
            software="tongqiu 0.1.0",
            environment=ZERO,
            began="2026-11-23T08:00:00.000Z",
        ),
    )
    node.work.append(PaperJob())
    return node


def _rates() -> tuple[Evidence, ...]:
    gap = Evidence(
        measure="evaluation.gap.selection-rate.ratio",
        title=Text(en="Approval rate, lowest over highest", zh="批准率，最低与最高之比"),
        value=0.7904,
        unit="1",
        method="evaluation.tabular@1",
        group={"between": "afam"},
        n=2380,
        low=0.7407,
        high=0.8434,
        coverage=0.95,
    )
    accuracy = Evidence(
        measure="evaluation.accuracy",
        title=Text(en="Accuracy", zh="准确率"),
        value=0.889,
        unit="1",
        method="evaluation.tabular@1",
        n=2380,
        low=0.876,
        high=0.901,
        coverage=0.95,
    )
    claimed = Evidence(
        measure="owner.uptime",
        title=Text(en="Availability of the service", zh="服务可用性"),
        value=99.9,
        unit="%",
        method="owner.statement@1",
        basis="claimed",
    )
    return (
        rate({"afam": "no"}, 0.9074, 0.8942, 0.9191, 2041),
        rate({"afam": "yes"}, 0.7168, 0.6667, 0.7621, 339),
        rate({"afam": "yes", "single": "yes"}, 0.688, 0.61, 0.757, 146),
        rate({"afam": "no", "single": "no"}, 0.921, 0.905, 0.934, 1265),
        rate({"afam": "yes", "single": "no"}, 0.738, 0.67, 0.797, 193),
        rate({"afam": "no", "single": "yes"}, 0.886, 0.862, 0.906, 776),
        gap,
        accuracy,
        claimed,
    )


def _profile() -> tuple[Evidence, ...]:
    def one(measure: str, en: str, zh: str, value: float, unit: str = "1") -> Evidence:
        return Evidence(
            measure=f"dataset.{measure}", title=Text(en=en, zh=zh), value=value, unit=unit, method="dataset.profile@1",
            n=2380,
        )  # fmt: skip

    return (
        one("rows", "Rows", "行数", 2380),
        one("missing-share", "Missing cells", "缺失单元格占比", 0.0004),
        one("duplicates", "Exact duplicate rows", "完全重复的行", 0),
        one("identifiers", "Personal identifiers found", "发现的个人标识", 0),
    )


def _data_finding() -> Finding:
    return Finding(
        requirement="dataset.no-identifiers",
        title=Text(en="No personal identifiers in the table", zh="表中无个人标识"),
        verdict="met",
        code="dataset.identifiers.none",
        reason=Text(
            en="No checksum-valid identifier was found in 2,380 rows.", zh="2,380 行中未发现通过校验的标识符。"
        ),
    )


def _licence() -> Finding:
    return Finding(
        requirement="supply.licence",
        title=Text(en="The code carries a known licence", zh="代码带有已知许可证"),
        verdict="met",
        code="supply.licence.found",
        reason=Text(en="Apache-2.0 stands in LICENSE.", zh="LICENSE 为 Apache-2.0。"),
    )


def _unseen() -> Finding:
    return Finding(
        requirement="supply.signature",
        title=Text(en="The release is signed by its maker", zh="发布件由制作者签名"),
        verdict="not-assessed",
        code="supply.signature.none",
        reason=Text(en="No signature was given, so nobody could look.", zh="未提供签名，无从查看。"),
    )


def _findings() -> tuple[Finding, ...]:
    return (
        Finding(
            requirement="evaluation.selection-ratio",
            title=Text(en="Groups are approved at similar rates", zh="各组批准率相近"),
            verdict="undecided",
            code="evaluation.ratio.straddles",
            reason=Text(
                en="afam=yes is approved 0.79 times as often as afam=no (95% interval 0.74 to 0.84); the limit is 0.80.",
                zh="afam=yes 的批准率为 afam=no 的 0.79 倍（95% 区间 0.74 至 0.84）；限值 0.80。",
            ),
            params={
                "measure": "evaluation.gap.selection-rate.ratio", "value": 0.7904, "low": 0.7407, "high": 0.8434,
                "limit": 0.8,
            },
            severity="high",
            mend=Text(en="Gather more decisions about the smaller group.", zh="收集较小群体的更多决定。"),
        ),
        Finding(
            requirement="evaluation.difference",
            title=Text(en="The gap in approval stays under ten points", zh="批准率差距低于十个百分点"),
            verdict="unmet",
            code="evaluation.difference.over",
            reason=Text(
                en="The gap is 19.1 points (95% interval 14.2 to 24.0); the limit is 10.",
                zh="差距为 19.1 个百分点（95% 区间 14.2 至 24.0）；限值 10。",
            ),
            params={"value": 0.191, "low": 0.142, "high": 0.24, "limit": 0.1},
            severity="critical",
        ),
    )  # fmt: skip


def _grading() -> Graded:
    def two(en: str, zh: str) -> dict[str, str]:
        return {"en": en, "zh": zh}

    return Graded(
        pack="paper-act",
        version="2026.1",
        spans=(
            {
                "scale": "risk",
                "title": two("Risk class", "风险等级"),
                "state": "range",
                "grades": [
                    {"id": "limited", "title": two("Limited", "有限风险")},
                    {"id": "high", "title": two("High", "高风险")},
                ],
                "reason": two("One fact is missing.", "缺少一项事实。"),
            },
            {
                "scale": "size",
                "title": two("Size class", "规模等级"),
                "state": "unanswered",
                "grades": [{"id": "a", "title": two("A", "甲")}, {"id": "b", "title": two("B", "乙")}],
            },
        ),
        rules=(
            {
                "scale": "risk",
                "state": "possible",
                "title": two("Creditworthiness of natural persons", "自然人信用评估"),
                "reason": two("It decides on loans to people.", "用于决定对个人的贷款。"),
                "clauses": [{"document": "PAPER 2026/1", "article": "Annex III", "clause": " 5(b)"}],
            },
        ),
        questions=(
            {
                "question": two("Does it profile natural persons?", "是否对自然人进行画像？"),
                "outcomes": [{"value": True, "scale": "risk", "grades": ["high"]}],
            },
        ),
    )
