"""The review says what the records say, in both languages, whatever order they come in."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tongqiu.practices.supply import assessors, words
from tongqiu.practices.supply.kinds import (
    BOM,
    LICENCES,
    REVIEW,
    WEIGHTS,
    BadHeader,
    Bom,
    Declared,
    Expression,
    LicenceFile,
    Licences,
    Recognised,
    WeightFile,
    Weights,
)
from tongqiu.record.statement import Content, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.record.shapes import Finding

DIGEST = "sha-256:" + "00" * 32
SUBJECT = Subject("software", "urn:x:s", None, "s")
SAYS = Text(en="why", zh="为何")


def text(name: str, *, score: float = 1.0, path: str = "LICENSE", **changes: Any) -> LicenceFile:
    match = Recognised(id=name, name=name, category=changes.pop("category", "Permissive"), score=score)
    if name.startswith("GPL"):
        match = msgspec.structs.replace(match, alternatives=(name.replace("only", "or-later"),), category="Copyleft")
    state: Any = "recognised" if score >= 0.9 else "altered"
    made = LicenceFile(path=path, state=state, digest=DIGEST, foreign=0.0, foreign_runs=0, matches=(match,))
    return msgspec.structs.replace(made, **changes)


def says(*ids: str, path: str = "pyproject.toml") -> Declared:
    return Declared(path=path, field="license", says=" OR ".join(ids), expression=" OR ".join(ids), ids=ids)


def body(**values: Any) -> Licences:
    given: dict[str, Any] = {"files": 9, "sources": 4, "headed": 0, "index": DIGEST}
    return Licences(**given | values)


def codes(found: Sequence[Finding]) -> dict[str, str]:
    return {each.code.removeprefix("supply."): each.verdict for each in found}


def weighed(**values: Any) -> dict[str, str]:
    return codes(list(assessors.licences(body(**values))))


def test_agreement_of_text_and_declaration() -> None:
    assert weighed(texts=(text("MIT"),), declared=(says("MIT"),)) == {
        "licence-known": "met",
        "agreed": "met",
        "text-present": "met",
    }


def test_a_conflict_is_found_and_severe() -> None:
    found = list(assessors.licences(body(texts=(text("GPL-3.0-only"),), declared=(says("MIT"),))))
    conflict = next(each for each in found if each.code == "supply.text-differs")
    assert (conflict.verdict, conflict.severity) == ("unmet", "high")
    assert "GPL-3.0-only" in conflict.reason.en
    assert "GPL-3.0-only" in conflict.reason.zh
    assert conflict.params["declared"] == "MIT"


def test_a_gnu_text_agrees_with_both_of_its_ids() -> None:
    assert weighed(texts=(text("GPL-3.0-only"),), declared=(says("GPL-3.0-or-later"),))["agreed"] == "met"


def test_a_text_besides_is_undecided_and_others_work_is_not_ours() -> None:
    both = (text("MIT"), text("CC-BY-4.0", path="data/LICENSE"))
    assert weighed(texts=both, declared=(says("MIT"),))["text-besides"] == "undecided"
    vendored = (text("MIT"), text("GPL-3.0-only", path="vendor/LICENSE", third_party=True))
    assert weighed(texts=vendored, declared=(says("MIT"),))["agreed"] == "met"


def test_two_declarations_that_differ() -> None:
    assert weighed(declared=(says("MIT"), says("ISC", path="package.json")))["declared-twice"] == "unmet"


def test_nothing_unclear_and_only_headers() -> None:
    assert weighed() == {"licence-none": "unmet"}
    assert weighed(declared=(Declared(path="a", field="b", says="BSD"),)) == {"licence-unclear": "unmet"}
    only = weighed(headed=1, headers=(Expression(expression="MIT", files=1),))
    assert only == {"licence-known": "met", "headers": "met"}


def test_missing_altered_added_unknown_and_restricted_texts() -> None:
    assert weighed(declared=(says("MIT"),))["text-missing"] == "unmet"
    assert "text-missing" not in weighed(files=1, declared=(says("MIT"),))
    assert weighed(texts=(text("MIT", score=0.7),))["text-altered"] == "unmet"
    assert weighed(texts=(text("MIT", foreign=0.5, foreign_runs=200),))["text-added"] == "undecided"
    unknown = LicenceFile(path="LICENSE", state="unknown", digest=DIGEST, foreign=1.0, foreign_runs=9)
    assert weighed(texts=(unknown,))["text-unknown"] == "not-assessed"
    llama = text("LicenseRef-scancode-llama-3.1-license-2024", category="Proprietary Free")
    assert weighed(texts=(llama,))["terms-restricted"] == "unmet"


def test_bad_headers_are_named() -> None:
    bad = tuple(BadHeader(where=f"f{number}.py:1", says="X", wrong=SAYS) for number in range(9))
    found = next(each for each in assessors.licences(body(bad_headers=bad)) if each.code == "supply.bad-headers")
    assert "f0.py:1" in found.reason.en
    assert "(+3)" in found.reason.zh


def file(state: Any, code: str, **changes: Any) -> WeightFile:
    made = WeightFile(path=f"{code}.bin", digest=DIGEST, size=1, format="x", state=state, code=code, reason=SAYS)
    return msgspec.structs.replace(made, **changes)


def test_weights() -> None:
    assert codes(list(assessors.weights(Weights(looked_at=1)))) == {"no-weights": "not-assessed"}
    good = file("allowed", "weights.allowed")
    assert codes(list(assessors.weights(Weights(looked_at=1, files=(good,))))) == {"weights-allowed": "met"}
    bad = file("refused", "weights.executes")
    found = list(assessors.weights(Weights(looked_at=2, files=(good, bad))))
    assert [(each.verdict, each.severity) for each in found] == [("unmet", "critical")]
    assert "why" in found[0].reason.en
    assert "为何" in found[0].reason.zh
    broken, unknown = file("malformed", "weights.zip"), file("not-assessed", "weights.unknown")
    assert codes(list(assessors.weights(Weights(looked_at=2, files=(broken, unknown))))) == {
        "weights-malformed": "unmet",
        "weights-unknown": "not-assessed",
    }
    chat = file("allowed", "weights.allowed", facts={"chat_template": True})
    assert codes(list(assessors.weights(Weights(looked_at=1, files=(chat,)))))["chat-template"] == "undecided"
    many = list(assessors.weights(Weights(looked_at=99, files=(bad,) * 99)))
    assert len(many) == assessors.MOST + 1


def bill(**values: Any) -> Bom:
    given: dict[str, Any] = {"digest": DIGEST, "serial": "urn:uuid:x", "components": {"library": 3}}
    given |= {"dependencies": 0, "unpinned": 0, "unlicensed": 0, "checked": 1, "claimed": 1}
    return Bom(**given | values)


def test_bills_of_materials() -> None:
    assert codes(list(assessors.bom(bill()))) == {"no-dependencies": "not-applicable"}
    assert codes(list(assessors.bom(bill(dependencies=3)))) == {"pinned": "met"}
    assert codes(list(assessors.bom(bill(dependencies=3, unpinned=1, unread=("a",))))) == {
        "unread": "unmet",
        "unpinned": "unmet",
    }


class Asked:
    """A snapshot with these statements."""

    as_of = known_at = "2026-11-23T08:00:00.000Z"
    receiver = "did:key:z"
    norms = None

    def __init__(self, said: Sequence[Statement]) -> None:
        self._said = said

    def said(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Sequence[Statement]:
        assert (thread, ref) == (None, None)
        return [each for each in self._said if each.kind == kind and subject is not None and each.subject.same(subject)]

    def evidence(self, **_: Any) -> Any:
        raise AssertionError("not asked")

    def findings(self, **_: Any) -> Any:
        raise AssertionError("not asked")


def statement(kind: Any, value: Any, number: int, subject: Subject = SUBJECT) -> Statement:
    at = f"2026-11-23T08:00:0{number}.000Z"
    content = Content(kind.name, kind.schema_digest, subject, "did:key:z", at, kind.write(value))
    return Statement(f"sha-256:{number:064x}", number, "o", at, content)


def test_the_last_record_counts_in_any_order() -> None:
    said = [
        statement(LICENCES, body(), 1),
        statement(LICENCES, body(declared=(says("MIT"),)), 2),
        statement(WEIGHTS, Weights(looked_at=1), 3),
        statement(BOM, bill(), 4),
        statement(BOM, bill(unread=("other",)), 5, Subject("system", "urn:x:other")),
    ]
    answers = [list(assessors.assess(SUBJECT, Asked(order))) for order in (said, said[::-1])]
    assert answers[0] == answers[1]
    (made,) = answers[0]
    assert codes(list(REVIEW.findings(made.body) if REVIEW.findings else ())) == {
        "licence-known": "met",
        "text-missing": "unmet",
        "no-weights": "not-assessed",
        "no-dependencies": "not-applicable",
    }
    assert list(assessors.assess(SUBJECT, Asked([]))) == []


def test_the_same_bytes_under_another_name_speak_only_where_nothing_else_does() -> None:
    ours = Subject("software", "urn:x:ours", "tree-1:" + "ab" * 32)
    theirs = Subject("software", "urn:x:theirs", "tree-1:" + "ab" * 32)
    first, later = statement(BOM, bill(), 1, ours), statement(BOM, bill(dependencies=3), 2, theirs)
    (own,) = assessors.assess(ours, Asked([first, later]))
    assert codes(own.body.findings) == {"no-dependencies": "not-applicable"}
    (other,) = assessors.assess(ours, Asked([later]))
    assert codes(other.body.findings) == {"pinned": "met"}


@pytest.mark.parametrize("table", [words.TITLES, words.REASONS, words.MENDS])
def test_both_languages_say_the_same_values(table: dict[str, Text]) -> None:
    def places(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    for each in table.values():
        assert places(each.en) == places(each.zh)
        assert any("\u4e00" <= char <= "\u9fff" for char in each.zh)
    assert set(words.MENDS) <= set(words.REASONS)
