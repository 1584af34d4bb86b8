"""Desks without a log: what is signed far away is logged later, once, in order, by the node's own rules, or keeps its reason."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tongqiu.cli import main
from tongqiu.ledger.receipt import verify_receipt
from tongqiu.node import drafts, fsck, open_node
from tongqiu.node import home as homes
from tongqiu.record import cbor, core
from tongqiu.record.audience import EVERYONE, STRANGER, Audience, only_for
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unreachable
from tongqiu.record.statement import Attachment, Said, read_content, write_content
from tongqiu.record.subject import Subject
from tongqiu.seal import keyfile, statement
from tongqiu.seal.policy import PartyPin, Policy, write_trust

if TYPE_CHECKING:
    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")


def _said(purpose: str = "p", audience: Audience | None = None, **more: Any) -> Said:
    return Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=(), purpose=purpose), audience=audience, **more)


@pytest.fixture
def desk(node: Node, tmp_path: Path) -> drafts.Desk:
    """Return a desk of the node's own party."""
    return drafts.begin(tmp_path / "desk", name="", at=node.now, practices=node.practices, own=node.home)


@pytest.fixture
def inspector(node: Node, tmp_path: Path) -> drafts.Desk:
    """Return a desk of another party, which the node does not know yet."""
    return drafts.begin(tmp_path / "inspector", name="Inspector Li", at=node.now, practices=node.practices)


def _pin(node: Node, desk: drafts.Desk) -> None:
    (node.home.path / "trust.toml").write_text(write_trust(Policy((PartyPin(desk.name, desk.me),), ())), "utf-8")


def _seal(desk: drafts.Desk, node: Node, said: Said, at: str = "") -> drafts.Draft:
    return desk.seal(said, at=at or node.now, practices=node.practices)


def _codes(node: Node, path: Path) -> list[str]:
    return [each.fault.code if each.fault else "" for each in drafts.log(node, path)]


def _waiting(path: Path) -> list[drafts.Draft]:
    return [each for each in drafts.waiting(path) if isinstance(each, drafts.Draft)]


def test_what_was_signed_far_away_is_logged_in_order_under_its_own_date(
    node: Node, desk: drafts.Desk, clock: Any
) -> None:
    first = _seal(desk, node, _said("first", EVERYONE, files=(Attachment("a.txt", "text/plain", b"seen"),)))
    second = _seal(desk, node, _said("second", rests_on=(first.entry,)))
    assert [each.number for each in _waiting(desk.path)] == [1, 2]
    assert node.snapshot().said(core.COMPOSITION.name) == []
    clock.push(days=3)
    told = list(drafts.log(node, desk.path))
    assert [each.number for each in told] == [1, 2]
    made = [each.statement for each in told if each.statement is not None]
    assert [each.entry for each in made] == [first.entry, second.entry]
    assert [each.content for each in made] == [first.content, second.content]
    assert made[0].index < made[1].index
    assert made[0].at[:10] < made[0].logged[:10]
    assert {each.issuer for each in made} == {node.me}
    assert b"".join(node.desk(STRANGER).stream(first.content.files[0].digest)) == b"seen"
    assert {each.body["purpose"] for each in node.snapshot().said("*", subject=SYSTEM)} == {"first", "second"}
    assert _waiting(desk.path) == []
    for each in made:
        (kept,) = (desk.path / "logged").glob(f"*-{each.entry.removeprefix('sha-256:')[:16]}")
        receipt = (kept / "receipt.cbor").read_bytes()
        entry = bytes.fromhex(each.entry.removeprefix("sha-256:"))
        assert verify_receipt(receipt, entry, node.log.public, origin=node.log.origin).index == each.index
    assert fsck.check(homes.load(node.home.path), node.practices).unknown == 0


def test_a_draft_handed_in_twice_is_logged_once(node: Node, desk: drafts.Desk, tmp_path: Path) -> None:
    draft = _seal(desk, node, _said())
    copy = shutil.copytree(desk.path, tmp_path / "copy")
    (first,) = drafts.log(node, desk.path)
    assert first.statement is not None
    size = node.store.backend.head().size
    (again,) = drafts.log(node, copy)
    assert (again.statement, again.fault, again.again) == (None, None, True)
    shutil.copytree(next((copy / "logged").iterdir()), copy / "drafts" / "000001")
    (more,) = drafts.log(node, copy)
    assert more.again
    assert node.store.backend.head().size == size
    assert list(drafts.log(node, copy)) == []
    assert len(list((copy / "logged").iterdir())) == 1
    node.erase(node.statement(draft.entry), ground="test")
    shutil.copytree(next((copy / "logged").iterdir()), copy / "drafts" / "000001")
    assert [each.again for each in drafts.log(node, copy)] == [True], "what was erased does not come back"
    with pytest.raises(Missing):
        node.statement(draft.entry)


def test_another_party_is_heard_once_somebody_here_vouches_for_it(node: Node, inspector: drafts.Desk) -> None:
    said = _seal(inspector, node, _said("theirs", EVERYONE))
    assert _codes(node, inspector.path) == ["draft.party", "draft.party"]
    assert [each.refused and each.refused.code for each in _waiting(inspector.path)] == ["draft.party"] * 2
    assert node.store.backend.find(bytes.fromhex(said.entry.removeprefix("sha-256:"))) is None
    _pin(node, inspector)
    assert _codes(node, inspector.path) == ["", ""]
    made = node.statement(said.entry, STRANGER)
    assert made.issuer == inspector.me != node.me
    assert [each.body["name"] for each in node.snapshot().said(core.PARTY.name) if each.issuer == inspector.me] == [
        "Inspector Li"
    ]
    assert [each.entry for each in node.snapshot().said("*", subject=SYSTEM)] == [said.entry]
    assert fsck.check(homes.load(node.home.path), node.practices).unknown == 0


def test_a_refused_draft_keeps_its_reason_and_holds_up_no_other(node: Node, desk: drafts.Desk, clock: Any) -> None:
    secret = node.publish([_said("secret")])[0]
    wide = _seal(desk, node, _said("wide", EVERYONE, rests_on=(secret.entry,)))
    lost = _seal(desk, node, _said("lost", rests_on=("sha-256:" + "1" * 64,)))
    early = _seal(desk, node, _said("early"), at="2026-11-24T08:00:00.000Z")
    good = _seal(desk, node, _said("good"))
    assert _codes(node, desk.path) == ["audience.wider", "record.missing", "draft.time", ""]
    assert node.statement(good.entry).body["purpose"] == "good"
    waits = _waiting(desk.path)
    assert [each.entry for each in waits] == [wide.entry, lost.entry, early.entry]
    assert waits[0].refused is not None
    assert waits[0].refused.en
    assert waits[0].refused.zh
    clock.push(days=2)
    assert _codes(node, desk.path) == ["audience.wider", "record.missing", ""]
    node.declassify(secret, EVERYONE, person="Li Lei", why="harmless")
    assert _codes(node, desk.path) == ["", "record.missing"]
    assert node.statement(wide.entry, STRANGER).body["purpose"] == "wide"
    later = _seal(desk, node, _said("later"))
    assert later.number == 5, "numbers are not given twice"


def test_a_kinds_own_rule_judges_a_draft_as_it_judges_everyone(node: Node, desk: drafts.Desk) -> None:
    made = node.publish([_said()])[0]
    thread = "urn:tongqiu:entry:" + made.entry.removeprefix("sha-256:")
    said = Said(
        core.WITHDRAWAL.name, SYSTEM, core.Withdrawal(entry=made.entry, why="wrong"), (made.entry,), None, thread
    )
    for _ in range(2):
        _seal(desk, node, said)
    assert _codes(node, desk.path) == ["", "core.withdrawn"]
    assert not node.snapshot().stands(made)


def _resealed(draft: drafts.Draft, signer: keyfile.FileSigner, about: str = "", **changes: Any) -> None:
    """Write a draft as somebody would who has a key and checks nothing."""
    data = write_content(msgspec.structs.replace(draft.content, **changes))
    salt = statement.new_salt()
    about = about or statement.open_statement(draft.envelope).subject
    envelope = statement.seal_statement(data, salt, signer=signer, issuer=signer.public.did, subject=about)
    (draft.folder / "draft.cbor").write_bytes(cbor.dumps([drafts.HEAD, envelope, data, salt]))


def test_what_a_person_did_not_simply_say_is_refused(node: Node, desk: drafts.Desk) -> None:
    party = keyfile.load(desk.path / "keys" / "party.pem")
    forged: tuple[tuple[str, dict[str, Any]], ...] = (
        ("draft.words", {"by": "evaluation.fairness@1"}),
        ("draft.words", {"key": "sha-256:" + "1" * 64}),
        ("draft.words", {"schema": "sha-256:" + "1" * 64}),
        ("draft.words", {"rests_on": ("sha-256:" + "2" * 64, "sha-256:" + "1" * 64)}),
        ("draft.name", {"about": "urn:tongqiu:subject:elsewhere"}),
        ("statement.issuer", {"issuer": "did:key:z6MkSomebodyElse"}),
        ("kind.unknown", {"kind": "nobody.knows/1"}),
        ("kind.body", {"body": {"nothing": 1}}),
    )
    for _, changes in forged:
        _resealed(_seal(desk, node, _said()), party, **changes)
    size = node.store.backend.head().size
    assert _codes(node, desk.path) == [code for code, _ in forged]
    assert node.store.backend.head().size == size


def test_what_is_no_draft_or_was_changed_is_named_and_nothing_outside_is_read(
    node: Node, desk: drafts.Desk, tmp_path: Path
) -> None:
    made = [_seal(desk, node, _said(str(each), files=(Attachment("a", "text/plain", b"a"),))) for each in range(9)]
    good = (made[0].folder / "draft.cbor").read_bytes()
    parts = cbor.loads(good)
    written = (
        b"not CBOR",
        cbor.dumps(["another/1", *parts[1:]]),
        cbor.dumps([drafts.HEAD, *parts[1:], b""]),
        cbor.dumps([parts[0], b"junk", *parts[2:]]),
        cbor.dumps([*parts[:2], parts[2].replace(b"p", b"q"), parts[3]]),
        cbor.dumps([parts[0], parts[1][:-1] + bytes([parts[1][-1] ^ 1]), *parts[2:]]),
    )
    for each, data in zip(made, written, strict=False):
        (each.folder / "draft.cbor").write_bytes(data)
    (made[6].folder / "files" / hashlib.sha256(b"a").hexdigest()).write_bytes(b"b")
    outside = tmp_path / "outside"
    outside.write_bytes(good)
    (made[7].folder / "draft.cbor").unlink()
    (made[7].folder / "draft.cbor").symlink_to(outside)
    file = made[8].folder / "files" / hashlib.sha256(b"a").hexdigest()
    file.unlink()
    (tmp_path / "secret").write_bytes(b"a")
    file.symlink_to(tmp_path / "secret")
    (desk.path / "drafts" / "000099").mkdir()
    (desk.path / "drafts" / "notes.txt").write_text("x")
    codes = _codes(node, desk.path)
    assert len(codes) == 9
    assert "" not in codes
    assert codes[1:3] == ["draft.form", "draft.form"]
    assert codes[6] == "draft.file"
    assert codes[7:] == ["path.special", "path.special"]
    assert node.snapshot().said(core.COMPOSITION.name) == []


def test_a_seal_that_was_registered_without_its_content_is_named(node: Node, inspector: drafts.Desk) -> None:
    from tongqiu.node.foreign import check_foreign

    draft = _waiting(inspector.path)[0]
    node.log.record(check_foreign(draft.envelope))
    _pin(node, inspector)
    assert _codes(node, inspector.path) == ["draft.bare"]


def test_a_desk_says_what_is_wrong_with_it(node: Node, desk: drafts.Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        drafts.begin(desk.path, name="Again", at=node.now, practices=node.practices)
    assert caught.value.code == "draft.desk"
    for name in ("", " ", "n" * 201, "two\nlines"):
        with pytest.raises(Malformed) as bad:
            drafts.begin(tmp_path / "none", name=name, at=node.now, practices=node.practices)
        assert bad.value.code == "draft.party-name"
    assert not (tmp_path / "none").exists()
    for absent in (drafts.open_desk, drafts.waiting):
        with pytest.raises(Missing):
            absent(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unreachable) as closed:
        drafts.begin(tmp_path / "file" / "desk", name="Lab", at=node.now, practices=node.practices)
    assert closed.value.code == "draft.storage"
    assert drafts.open_desk(desk.path).me == node.me
    (desk.path / "desk.toml").write_text("name = 3\n")
    with pytest.raises(Malformed) as broken:
        drafts.open_desk(desk.path)
    assert broken.value.code == "draft.settings"
    (desk.path / "secret").unlink()
    (desk.path / "secret").mkdir()
    (desk.path / "desk.toml").write_text('name = "x"\n')
    with pytest.raises(Unreachable):
        drafts.open_desk(desk.path)
    with pytest.raises(Malformed) as file:
        _seal(desk, node, _said(files=(Attachment("a/b", "text/plain", b"x"),)))
    assert file.value.code == "draft.file"
    shutil.rmtree(desk.path / "drafts", ignore_errors=True)
    (desk.path / "drafts").write_text("in the way")
    with pytest.raises(Unreachable):
        _seal(desk, node, _said())


def test_a_desk_names_what_records_are_about_as_its_node_does(node: Node, desk: drafts.Desk) -> None:
    assert drafts.pseudonym((desk.path / "secret").read_bytes(), SYSTEM.id) == node.home.pseudonym(SYSTEM.id)
    assert (desk.path / "keys" / "party.pem").stat().st_mode & 0o077 == 0
    assert (desk.path / "secret").stat().st_mode & 0o077 == 0


def test_a_half_made_desk_is_finished_and_a_number_that_was_only_taken_is_a_gap(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "half"
    made = drafts.begin(path, name="Lab", at=node.now, practices=node.practices)
    (path / "desk.toml").unlink()
    again = drafts.begin(path, name="Lab", at=node.now, practices=node.practices)
    assert again.me == made.me
    assert len(_waiting(path)) == 1, "it introduces itself once"
    (path / "drafts" / "000002").mkdir()
    assert _seal(again, node, _said()).number == 3
    assert [each.number for each in _waiting(path)] == [1, 3]


def test_readers_are_as_narrow_as_nobody_said_otherwise(node: Node, desk: drafts.Desk) -> None:
    assert _seal(desk, node, _said()).content.audience == only_for([node.me])
    assert _seal(desk, node, _said("q", EVERYONE)).content.audience == EVERYONE
    body = core.Party(name="x", sort="unstated", key="00")
    public = Said(core.PARTY.name, SYSTEM, body)
    assert _seal(desk, node, public).content.audience == EVERYONE
    assert _seal(desk, node, public._replace(rests_on=("sha-256:" + "1" * 64,))).content.audience == only_for([node.me])


def test_two_who_seal_at_once_get_numbers_of_their_own(node: Node, desk: drafts.Desk) -> None:
    at, faults = node.now, list[BaseException]()

    def work(name: str) -> None:
        try:
            for number in range(10):
                desk.seal(_said(f"{name}{number}"), at=at, practices=node.practices)
        except Fault as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert faults == []
    made = _waiting(desk.path)
    assert [each.number for each in made] == list(range(1, 31))
    said = [each.content.body["purpose"] for each in made]
    for name in "abc":
        assert [each for each in said if each[0] == name] == [f"{name}{number}" for number in range(10)]


def test_a_desk_is_not_filled_without_end_and_takes_no_endless_file(node: Node, desk: drafts.Desk) -> None:
    with pytest.raises(Malformed) as caught:
        _seal(desk, node, _said(files=(Attachment("a", "text/plain", bytes((256 << 20) + 1)),)))
    assert caught.value.code == "draft.file"
    (desk.path / "drafts").mkdir(exist_ok=True)
    (desk.path / "drafts" / "999999").mkdir()
    with pytest.raises(Malformed) as caught:
        _seal(desk, node, _said())
    assert caught.value.code == "draft.many"


def test_a_reason_that_cannot_be_kept_is_no_reason_to_go_on(node: Node, inspector: drafts.Desk) -> None:
    place = _waiting(inspector.path)[0].folder / "refused.json"
    place.mkdir()
    with pytest.raises(Unreachable) as caught:
        list(drafts.log(node, inspector.path))
    assert caught.value.code == "draft.storage"
    place.rmdir()
    place.write_bytes(b"not what a node writes")
    assert [each.refused for each in _waiting(inspector.path)] == [None]


SCRIPT = """
    import sys
    from pathlib import Path
    from tongqiu.node import drafts, open_node
    with open_node(Path(sys.argv[1])) as node:
        print("ready", flush=True)
        for told in drafts.log(node, Path(sys.argv[2])):
            print(told.number, flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_kill_in_the_middle_loses_nothing_and_logs_nothing_twice(node: Node, desk: drafts.Desk, after: int) -> None:
    made = [_seal(desk, node, _said(str(number))) for number in range(8)]
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(node.home.path), str(desk.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after + 1):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    with open_node(node.home.path) as opened:
        assert not [each.fault for each in drafts.log(opened, desk.path) if each.fault]
        logged = [each.entry for each in opened.snapshot().said(core.COMPOSITION.name)]
        assert sorted(logged) == sorted(each.entry for each in made)
        assert [each.entry for each in sorted(opened.snapshot().said("*", subject=SYSTEM), key=lambda x: x.index)] == [
            each.entry for each in made
        ]
    assert _waiting(desk.path) == []


def test_two_who_hand_in_the_same_desk_at_once_log_each_draft_once(node: Node, desk: drafts.Desk) -> None:
    made = [_seal(desk, node, _said(str(number))) for number in range(6)]
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(node.home.path), str(desk.path)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    for each in both:
        assert each.stderr is not None
        complaints = each.stderr.read()
        assert each.wait(60) == 0, complaints
        each.stderr.close()
    node.registry.catch_up()
    logged = [each.entry for each in node.snapshot().said(core.COMPOSITION.name)]
    assert sorted(logged) == sorted(each.entry for each in made)
    assert _waiting(desk.path) == []


def test_a_disk_that_refuses_ends_the_hand_in_and_the_next_one_goes_on(node: Node, desk: drafts.Desk) -> None:
    draft = _seal(desk, node, _said())
    (desk.path / "logged").write_text("in the way")
    with pytest.raises(Unreachable) as caught:
        list(drafts.log(node, desk.path))
    assert caught.value.code == "draft.storage"
    assert node.statement(draft.entry).entry == draft.entry, "the log had it before"
    (desk.path / "logged").unlink()
    assert [each.again for each in drafts.log(node, desk.path)] == [True]


def _run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_from_a_written_file_to_the_log_on_the_command_line(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, place, file = str(node.home.path), str(tmp_path / "field"), tmp_path / "record.json"
    assert _run("drafts", place, "--begin", "--own", "--home", home) == 0
    subject = {"type": "system", "id": SYSTEM.id, "name": "One"}
    words = {"kind": core.COMPOSITION.name, "subject": subject, "body": {"parts": [], "purpose": "seen on site"}}
    file.write_text(json.dumps(words | {"audience": {}}))
    photo = tmp_path / "photo.txt"
    photo.write_bytes(b"a photo")
    assert _run("drafts", place, "--write", str(file), "--attach", str(photo)) == 0
    assert "000001" in capsys.readouterr().out
    assert _run("drafts", place) == 0
    assert core.COMPOSITION.name in capsys.readouterr().out
    file.write_text(json.dumps(words | {"rests_on": ["sha-256:" + "1" * 64]}))
    assert _run("--lang", "zh", "drafts", place, "--write", str(file)) == 0
    assert _run("drafts", place, "--log", "--home", home) == 3
    said = capsys.readouterr().out
    assert "record.missing" in said
    assert _run("--lang", "zh", "drafts", place) == 0
    assert "record.missing" in capsys.readouterr().out
    with open_node(node.home.path) as opened:
        (made,) = opened.snapshot().said(core.COMPOSITION.name)
        assert made.body["purpose"] == "seen on site"
        assert [each.name for each in made.content.files] == ["photo.txt"]
        assert read_content(write_content(made.content)) == made.content
    for bad in ("[", '{"kind": 3}', json.dumps(words | {"by": "x"}), json.dumps(words | {"kind": "no.such/1"})):
        file.write_text(bad)
        assert _run("drafts", place, "--write", str(file)) == 2
    assert _run("drafts", place, "--write", str(tmp_path / "absent.json")) == 3
    assert _run("drafts", str(tmp_path / "nowhere")) == 3
    assert _run("drafts", place, "--attach", str(photo)) == 2
    assert [each.name for each in (tmp_path / "field" / "drafts").iterdir()] == ["000002"]


def test_a_new_party_begins_a_desk_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "field")
    assert _run("drafts", place, "--begin", "--party", "Inspector Li") == 0
    assert "did:key:" in capsys.readouterr().out
    assert _run("drafts", place) == 0
    assert core.PARTY.name in capsys.readouterr().out
    assert _run("drafts", place, "--begin", "--party", "Inspector Li") == 4
