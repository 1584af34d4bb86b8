"""Crosswalks are read strictly, turned and joined by the laws of sets, and never say more than somebody mapped."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.norms.two_packs import ONE, ONWARD, PACKS, WALK, pack, relation, requirement, walk, walk_head
from tongqiu.norms.crosswalk import INVERSE, Chain, compose, turn
from tongqiu.norms.crosswalks.reading import MAX_BYTES, MAX_ROWS, former, read
from tongqiu.norms.crosswalks.shelf import Shelf, load, shipped, shipped_pack
from tongqiu.norms.reading import read as read_pack
from tongqiu.record.faults import Malformed, Missing

if TYPE_CHECKING:
    from tongqiu.norms.crosswalk import Crosswalk, Type
    from tongqiu.norms.pack import Pack


def refused(text: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        walk(text)
    assert caught.value.what.zh
    assert caught.value.what.en
    assert "{" not in caught.value.what.en + caught.value.what.zh + caught.value.do.en + caught.value.do.zh
    return caught.value


def line(text: str, part: str) -> str:
    return f"w.toml:{text[: text.index(part)].count(chr(10)) + 1}"


def pairs(crosswalk: Crosswalk | Chain) -> set[tuple[str | None, str, str | None]]:
    return {(each.from_, each.type, each.to) for each in crosswalk.relations}


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_crosswalk_is_read() -> None:
    found = walk()
    assert (found.from_, found.to, len(found.relations), len(found.mapped)) == ("one", "other", 7, 4)
    assert found.alone("from") == ("d", "e")
    assert found.alone("to") == ("z",)
    assert found.relations[0].reviewed
    assert not found.relations[1].reviewed
    assert found.digest is not None
    assert found.digest.startswith("sha-256:")


@pytest.mark.parametrize(
    ("old", "new", "code", "part"),
    [
        ('licence = "CC0-1.0"', 'license = "CC0-1.0"', "unknown-key", "license"),
        ("strength = 5", "strenght = 5", "unknown-key", "strenght"),
        ('zh = "a equal v之义" }', 'zh = "x", de = "y" }', "unknown-key", 'why = { en = "a equal v"'),
        ('confidence = "low"', 'confidence = "lowish"', "form", 'confidence = "lowish"'),
        ('why = { en = "a equal v", zh = "a equal v之义" }', 'why = "x"', "form", 'why = "x"'),
        ("strength = 5", "strength = 11", "form", "strength = 11"),
        ('type = "subset"', 'type = "part"', "form", 'type = "part"'),
        ('to = "other"', 'to = "otter"', "no-pack", 'to = "otter"'),
        ('to = "other"', 'to = "one"', "itself", 'to = "one"'),
        ('from = "c"\nto = "x"', 'from = "cc"\nto = "x"', "no-requirement", 'from = "cc"'),
        ('from = "c"\nto = "x"', 'from = "c"\nto = "xx"', "no-requirement", 'to = "xx"'),
        ("strength = 5", "strength = 0", "pair", '[[relation]]\ntype = "subset"'),
        ('from = "c"\nto = "x"', 'from = "c"', "pair", '[[relation]]\ntype = "subset"'),
        ('from = "d"', 'from = "d"\nto = "w"', "none", '[[relation]]\ntype = "none"'),
        ('from = "d"', 'from = "d"\nstrength = 1', "none", '[[relation]]\ntype = "none"'),
        ('reviewed_by = "B"\n', "", "review", '[[relation]]\ntype = "equal"'),
        ('reviewed_by = "B"', 'reviewed_by = "A"', "review", '[[relation]]\ntype = "equal"'),
        ("reviewed_on = 2026-02-01", "reviewed_on = 2025-02-01", "review", '[[relation]]\ntype = "equal"'),
        ('from = "c"\nto = "y"', 'from = "c"\nto = "x"', "twice", 'type = "intersects"'),
        ('from = "d"', 'from = "c"', "both", 'from = "c"\nconfidence = "high"\nmapped_by = "A"\nmapped_on = 2026-01-01\n\n'),
        ('from = "e"', 'from = "d"', "twice-none", 'from = "d"\nconfidence = "high"\nmapped_by = "A"\nmapped_on = 2026-01-01\n\n[[relation]]\ntype = "none"\nwhy = { en = " none z'),
        ('type = "superset"\nwhy', 'type = "subset"\nwhy', "", ""),
    ],
)  # fmt: skip
def test_each_defect_is_named_with_its_line(old: str, new: str, code: str, part: str) -> None:
    assert old in WALK
    text = WALK.replace(old, new, 1)
    if not code:
        walk(text)
        return
    fault = refused(text)
    assert fault.code == f"norms.crosswalk.{code}"
    assert fault.where == line(text, part)


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    fault = refused(WALK.replace('to = "x"', 'to = "xx"'))
    assert fault.values["nearest"] == "x"
    assert "other" in fault.what.en


def test_every_requirement_of_both_sides_must_be_answered() -> None:
    fault = refused(WALK.replace(relation("none", "e"), ""))
    assert (fault.code, fault.values["names"], fault.values["pack"]) == ("norms.crosswalk.unanswered", "e", "one")
    fault = refused(WALK.replace(relation("none", "", "z"), ""))
    assert (fault.values["names"], fault.where) == ("z", line(WALK, 'to = "other"'))
    many = refused(walk_head("one", "other"))
    assert many.values["names"] == "a, b, c, d, e"


@pytest.mark.parametrize(
    ("key", "last", "over"),
    [
        ("known_until", 31, False),
        ("known_until", 1, True),
        ("applies_until", 1, True),
        ("applies_until", 2, False),
        ("applies_from", 1, False),
    ],
)
def test_a_requirement_that_is_over_needs_no_answer(key: str, last: int, over: bool) -> None:  # noqa: FBT001 - a column
    """A crosswalk of 1 January answers what holds on that day; what ended before, or on that day, may be left out."""
    extra = requirement("old", more=f"{key} = 2026-01-{last:02}\n")
    grown = read_pack((ONE + extra).encode())

    def packs(name: str) -> Pack:
        return grown if name == "one" else pack(name)

    if over:
        assert "old" not in {each.from_ for each in read(WALK.encode(), pack=packs).relations}
        row = relation("intersects", "old", "v")
        assert len(read((WALK + row).encode(), pack=packs).relations) == len(walk().relations) + 1
        return
    with pytest.raises(Malformed) as caught:
        read(WALK.encode(), pack=packs)
    assert (caught.value.code, caught.value.values["names"]) == ("norms.crosswalk.unanswered", "old")


def test_a_pair_may_not_contradict_itself_and_equal_is_exclusive() -> None:
    fault = refused(WALK + relation("superset", "c", "x", rationale="functional"))
    assert fault.code == "norms.crosswalk.contradiction"
    assert "equal" in fault.do.en
    assert refused(WALK + relation("equal", "a", "w")).code == "norms.crosswalk.equal"
    assert refused(WALK + relation("equal", "b", "v")).code == "norms.crosswalk.equal"


def test_a_pair_may_be_mapped_once_for_each_rationale() -> None:
    """NIST IR 8477, section 4.3: the expert can do multiple mappings for the concept pair, each using another rationale."""
    assert len(walk(WALK + relation("intersects", "a", "v", rationale="syntactic")).relations) == 8


def test_bytes_syntax_size_and_rows() -> None:
    with pytest.raises(Malformed, match="not UTF-8"):
        read(b"format = 1\n# \xff", pack=pack)
    assert refused("[[relation\n").code == "norms.crosswalk.syntax"
    assert refused("a = " + "[" * 5000).code == "norms.crosswalk.syntax"
    with pytest.raises(Malformed) as large:
        read(b"#" * (MAX_BYTES + 1), pack=pack)
    assert large.value.code == "norms.crosswalk.size"
    assert refused("relation = [" + "{},\n" * (MAX_ROWS + 1) + "]").code == "norms.crosswalk.rows"
    assert refused("relation = 3").code == "norms.crosswalk.form"
    assert refused("relation = [3]").code == "norms.crosswalk.form"


# --- the laws ---------------------------------------------------------------------------------------------------------


def test_turning_twice_gives_the_same_and_once_the_mirror() -> None:
    found = walk()
    assert turn(turn(found)) == found
    turned = turn(found)
    assert turned.turned
    assert (turned.from_, turned.to) == ("other", "one")
    assert {(to, INVERSE[type_], from_) for from_, type_, to in pairs(turned)} == pairs(found)  # type: ignore[index]
    assert turned.alone("from") == ("z",)


SETS = [frozenset(each) for size in range(1, 5) for each in itertools.combinations(range(4), size)]


def of_sets(one: frozenset[int], other: frozenset[int]) -> Type:
    if one == other:
        return "equal"
    if one < other:
        return "subset"
    if one > other:
        return "superset"
    return "intersects" if one & other else "none"


def joined(first: Type, second: Type) -> Type | None:
    """Return what the engine derives from two relations, by way of real crosswalks."""
    one = walk_of("one", "other", relation(first, "a", "v"))
    two = walk_of("other", "third", relation(second, "v", "m"))
    found = compose(one, two).relations
    return found[0].type if found else None


def walk_of(one: str, other: str, row: str) -> Crosswalk:
    text = walk_head(one, other) + row
    alone = [relation("none", each.id) for each in PACKS[one].requirements if f'from = "{each.id}"' not in row]
    alone += [relation("none", "", each.id) for each in PACKS[other].requirements if f'\nto = "{each.id}"' not in row]
    return walk(text + "".join(alone))


def test_what_is_derived_holds_for_all_sets_and_nothing_else_can_be_derived() -> None:
    """Over all sets of four things: a derived relation holds whatever the sets; where none is derived, none holds always."""
    told: dict[tuple[Type, Type], set[Type]] = {}
    for one, middle, other in itertools.product(SETS, repeat=3):
        pair = of_sets(one, middle), of_sets(middle, other)
        told.setdefault(pair, set()).add(of_sets(one, other))
    holds: dict[Type | None, set[Type]] = {
        "equal": {"equal"},
        "subset": {"subset"},
        "superset": {"superset"},
        # Derived, it means that they overlap, at least.
        "intersects": {"equal", "subset", "superset", "intersects"},
    }
    for (first, second), possible in told.items():
        if "none" in {first, second}:
            continue
        derived = joined(first, second)
        if derived is None:
            assert "none" in possible, (first, second)
        else:
            assert possible <= holds[derived], (first, second)


def test_a_chain_is_derived_marked_and_weak() -> None:
    chain = compose(walk(), walk(ONWARD))
    assert (chain.from_, chain.to, chain.by) == ("one", "third", ("other",))
    assert pairs(chain) == {("a", "equal", "m"), ("b", "intersects", "n")}
    first = chain.relations[0]
    assert (first.confidence, first.strength) == ("low", 6)
    assert [(each.crosswalk, each.from_, each.type, each.to) for each in first.path] == [
        ("one--other", "a", "equal", "v"),
        ("other--third", "v", "equal", "m"),
    ]


def test_two_ways_to_one_pair_keep_what_says_more() -> None:
    more = walk(WALK + relation("superset", "a", "w"))
    onward = walk(ONWARD.replace(relation("subset", "w", "n"), relation("subset", "w", "m")))
    chain = compose(more, onward)
    assert ("a", "equal", "m") in pairs(chain)
    contrary = compose(
        walk_of("one", "other", relation("subset", "a", "v") + relation("superset", "a", "w")),
        walk_of("other", "third", relation("subset", "v", "m") + relation("superset", "w", "m")),
    )
    assert ("a", "intersects", "m") in pairs(contrary)


def test_crosswalks_that_do_not_meet_are_not_joined() -> None:
    with pytest.raises(Malformed) as caught:
        compose(walk(ONWARD), walk())
    assert caught.value.code == "norms.crosswalk.apart"


# --- the shelf --------------------------------------------------------------------------------------------------------


def test_a_shelf_finds_what_is_mapped_in_either_direction_and_derives_the_rest() -> None:
    shelf = Shelf([walk(ONWARD)], own=lambda: [walk()])
    assert [each.id for each in shelf.all] == ["one--other", "other--third"]
    assert shelf.between("one", "other") == walk()
    assert shelf.between("other", "one") == turn(walk())
    chain = shelf.between("one", "third")
    assert isinstance(chain, Chain)
    assert chain == compose(walk(), walk(ONWARD))
    back = shelf.between("third", "one")
    assert pairs(back) == {("m", "equal", "a"), ("n", "intersects", "b")}
    assert shelf.mapped("one", "third") is None
    with pytest.raises(Missing) as caught:
        shelf.between("one", "nowhere")
    assert "one – other" in caught.value.do.en


def test_a_longer_way_is_walked_step_by_step() -> None:
    last = walk_of("third", "fourth", relation("superset", "m", "q"))
    chain = Shelf([walk(ONWARD), last], own=lambda: [walk()]).between("one", "fourth")
    assert isinstance(chain, Chain)
    assert chain.by == ("other", "third")
    assert pairs(chain) == {("a", "superset", "q")}
    assert [each.crosswalk for each in chain.relations[0].path] == ["one--other", "other--third", "third--fourth"]


def test_an_added_crosswalk_hides_one_of_the_same_pair_whichever_way_it_is_written() -> None:
    added = turn(walk())
    shelf = Shelf([added], own=lambda: [walk()])
    assert shelf.all == (added,)


def test_what_travels_with_the_software_is_whole() -> None:
    for name in shipped():
        found = load(name)
        assert f"{found.from_}--{found.to}" == name
        said = {each.from_ for each in found.relations}, {each.to for each in found.relations}
        for side, named in zip((found.from_, found.to), said, strict=True):
            rows = shipped_pack(side).requirements
            assert {each.id for each in rows if not former(each, found.known_at)} <= named
    assert {(each.from_, each.to) for each in Shelf().all} == {tuple(name.split("--")) for name in shipped()}
    with pytest.raises(Missing) as caught:
        load("nothing--here")
    assert caught.value.code == "norms.no-crosswalk-file"
    with pytest.raises(Missing):
        shipped_pack("nothing")
