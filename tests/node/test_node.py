"""Writing and reading at a node: audiences, derivation, correction, publication, erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tongqiu.node.duties import Duties
from tongqiu.node.node import open_node
from tongqiu.practice import Duty, Practice
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, STRANGER, Audience, Principal, only_for
from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.record.kind import Kind
from tongqiu.record.statement import Attachment, Said, Statement
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
FRIEND = "did:key:z6MkfriendFriendFriend"


def _said(audience: Audience | None = None, purpose: str = "p", **more: Any) -> Said:
    return Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose=purpose), audience=audience, **more)


def _publish(node: Node, audience: Audience | None = None, purpose: str = "p", **more: Any) -> Statement:
    return node.publish([_said(audience, purpose, **more)])[0]


def test_a_record_reads_back_as_it_was_said(node: Node) -> None:
    made = _publish(node)
    assert node.statement(made.entry) == made
    assert made.issuer == node.me
    assert made.body == {"parts": [], "purpose": "p"}


def test_without_an_audience_a_record_is_for_its_issuer_alone(node: Node) -> None:
    made = _publish(node)
    for stranger in (STRANGER, Principal(FRIEND), Principal(FRIEND, roles=frozenset({"owner"}))):
        with pytest.raises(Missing) as caught:
            node.statement(made.entry, stranger)
        with pytest.raises(Missing) as absent:
            node.statement("sha-256:" + "0" * 64, stranger)
        assert caught.value.code == absent.value.code
        assert node.desk(stranger).systems() == []
        assert node.desk(stranger).records(kind=core.COMPOSITION.name) == ([], None)
        assert node.desk(stranger).rows("systems").total == 0


def test_named_readers_read_and_an_embargo_holds_them_back(node: Node, clock: Any) -> None:
    later = "2026-11-24T08:00:00.000Z"
    made = _publish(node, only_for([node.me, FRIEND], marking="amber", embargo=later))
    with pytest.raises(Missing):
        node.statement(made.entry, Principal(FRIEND))
    assert node.statement(made.entry).entry == made.entry
    clock.push(days=2)
    assert node.statement(made.entry, Principal(FRIEND)).entry == made.entry


def test_a_derived_record_is_never_wider_than_its_sources(node: Node) -> None:
    narrow = _publish(node, only_for([node.me, FRIEND]))
    wide = _publish(node, EVERYONE, "q")
    derived = _publish(node, None, "r", rests_on=(narrow.entry, wide.entry))
    assert derived.content.audience == only_for([node.me, FRIEND])
    with pytest.raises(Refused) as caught:
        _publish(node, EVERYONE, "s", rests_on=(narrow.entry, wide.entry))
    assert caught.value.code == "audience.wider"


def test_a_named_person_may_declassify_and_only_for_what_was_named(node: Node) -> None:
    narrow = _publish(node)
    derived = _publish(node, None, "r", rests_on=(narrow.entry,))
    with pytest.raises(Refused):
        node.widen(derived, EVERYONE)
    new = node.widen(derived, EVERYONE, person="Li Lei", why="the summary is harmless")
    assert node.statement(new.entry, STRANGER).body["purpose"] == "r"
    with pytest.raises(Missing):
        node.statement(narrow.entry, STRANGER)
    with pytest.raises(Missing):
        node.statement(derived.entry, STRANGER)
    assert not node.snapshot().stands(node.statement(derived.entry))


def test_what_rests_on_nothing_here_is_refused_whole(node: Node) -> None:
    before = node.store.backend.head().size
    with pytest.raises(Missing):
        node.publish([_said(), _said(None, "q", rests_on=("sha-256:" + "1" * 64,))])
    assert node.store.backend.head().size == before


def test_unknown_kinds_and_unfit_bodies_are_refused(node: Node) -> None:
    with pytest.raises(Malformed) as caught:
        node.publish([Said("no.such/1", SYSTEM, {})])
    assert caught.value.code == "kind.unknown"
    with pytest.raises(Malformed) as caught:
        node.publish([Said(core.COMPOSITION.name, SYSTEM, {"parts": [], "purpos": "x"})])
    assert caught.value.code == "kind.body"


def test_withdrawal_and_replacement_end_a_record_and_stay_visible(node: Node) -> None:
    first = _publish(node)
    assert node.desk(node.owner).rows("systems").total == 1
    node.withdraw(first, why="wrong folder")
    assert node.desk(node.owner).systems() == []
    assert node.desk(node.owner).rows("systems").total == 0
    assert node.desk(node.owner).retired_by(first.entry) is not None
    with pytest.raises(Refused) as caught:
        node.withdraw(first, why="again")
    assert caught.value.code == "core.withdrawn"
    thread = "urn:tongqiu:slot:x"
    one = node.replace(thread, [_said(None, "1")], by="t@1", key=None)[0]
    two = node.replace(thread, [_said(None, "2")], by="t@1", key=None)[0]
    standing = node.snapshot().standing(core.COMPOSITION.name, thread=thread)
    assert [each.entry for each in standing] == [two.entry]
    assert node.statement(one.entry).body["purpose"] == "1"


def test_a_snapshot_of_the_past_does_not_know_what_came_later(node: Node, clock: Any) -> None:
    first = _publish(node)
    clock.push(hours=1)
    then = node.now
    clock.push(hours=1)
    node.withdraw(first, why="later")
    _publish(node, None, "new")
    past = node.snapshot(as_of=then, known_at=then)
    assert [each.entry for each in past.said(core.COMPOSITION.name)] == [first.entry]
    assert [each.body["purpose"] for each in node.snapshot().said(core.COMPOSITION.name)] == ["new"]
    assert past.asked[0].count == 1
    again = node.snapshot(as_of=then, known_at=then)
    again.said(core.COMPOSITION.name)
    assert again.asked[0].answer == past.asked[0].answer


def test_one_name_of_work_is_logged_once(node: Node) -> None:
    first = node.publish([_said()], done="duty:x")
    size = node.store.backend.head().size
    second = node.publish([_said()], done="duty:x")
    assert node.store.backend.head().size == size
    assert [each.entry for each in second] == [each.entry for each in first]


def test_a_file_streams_while_a_record_that_carries_it_stands(node: Node) -> None:
    made = _publish(node, EVERYONE, files=(Attachment("a.txt", "text/plain", b"x" * 200_000),))
    digest = made.content.files[0].digest
    assert b"".join(node.desk(STRANGER).stream(digest)) == b"x" * 200_000
    pieces = node.desk(STRANGER).stream(digest)
    next(pieces)
    node.withdraw(made, why="revoked")
    with pytest.raises(Refused) as caught:
        next(pieces)
    assert caught.value.code == "stream.stopped"
    with pytest.raises(Missing):
        node.desk(STRANGER).stream(digest)


def test_erasure_leaves_no_byte_and_receipts_still_verify(node: Node, tmp_path: Path) -> None:
    secret = b"Zhang San 11010519491231002X"
    made = _publish(node, None, secret.decode(), files=(Attachment("s.txt", "text/plain", b"FILE" + secret),))
    resting = _publish(node, None, "rests", rests_on=(made.entry,))
    receipt = node.desk(node.owner).receipt(made.entry)
    index = made.index
    stone = node.erase(made, ground="Art. 17 GDPR", authority="data protection officer")
    assert stone.body["dependents"] == [resting.entry]
    with pytest.raises(Missing):
        node.statement(made.entry)
    assert node.desk(node.owner).rows("systems", search="Zhang").total == 0
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if secret in path.read_bytes()]
    from tongqiu.ledger.receipt import verify_receipt

    entry = bytes.fromhex(made.entry.removeprefix("sha-256:"))
    assert verify_receipt(receipt, entry, node.log.public, origin=node.log.origin).index == index


def test_a_node_opens_again_as_it_was(tmp_path: Path) -> None:
    with open_node(tmp_path / "h", create=True, name="Lab") as first:
        did, made = first.me, _publish(first)
    with open_node(tmp_path / "h") as second:
        assert second.me == did
        assert second.statement(made.entry).body == made.body
        assert second.log.audit().size == second.store.backend.head().size
    with pytest.raises(Missing) as caught:
        open_node(tmp_path / "nobody")
    assert caught.value.code == "home.missing"


def test_only_the_owner_and_issuers_publish_through_a_desk(node: Node) -> None:
    with pytest.raises(Refused) as caught:
        node.desk(Principal(FRIEND)).publish(_said())
    assert caught.value.code == "desk.role"
    assert node.desk(node.owner).publish(_said())


def test_odd_questions_at_a_desk_have_plain_answers(node: Node) -> None:
    made = _publish(node)
    desk = node.desk(node.owner)
    assert desk.records(after="9" * 5000)[0]
    assert desk.records(after="²")[0]
    for odd in ("x\ud800", "", "x" * 5000, "urn:x"):
        with pytest.raises(Missing):
            desk.subject(odd)
        with pytest.raises(Missing):
            desk.record(odd)
        assert desk.said("*", ref=odd) == []
        with pytest.raises(Missing):
            desk.stream(odd)
    assert desk.said("*", ref=made.entry) == []


def test_a_record_is_said_again_for_everyone_with_its_file(node: Node) -> None:
    wide = _publish(node, EVERYONE, "wide")
    made = _publish(
        node, only_for([node.me]), rests_on=(wide.entry,), files=(Attachment("a.txt", "text/plain", b"the file"),)
    )
    new = node.widen(made, EVERYONE, person="Li Lei")
    assert b"".join(node.desk(STRANGER).stream(new.content.files[0].digest)) == b"the file"
    assert node.snapshot().said(core.DECLASSIFIED.name) == [], "what everyone may read needs no release"
    with pytest.raises(Refused) as caught:
        node.widen(made, EVERYONE)
    assert caught.value.code == "core.ended"


def test_withdrawing_again_is_refused_unless_that_is_as_good(node: Node) -> None:
    made = _publish(node)
    assert node.publish([]) == ()
    ended = node.withdraw(made, why="wrong")
    assert ended.kind == core.WITHDRAWAL.name
    assert node.withdraw(made, why="wrong", again=True) == made


class Meddled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a record in whose thread somebody writes while it is drawn up."""

    number: int


def test_who_is_always_overtaken_gives_up_and_says_so(tmp_path: Path, clock: Any) -> None:
    thread, tries = "urn:tongqiu:slot:busy", list[int]()

    def meddle(body: Meddled) -> list[Any]:
        if len(tries) < left[0]:
            tries.append(body.number)
            node.publish([_said(None, f"in between {len(tries)}", thread=thread)])
        return []

    words = Text(en="words", zh="文字")
    kind = Kind(name="test.meddled/1", body=Meddled, title=words, evidence=meddle)
    practice = Practice(name="test", title=words, about=words, kinds=(kind,))
    with open_node(tmp_path / "busy", create=True, name="Lab", clock=clock, extra=[practice]) as node:
        left, said = [1], [Said(kind.name, SYSTEM, Meddled(1))]
        made, *_ = node.replace(thread, said, by="t@1", key=None)
        assert [each.entry for each in node.snapshot().standing(kind.name, thread=thread)] == [made.entry]
        assert tries == [1]
        left[0] = 1000
        with pytest.raises(Refused) as caught:
            node.replace(thread, said, by="t@1", key=None)
        assert caught.value.code == "thread.moved"
        assert 2 < len(tries) < 100
        secret = _publish(node, None, "secret")
        wide = [said[0]._replace(audience=EVERYONE, rests_on=(secret.entry,))]
        with pytest.raises(Refused) as caught:
            node.replace(thread, wide, by="t@1", key=None)
        assert caught.value.code == "audience.wider"


def test_more_records_than_a_page_are_all_found_and_every_clock_is_set(tmp_path: Path, clock: Any) -> None:
    words = Text(en="words", zh="文字")
    duty = Duty(
        name="test.later", title=words, reads=("core.composition/1",), when=f"{HERE}:at_once", act=f"{HERE}:done"
    )
    practice = Practice(name="test", title=words, about=words, duties=(duty,))
    with open_node(tmp_path / "many", create=True, name="Lab", clock=clock, extra=[practice]) as node:
        made = node.publish([_said(None, str(number)) for number in range(501)])
        assert len(node.snapshot().said(core.COMPOSITION.name)) == 501
        duties = Duties(node)
        struck = duties.tick()
        assert [each.entry for each in struck] == [made[0].entry, made[500].entry]
        assert duties.tick() == []


HERE = "tests.node.test_node"


def at_once(statement: Statement) -> str | None:
    return statement.at if statement.body["purpose"] in {"0", "500"} else None


def done(_statement: Statement, _world: Any, _desk: Any) -> list[Said]:
    return []
