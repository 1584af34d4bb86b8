"""Searching: every two characters are found, whoever may not read a record finds nothing of it, and erasing leaves no word."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.paper import ANNA, AT, BORIS, CHEN, NOTES, Paper
from tongqiu.practice import Put, View
from tongqiu.record.audience import EVERYONE, STRANGER, Principal, only_for
from tongqiu.store import search
from tongqiu.store.house import open_store
from tongqiu.store.registry import WALK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.record.statement import Statement
    from tongqiu.store.house import Store
    from tongqiu.store.registry import Registry

LATER = "2027-01-01T00:00:00.000Z"
OWN = only_for([ANNA])


def found(statement: Statement) -> Iterator[Put]:
    """Fold of the test registry that is searched: one row a note."""
    yield Put({"key": statement.entry, "words": search.words_of(statement.body["words"]), "entry": statement.entry})


FOUND: View = dataclasses.replace(
    NOTES, name="test_found", key=("key",), rows="tests.store.test_search:found", finds=True
)


@pytest.fixture
def registry(store: Store) -> Registry:
    return store.registry((FOUND, NOTES))


def ask(registry: Registry, words: str, reader: Principal = STRANGER, *, limit: int = 50, now: str = AT) -> list[int]:
    registry.catch_up()
    return [row[0] for row in registry.newest(FOUND.name, principal=reader, now=now, words=words, limit=limit).rows]


def say(paper: Paper, words: str, **given: object) -> int:
    return paper.say({"key": words, "words": words}, **given).index


def test_two_characters_of_chinese_are_found_and_one_and_the_beginning_of_a_word(
    paper: Paper, registry: Registry
) -> None:
    loans = say(paper, "贷款审批系统 Mortgage-decisions v2")
    other = say(paper, "医疗影像 imaging")
    for words in ("贷款", "审批", "系统", "款审", "审", "贷款审批", "mort", "MORTGAGE", "decisions 贷款", "v2", "２"):
        assert ask(registry, words) == ([loans] if words != "２" else []), words
    assert ask(registry, "影像") == [other]
    for words in ("批贷", "贷款 影像", "gage", "", "   ", '"*', "()", "不存在"):
        assert ask(registry, words) == [], words


TEXT = st.text(st.sampled_from("贷款审批系统可信 abc-_1é Ω'\"*:^()"), max_size=24)


@given(TEXT, TEXT)
def test_a_search_asks_only_for_words_that_an_index_holds(text: str, more: str) -> None:
    indexed = set(search.words_of(f"{text} {more}").split())
    assert set(search.asked(text)) <= indexed or len(set(search.asked(text))) == search.MOST_WORDS
    assert all(" " not in each and each == each.casefold() for each in indexed)


def test_long_and_many_words_are_cut() -> None:
    assert len(search.asked("字" * 10_000)) == 1
    assert len(search.asked(" ".join(f"w{n}" for n in range(100)))) == search.MOST_WORDS
    assert search.words_of("x" * 1000) == "x" * 64


def test_nobody_finds_what_they_may_not_read(paper: Paper, registry: Registry) -> None:
    public = say(paper, "模型 甲", audience=EVERYONE)
    own = say(paper, "模型 乙", audience=OWN)
    named = say(paper, "模型 丙", audience=only_for([BORIS]))
    shut = say(paper, "模型 丁", audience=only_for([CHEN], embargo=LATER))
    assert ask(registry, "模型") == [public]
    assert ask(registry, "模型", Principal(BORIS)) == [named, public]
    assert ask(registry, "模型", Principal(CHEN)) == [public]
    assert ask(registry, "模型", Principal(CHEN), now=LATER) == [shut, public]
    assert ask(registry, "模型", Principal(ANNA)) == [shut, named, own, public]
    # As many hidden ones as you like make no page short, and leave no mark on its end.
    for _ in range(40):
        say(paper, "模型 戊", audience=OWN)
    registry.catch_up()
    page = registry.newest(FOUND.name, principal=STRANGER, now=AT, words="模型", limit=1)
    assert ([row[0] for row in page.rows], page.below) == ([public], None)
    assert registry.count(FOUND.name, principal=STRANGER, now=AT) == 1
    assert registry.count(FOUND.name, principal=Principal(ANNA), now=AT, most=5) == 6


def test_pages_follow_each_other_and_hold_everything_once(paper: Paper, registry: Registry) -> None:
    wanted = [say(paper, f"模型 {number}") for number in range(23)]
    registry.catch_up()
    for words in ("模型", None):
        seen: list[int] = []
        below: int | None = wanted[-1] + 1
        for _ in range(30):
            page = registry.newest(FOUND.name, principal=STRANGER, now=AT, words=words, limit=4, below=below)
            seen += [row[0] for row in page.rows]
            below = page.below
            if below is None:
                break
            say(paper, "模型 later")
            registry.catch_up()
        assert seen == wanted[::-1]
    newer = registry.newest(FOUND.name, principal=STRANGER, now=AT, above=wanted[-1])
    assert len(newer.rows) == 10


def test_a_row_that_was_replaced_is_passed_over_with_bounded_work(paper: Paper, registry: Registry) -> None:
    last = paper.say({"key": "a", "words": "last"}).index
    for _ in range(3):
        last = paper.say({"key": "a", "words": "last"}).index
    registry.catch_up()
    page = registry.newest(NOTES.name, principal=STRANGER, now=AT)
    assert ([row[0] for row in page.rows], page.below) == ([last], None)
    paper.say({"key": "a", "drop": True})
    registry.catch_up()
    assert registry.newest(NOTES.name, principal=STRANGER, now=AT).rows == ()
    assert registry.count(NOTES.name, principal=STRANGER, now=AT) == 0
    assert registry.at(NOTES.name, [last], principal=STRANGER, now=AT)[last]["words"] == "last"
    assert registry.at(NOTES.name, [last], principal=STRANGER, now=AT).keys() == {last}


def test_a_walk_ends_and_says_where_it_goes_on(paper: Paper, registry: Registry) -> None:
    first = paper.say({"key": "first", "words": ""}).index
    rows = [paper.row({"key": "a", "words": ""}) for _ in range(WALK + 50)]
    last = paper.log(*rows)[-1].index
    registry.catch_up()
    page = registry.newest(NOTES.name, principal=STRANGER, now=AT, limit=5)
    assert [row[0] for row in page.rows] == [last]
    assert page.below is not None
    rest = registry.newest(NOTES.name, principal=STRANGER, now=AT, limit=5, below=page.below)
    assert ([row[0] for row in rest.rows], rest.below) == ([first], None)


def test_what_is_withdrawn_is_found_no_more_and_a_rebuild_changes_nothing(paper: Paper, registry: Registry) -> None:
    kept = say(paper, "模型 甲")
    gone = paper.say({"key": "x", "words": "模型 乙"})
    assert ask(registry, "模型") == [gone.index, kept]
    paper.withdraw(gone.entry)
    assert ask(registry, "模型") == [kept]
    registry.rebuild()
    assert ask(registry, "模型") == [kept]
    assert ask(registry, "乙") == []


PLANTED = "冰川裂隙plantedword"


def test_erasing_leaves_no_word_in_the_index(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        registry, paper = store.registry((FOUND, NOTES)), Paper(store)
        planted = paper.say({"key": "k", "words": PLANTED})
        for number in range(200):
            say(paper, f"模型 word{number}")
        assert ask(registry, "plantedword") == [planted.index]
        assert ask(registry, "裂隙") == [planted.index]
        paper.erase(planted.index)
        assert ask(registry, "plantedword") == []
        store.backend.scrub()
        assert len(ask(registry, "模型", limit=500)) == 200
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for needle in ("plantedword", "裂隙", "冰川"):
        assert needle.encode() not in held


def test_a_view_of_another_shape_takes_its_index_along(paper: Paper, store: Store) -> None:
    store.registry((FOUND,)).catch_up()
    say(paper, "模型")
    changed = dataclasses.replace(FOUND, columns=FOUND.columns[:-1])
    registry = store.registry((changed,))
    registry.catch_up()
    assert len(registry.newest(FOUND.name, principal=STRANGER, now=AT, words="模型").rows) == 1
    later = dataclasses.replace(FOUND, version=2)
    registry = store.registry((later,))
    registry.catch_up()
    with store.backend._database.read() as connection:  # noqa: SLF001 - what the file itself holds
        assert len(search._indexed(connection)) == 1  # noqa: SLF001 - the same


def test_looks_note_how_far_a_person_has_come_and_never_go_back(store: Store, paper: Paper) -> None:
    looks = store.looks
    assert looks.upto("anna") == -1
    looks.note("anna", 7)
    looks.note("anna", 3)
    assert (looks.upto("anna"), looks.upto("boris")) == (7, -1)
    looks.forget("anna")
    assert looks.upto("anna") == -1
    del paper


def test_what_arrived_is_what_others_said_to_us(store: Store, paper: Paper) -> None:
    looks, me = store.looks, Principal(ANNA)
    own = [say(paper, "own", audience=OWN) for _ in range(3)]
    public = say(paper, "public", issuer=BORIS)
    named = say(paper, "named", issuer=BORIS, audience=only_for([ANNA, CHEN]))
    other = say(paper, "other", issuer=BORIS, audience=only_for([CHEN]))
    shut = say(paper, "shut", issuer=BORIS, audience=only_for([ANNA], embargo=LATER))
    assert looks.arrived(me, AT, me=ANNA, above=-1) == [named, public]
    assert looks.arrived(me, AT, me=ANNA, above=-1, limit=1) == [named]
    assert looks.arrived(me, AT, me=ANNA, above=-1, below=named) == [public]
    assert looks.arrived(me, AT, me=ANNA, above=public) == [named]
    assert looks.arrived(me, LATER, me=ANNA, above=-1) == [shut, named, public]
    # At somebody else's node only what names them has arrived for them.
    assert looks.arrived(Principal(CHEN), AT, me=ANNA, above=-1) == [other, named]
    assert looks.arrived(STRANGER, AT, me=ANNA, above=-1) == []
    assert looks.count(me, AT, me=ANNA, above=-1) == 2
    assert looks.count(me, AT, me=ANNA, above=-1, most=1) == 2
    assert looks.count(STRANGER, AT, me=ANNA, above=-1) == 0
    entries = [f"sha-256:{store.backend.row(each).entry.hex()}" for each in (own[0], named, other)]
    assert looks.readable(entries, Principal(CHEN), AT) == {entries[1]: named, entries[2]: other}


def test_arrivals_under_very_many_audiences(store: Store, paper: Paper) -> None:
    wanted = [
        say(paper, "x", issuer=BORIS, audience=only_for([ANNA, f"did:web:{number}.example"])) for number in range(40)
    ]
    assert store.looks.arrived(Principal(ANNA), AT, me=ANNA, above=-1, limit=5) == wanted[:-6:-1]
    assert store.looks.count(Principal(ANNA), AT, me=ANNA, above=-1, most=10) == 11
    assert store.looks.count(Principal(ANNA), AT, me=ANNA, above=-1) == 40


@pytest.mark.system
def test_searching_on_postgres(postgres: str, tmp_path: Path) -> None:
    with open_store(postgres, keys=tmp_path / "keys", create=True) as store:
        registry, paper = store.registry((FOUND, NOTES)), Paper(store)
        loans = say(paper, "贷款审批系统 Mortgage")
        hidden = paper.say({"key": "x", "words": "贷款 own"}, audience=OWN)
        assert ask(registry, "贷款") == [loans]
        assert ask(registry, "贷款 mortgage") == [loans]
        assert ask(registry, "贷款", Principal(ANNA)) == [hidden.index, loans]
        registry.rebuild()
        assert ask(registry, "审批") == [loans]
        paper.erase(hidden.index)
        assert ask(registry, "贷款", Principal(ANNA)) == [loans]
        assert ask(registry, "'; drop --") == []
