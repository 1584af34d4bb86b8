"""Doing things at a node: who may, what it makes, who is named, and who loses a race."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.node.conftest import HandClock
from tests.node.shop import PRACTICE
from tongqiu.node import open_node, proposals
from tongqiu.node.duties import Duties
from tongqiu.node.filling import Unfit
from tongqiu.node.people import Signed
from tongqiu.node.verbs import act, allowed, offered, others, owned
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, STRANGER, Principal, only_for
from tongqiu.record.faults import Fault, Missing, Refused
from tongqiu.record.statement import Attachment, Said, Statement
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
MODEL = Subject("model", "urn:tongqiu:test:one:model", None, "model")
FRIEND = "did:key:z6MkfriendFriendFriend"
ZERO = "sha-256:" + "0" * 64


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory", clock=clock, extra=[PRACTICE]) as opened:
        opened.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(core.Part("model", MODEL),)))])
        yield opened


@pytest.fixture
def owner(node: Node) -> Signed:
    return node.people.at_terminal()


def signed(node: Node, name: str, role: str, party: str = "") -> Signed:
    """Return somebody new who signed in."""
    person = node.people.add(name, role, party=party)
    return Signed(node.people.principal(person), person, "session", "csrf")


def composition(node: Node) -> Statement:
    return node.desk(node.owner).said(core.COMPOSITION.name)[0]


def acts(node: Node) -> list[core.Act]:
    found = sorted(node.desk(node.owner).said(core.ACT.name), key=lambda each: each.index)
    return [core.ACT.read(each.body) for each in found]


def code(work: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Fault) as caught:
        work(*args, **named)
    return caught.value.code


# --- who may, and what is logged --------------------------------------------------------------------------------------


def test_an_act_and_its_account_are_logged_together(node: Node, owner: Signed) -> None:
    before = node.store.backend.head().size
    done = act(node, owner, "shop.say", {"subject": SYSTEM.id, "words": "it works"})
    (made,) = done.statements
    assert (made.kind, made.content.by, made.body) == ("shop.thing/1", "verb:shop.say", {"words": "it works"})
    (told,) = acts(node)
    assert told == core.Act(owner.principal.person, "shop.say", (made.entry,))
    assert node.store.backend.head().size == before + 2
    assert node.desk(STRANGER).said(core.ACT.name) == []


def test_who_may_not_is_refused_and_who_is_unknown_is_told_nothing(node: Node, owner: Signed) -> None:
    assert code(act, node, STRANGER, "shop.say", {}) == "verb.role"
    assert code(act, node, signed(node, "R", "reader"), "shop.say", {}) == "verb.role"
    assert code(act, node, owner, "shop.none", {}) == "verb.missing"
    token = owner._replace(scopes=frozenset({"read", "core.declare"}), how="token")
    assert code(act, node, token, "shop.say", {}) == "verb.role"
    assert allowed(node, token, "core.declare")[1].name == "core.declare"
    assert acts(node) == []


def test_a_guest_acts_on_its_own_systems_alone(node: Node, owner: Signed) -> None:
    guest = signed(node, "G", "contributor", FRIEND)
    values = {"subject": SYSTEM.id, "words": "from a guest"}
    # The guest cannot even see a subject that nothing it may read is about.
    assert code(act, node, guest, "shop.say", values) == "subject.missing"
    node.publish(
        [Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(core.Part("model", MODEL),)), audience=EVERYONE)]
    )
    assert code(act, node, guest, "shop.say", values) == "verb.not-yours"
    act(node, owner, "core.assign", {"subject": SYSTEM.id, "party": FRIEND, "why": "they run it"})
    (made,) = act(node, guest, "shop.say", values).statements
    assert made.content.audience == only_for([node.me, FRIEND])
    assert owned(node, FRIEND, MODEL)
    assert owned(node, FRIEND, Subject("party", FRIEND))
    assert not owned(node, FRIEND, Subject("system", "urn:tongqiu:test:two"))
    assert not owned(node, None, SYSTEM)
    act(node, owner, "core.assign", {"subject": SYSTEM.id, "party": node.me})
    assert code(act, node, guest, "shop.say", values) == "verb.not-yours"


def test_what_is_offered_depends_on_who_asks_and_beside_what(node: Node, owner: Signed) -> None:
    names = {verb.name for _, verb in offered(node, owner)}
    assert {"core.erase", "shop.say"} <= names
    assert offered(node, STRANGER) == ()
    reviewer = signed(node, "R", "reviewer")
    # A reviewer makes no records; what it holds in a review of ethics is the one thing it says.
    assert {verb.name for _, verb in offered(node, reviewer)} == {"grading.take-position"}
    beside = {verb.name for _, verb in offered(node, owner, kind="shop.thing/1")}
    assert {"shop.say", "core.withdraw"} <= beside
    assert "core.reply" not in beside
    about_systems = {verb.name for _, verb in offered(node, owner, subject_type="system")}
    assert {each for each in about_systems if not each.startswith(("grading.", "evaluation."))} == {
        "core.declare",
        "core.assign",
        "shop.say",
    }


def test_a_request_that_comes_twice_is_done_once(node: Node, owner: Signed) -> None:
    values = {"subject": SYSTEM.id, "words": "once is enough"}
    first = act(node, owner, "shop.say", values, once="abc")
    size = node.store.backend.head().size
    assert act(node, owner, "shop.say", values, once="abc") == first
    assert node.store.backend.head().size == size
    other = signed(node, "I", "issuer")
    assert act(node, other, "shop.say", values, once="abc").statements[0].entry != first.statements[0].entry


def test_a_request_that_comes_twice_at_once_is_done_once_and_answered_twice(node: Node, owner: Signed) -> None:
    (first,) = act(node, owner, "core.declare", {"subject": SYSTEM.id, "name": "a.b", "value": "1"}).statements
    gate, outcomes = threading.Barrier(3), list[str]()

    def write() -> None:
        gate.wait()
        values = {"entry": first.entry, "why": "sent twice"}
        outcomes.append(act(node, owner, "core.withdraw", values, once="w").statements[0].entry)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(outcomes) == 3
    assert len(set(outcomes)) == 1
    with pytest.raises(Refused):
        act(node, owner, "core.withdraw", {"entry": first.entry, "why": "another"}, once="v")


def test_a_verb_keeps_its_word_or_nothing_is_logged(node: Node, owner: Signed) -> None:
    size = node.store.backend.head().size
    values = {"subject": SYSTEM.id}
    assert code(act, node, owner, "shop.other", values) == "verb.makes"
    assert code(act, node, owner, "shop.nothing", values) == "verb.nothing"
    assert code(act, node, owner, "shop.shout", values) == "verb.publish"
    assert node.store.backend.head().size == size


def test_of_two_who_write_at_once_one_is_refused(node: Node, owner: Signed) -> None:
    (first,) = act(node, owner, "core.declare", {"subject": SYSTEM.id, "name": "a.b", "value": "1"}).statements
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def write(value: str) -> None:
        gate.wait()
        try:
            act(node, owner, "core.withdraw", {"entry": first.entry, "why": f"wrong {value}"})
            outcomes.append("done")
        except Refused as fault:
            outcomes.append(fault.code)

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["core.withdrawn", "done"]


def test_the_rule_of_a_thread_and_replacements_are_judged_where_it_is_logged(node: Node, owner: Signed) -> None:
    act(node, owner, "shop.word", {"subject": SYSTEM.id, "words": "once"})
    assert code(act, node, owner, "shop.word", {"subject": SYSTEM.id, "words": "once"}) == "shop.once"
    old = composition(node)
    said = Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose="new"), replaces=(old.entry,))
    node.publish([said])
    assert code(node.publish, [said]) == "core.ended"
    fact = Said(core.FACT.name, SYSTEM, core.Fact("a.b", 1.0), thread="urn:tongqiu:fact:x")
    node.publish([fact])
    assert code(node.publish, [fact]) == "core.moved"


# --- publishing and replies -------------------------------------------------------------------------------------------


def test_publishing_says_a_record_again_and_what_made_it_stays(node: Node, owner: Signed) -> None:
    old = node.publish([Said("shop.thing/1", SYSTEM, {"words": "seen"})], by="shop.look@1", key=ZERO)[0]
    (new,) = act(node, owner, "core.publish", {"entry": old.entry}).statements
    assert (new.content.by, new.content.key, new.content.audience) == ("shop.look@1", ZERO, EVERYONE)
    assert node.statement(new.entry, STRANGER).body == {"words": "seen"}
    assert not node.snapshot().stands(old)
    assert code(act, node, owner, "core.publish", {"entry": old.entry}) == "core.ended"


def test_what_rests_on_private_records_needs_a_person_by_name(node: Node, owner: Signed) -> None:
    source = composition(node)
    (made,) = act(
        node, owner, "shop.say", {"subject": SYSTEM.id, "words": "derived", "source": source.entry}
    ).statements
    assert code(act, node, owner, "core.publish", {"entry": made.entry}) == "audience.wider"
    values = {"entry": made.entry, "person": "Li Lei", "why": "only words"}
    done = act(node, owner, "core.publish", values)
    assert [each.kind for each in done.statements] == ["shop.thing/1", "core.declassified/1"]
    assert node.statement(done.statements[0].entry, STRANGER).body == {"words": "derived"}
    with pytest.raises(Missing):
        node.statement(source.entry, STRANGER)
    (more,) = act(node, owner, "shop.say", {"subject": SYSTEM.id, "words": "more", "source": source.entry}).statements
    done = act(node, owner, "core.publish", {**values, "entry": more.entry})
    assert [each.kind for each in done.statements] == ["shop.thing/1"]


def test_a_record_of_another_party_is_not_ours_to_publish_or_withdraw(
    node: Node, tmp_path: Path, owner: Signed
) -> None:
    from tongqiu.node import passports
    from tongqiu.node.follow import follow
    from tongqiu.node.verbs import VerbDesk
    from tongqiu.seal.policy import read_trust

    with open_node(tmp_path / "other", create=True, name="Other") as other:
        made = other.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()), audience=EVERYONE)])[0]
        data = passports.export(other, SYSTEM)
        trust = read_trust(passports.trust_file(other.home).encode(), where="trust.toml")
    follow(node, data, trust)
    for verb in ("core.publish", "core.withdraw"):
        assert (
            code(
                act,
                node,
                owner,
                verb,
                {"entry": made.entry, "why": "because"} if "with" in verb else {"entry": made.entry},
            )
            == "core.not-yours"
        )
    assert VerbDesk(node, node.owner).issuer == node.me


def _noticed(node: Node, owner: Signed, **more: Any) -> tuple[Statement, Statement]:
    old = node.publish(
        [Said("shop.thing/1", SYSTEM, {"words": "not nice"}, files=(Attachment("a.txt", "text/plain", b"a"),))]
    )[0]
    values = {"entry": old.entry, "told": FRIEND, "until": "2026-12-07", "why": "as agreed", **more}
    record, notice = act(node, owner, "core.publish", values).statements
    return record, notice


def test_who_is_told_reads_first_replies_and_the_reply_travels(node: Node, owner: Signed, clock: HandClock) -> None:
    record, notice = _noticed(node, owner)
    guest = signed(node, "G", "contributor", FRIEND)
    assert node.statement(record.entry, guest.principal).body == {"words": "not nice"}
    assert code(node.statement, record.entry, STRANGER) == "record.missing"
    (reply,) = act(node, guest, "core.reply", {"entry": notice.entry, "words": "We have mended it."}).statements
    assert core.REPLY.read(reply.body).party == FRIEND
    duties = Duties(node)
    assert duties.tick() == []
    clock.push(days=20)
    assert [each.duty for each in duties.tick()] == ["core.publish-noticed"]
    public = node.desk(STRANGER)
    assert [each.body for each in public.said("shop.thing/1")] == [{"words": "not nice"}]
    assert [each.body["words"] for each in public.said(core.REPLY.name)] == ["We have mended it."]
    (published,) = public.said("shop.thing/1")
    assert [each.name for each in published.content.files] == ["a.txt"]
    assert [each.body["words"] for each in public.replies(published.entry)] == ["We have mended it."]
    assert node.desk(node.owner).replies(composition(node).entry) == []
    size = node.store.backend.head().size
    Duties(node).tick()
    assert node.store.backend.head().size == size


@pytest.mark.parametrize("how", ["asked", "withdrawn", "changed", "erased"])
def test_nothing_is_published_that_was_withdrawn_changed_or_asked_to_be_corrected(
    node: Node, owner: Signed, clock: HandClock, how: str
) -> None:
    record, notice = _noticed(node, owner)
    guest = signed(node, "G", "contributor", FRIEND)
    if how == "asked":
        act(node, guest, "core.reply", {"entry": notice.entry, "words": "Wrong year.", "asks": "correction"})
    elif how == "withdrawn":
        act(node, owner, "core.withdraw", {"entry": record.entry, "why": "wrong year"})
    elif how == "changed":
        node.publish([Said("shop.thing/1", SYSTEM, {"words": "nicer"}, replaces=(record.entry,))])
    else:
        for entry in (core.NOTICE.read(notice.body).entry, record.entry):
            act(node, owner, "core.erase", {"entry": entry, "ground": "Art. 17"})
    clock.push(days=20)
    Duties(node).tick()
    assert node.desk(STRANGER).said("shop.thing/1") == []


def test_a_reply_comes_from_who_was_told_to_what_was_noticed(node: Node, owner: Signed) -> None:
    record, notice = _noticed(node, owner)
    friend, other = signed(node, "G", "contributor", FRIEND), signed(node, "H", "contributor", "did:key:z6Mkother")
    assert code(act, node, other, "core.reply", {"entry": notice.entry, "words": "x"}) == "record.missing"
    assert code(act, node, friend, "core.reply", {"entry": record.entry, "words": "x"}) == "core.no-notice"
    stray = Said(core.REPLY.name, SYSTEM, core.Reply(record.entry, FRIEND, "x"), thread="urn:tongqiu:notice:none")
    assert code(node.publish, [stray]) == "core.no-notice"


@pytest.mark.parametrize("more", [{"until": ""}, {"told": ""}, {"until": "2020-01-01"}])
def test_a_reply_period_needs_both_and_lies_ahead(node: Node, owner: Signed, more: dict[str, str]) -> None:
    assert code(_noticed, node, owner, **more) == "publish.period"
    assert code(_noticed, node, owner, to="pkg:pypi/x@1") == "publish.reader"


# --- correcting, declaring, erasing -----------------------------------------------------------------------------------


def test_a_person_corrects_what_a_person_said_and_nothing_else(node: Node, owner: Signed) -> None:
    (made,) = act(node, owner, "shop.say", {"subject": SYSTEM.id, "words": "twelve"}).statements
    done = act(node, owner, "core.correct", {"entry": made.entry, "body": '{"words": "thirteen"}', "why": "miscounted"})
    (new,) = done.statements
    assert (new.body, new.content.by) == ({"words": "thirteen"}, "verb:core.correct")
    why = [core.SUPERSESSION.read(each.body).why for each in node.desk(node.owner).said(core.SUPERSESSION.name)]
    assert why == ["miscounted"]
    values = {"entry": new.entry, "why": "again"}
    assert code(act, node, owner, "core.correct", {**values, "body": "{nothing"}) == "core.body"
    assert code(act, node, owner, "core.correct", {**values, "body": '{"word": 1}'}) == "kind.body"
    assert (
        code(act, node, owner, "core.correct", {"entry": composition(node).entry, "body": "{}", "why": "again"})
        == "core.made-by-run"
    )


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"value": "twelve"}, "twelve"),
        ({"value": "12", "sort": "number"}, 12.0),
        ({"value": "是", "sort": "flag"}, True),
        ({"value": "No", "sort": "flag"}, False),
    ],
)
def test_a_declared_fact_is_a_claim_and_the_last_one_stands(
    node: Node, owner: Signed, typed: dict[str, str], kept: object
) -> None:
    for source in ("page 1", "page 2"):
        act(node, owner, "core.declare", {"subject": SYSTEM.id, "name": "users.count", "source": source, **typed})
    (fact,) = node.desk(node.owner).said(core.FACT.name)
    assert core.FACT.read(fact.body) == core.Fact("users.count", kept, "page 2")  # type: ignore[arg-type]
    (evidence,) = fact.content.evidence
    assert (evidence.basis, evidence.measure, evidence.value) == ("claimed", "declared.users.count", kept)


@pytest.mark.parametrize(("value", "sort"), [("much", "number"), ("nan", "number"), ("perhaps", "flag")])
def test_a_value_of_another_sort_is_refused(node: Node, owner: Signed, value: str, sort: str) -> None:
    values = {"subject": SYSTEM.id, "name": "users.count", "value": value, "sort": sort}
    assert code(act, node, owner, "core.declare", values) == "core.value"


def test_a_system_nobody_knows_gets_its_first_record_by_being_assigned(node: Node, owner: Signed) -> None:
    values = {"subject": "urn:tongqiu:test:new", "party": FRIEND, "name": "New"}
    act(node, owner, "core.assign", values)
    assert node.desk(Principal(FRIEND)).subject("urn:tongqiu:test:new").name == "New"
    assert code(act, node, owner, "core.assign", {**values, "party": "pkg:pypi/x@1"}) == "publish.reader"


def test_erasing_alone_is_done_at_once_and_accounted_for(node: Node, owner: Signed) -> None:
    entry = composition(node).entry
    done = act(node, owner, "core.erase", {"entry": entry, "ground": "Art. 17 GDPR"}, once="e")
    assert done.statements[0].kind == core.TOMBSTONE.name
    assert code(node.statement, entry) == "record.missing"
    assert acts(node)[0].made == (done.statements[0].entry,)
    assert act(node, owner, "core.erase", {"entry": entry, "ground": "Art. 17 GDPR"}, once="e") == done


def test_who_did_what_is_not_retyped_withdrawn_or_shown_outside(node: Node, owner: Signed) -> None:
    act(node, owner, "shop.say", {"subject": SYSTEM.id, "words": "it works"})
    signed(node, "R", "reviewer")
    asked = act(node, owner, "shop.two", {"subject": SYSTEM.id, "words": "both of us"}).proposal
    assert asked is not None
    told = node.desk(node.owner).said(core.ACT.name)[0]
    assert code(act, node, owner, "core.withdraw", {"entry": told.entry, "why": "because"}) == "core.order"
    for each in (told, asked):
        assert code(act, node, owner, "core.publish", {"entry": each.entry}) == "core.order"
        body = {"entry": each.entry, "body": "{}", "why": "because"}
        assert code(act, node, owner, "core.correct", body) == "core.made-by-run"


def test_a_guest_names_only_what_it_may_read_and_replaces_only_its_own(node: Node, owner: Signed) -> None:
    guest = signed(node, "G", "contributor", FRIEND)
    act(node, owner, "core.assign", {"subject": SYSTEM.id, "party": FRIEND})
    hidden, values = composition(node).entry, {"subject": SYSTEM.id, "words": "from a guest"}
    for entry in (hidden, ZERO):
        assert code(act, node, guest, "shop.say", {**values, "source": entry}) == "record.missing"
        assert code(act, node, guest, "shop.instead", {**values, "words": entry}) == "record.missing"
    (mine,) = act(node, guest, "shop.say", values).statements
    other = Subject("system", "urn:tongqiu:test:two")
    theirs = node.publish([Said("shop.thing/1", other, {"words": "open"}, audience=EVERYONE)])[0]
    assert code(act, node, guest, "shop.instead", {**values, "words": theirs.entry}) == "verb.not-yours"
    public = node.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()), audience=EVERYONE)])[0]
    assert code(act, node, guest, "shop.instead", {**values, "words": public.entry}) == "verb.makes"
    act(node, guest, "shop.instead", {**values, "words": mine.entry})
    assert not node.snapshot().stands(mine)


# --- two people -------------------------------------------------------------------------------------------------------


def test_two_people_do_what_needs_two_with_the_very_values_of_the_first(node: Node, owner: Signed) -> None:
    reviewer = signed(node, "R", "reviewer")
    assert others(node, owner) == (reviewer.principal.person,)
    entry = composition(node).entry
    done = act(node, owner, "core.erase", {"entry": entry, "ground": "Art. 17 GDPR"}, once="p")
    assert done.statements == ()
    assert done.proposal is not None
    assert act(node, owner, "core.erase", {"entry": entry, "ground": "Art. 17 GDPR"}, once="p") == done
    assert node.statement(entry).entry == entry
    (waits,) = proposals.waiting(node, reviewer)
    assert (waits.mine, waits.may, waits.body.values) == (False, True, {"entry": entry, "ground": "Art. 17 GDPR"})
    assert code(proposals.approve, node, owner, done.proposal.entry) == "proposal.same"
    agreed = proposals.approve(node, reviewer, done.proposal.entry, once="a")
    assert proposals.approve(node, reviewer, done.proposal.entry, once="a") == agreed
    assert code(node.statement, entry) == "record.missing"
    told = acts(node)[-1]
    assert (told.who, told.approved_by, told.proposal) == (
        owner.principal.person,
        reviewer.principal.person,
        done.proposal.entry,
    )
    assert told.made == (agreed.statements[0].entry,)
    assert proposals.waiting(node, reviewer) == ()
    assert code(proposals.approve, node, reviewer, done.proposal.entry) == "proposal.closed"
    assert code(proposals.decline, node, owner, done.proposal.entry, why="late") == "proposal.closed"


def test_files_of_a_proposal_are_those_that_are_used(node: Node, owner: Signed) -> None:
    reviewer = signed(node, "R", "reviewer")
    pages = (Attachment("a.txt", "text/plain", b"aaa"), Attachment("b.txt", "text/plain", b"bbb"))
    values = {"subject": SYSTEM.id, "words": "both of us", "tags": ["x", "y"]}
    done = act(node, owner, "shop.two", values, files={"pages": pages})
    assert done.proposal is not None
    (made,) = proposals.approve(node, reviewer, done.proposal.entry).statements
    assert [each.name for each in made.content.files] == ["a.txt", "b.txt"]
    assert made.body == {"words": "both of us", "tags": ["x", "y"]}


def test_who_may_not_agree_is_refused(node: Node, owner: Signed) -> None:
    done = act(node, owner, "shop.two", {"subject": SYSTEM.id, "words": "both of us"})
    assert done.proposal is not None
    entry = done.proposal.entry
    issuer, friend = signed(node, "I", "issuer"), signed(node, "G", "contributor", FRIEND)
    reviewer = signed(node, "R", "reviewer")
    assert code(proposals.approve, node, issuer, entry) == "proposal.role"
    assert code(proposals.approve, node, friend, entry) == "proposal.missing"
    assert code(proposals.approve, node, reviewer, composition(node).entry) == "proposal.missing"
    assert code(proposals.approve, node, reviewer, ZERO) == "proposal.missing"
    assert code(proposals.approve, node, reviewer._replace(scopes=frozenset({"read"})), entry) == "proposal.role"
    assert code(proposals.decline, node, issuer, entry, why="no") == "proposal.role"
    assert code(act, node, node.owner, "shop.two", {"subject": SYSTEM.id, "words": "who am I"}) == "proposal.person"
    unknown = Principal(node.me, roles=frozenset({"owner"}), person="urn:tongqiu:person:" + "0" * 32)
    nobody = act(node, unknown, "shop.two", {"subject": SYSTEM.id, "words": "both of us"}).proposal
    assert nobody is not None
    assert code(proposals.approve, node, reviewer, nobody.entry) == "proposal.lapsed"
    node.people.add("Second", "owner")
    node.people.end(owner.principal.person)
    assert code(proposals.approve, node, reviewer, entry) == "proposal.lapsed"


def test_a_proposal_is_taken_back_declined_or_lapses(node: Node, owner: Signed, clock: HandClock) -> None:
    reviewer = signed(node, "R", "reviewer")

    def proposed() -> str:
        done = act(node, owner, "shop.two", {"subject": SYSTEM.id, "words": "both of us"})
        assert done.proposal is not None
        return done.proposal.entry

    proposals.decline(node, owner, proposed(), why="thought better of it")
    proposals.decline(node, reviewer, proposed(), why="not agreed")
    assert proposals.waiting(node, reviewer) == ()
    entry = proposed()
    clock.push(days=15)
    assert proposals.waiting(node, reviewer) == ()
    assert code(proposals.approve, node, reviewer, entry) == "proposal.closed"
    assert [each.duty for each in Duties(node).tick() if each.entry == entry] == ["core.lapse"]
    assert not node.snapshot().stands(node.statement(entry))


def test_a_proposal_is_decided_once_however_many_decide(node: Node, owner: Signed, clock: HandClock) -> None:
    reviewer = signed(node, "R", "reviewer")
    done = act(node, owner, "shop.two", {"subject": SYSTEM.id, "words": "both of us"})
    assert done.proposal is not None
    statement = done.proposal
    body = core.Act(owner.principal.person, "shop.two", (ZERO,), reviewer.principal.person, statement.entry)
    told = Said(core.ACT.name, Subject("party", node.me), body, thread=statement.content.thread)
    from tongqiu.node.core_deeds import withdrawal

    proposals.approve(node, reviewer, statement.entry)
    assert code(node.publish, [told]) == "proposal.closed"
    assert code(node.publish, [withdrawal(statement, "too late")]) == "proposal.closed"
    clock.push(days=15)
    assert Duties(node).tick()
    assert node.snapshot().stands(node.statement(statement.entry))


def test_mistakes_in_a_proposal_are_found_before_anybody_is_asked(node: Node, owner: Signed) -> None:
    with pytest.raises(Unfit):
        act(node, owner, "shop.two", {"subject": SYSTEM.id})
    signed(node, "R", "reviewer")
    with pytest.raises(Missing):
        act(node, owner, "core.erase", {"entry": ZERO, "ground": "Art. 17"})
    assert acts(node) == []
