"""Forgetting, on a whole node: what was planted everywhere is found nowhere, and what was signed still verifies.

Personal data is planted in every field of a record that may hold it, in file names and files, in names and identifiers of
subjects and threads, in what jobs were given and said, and searched for; registries are folded from it. After erasing,
every file below the home, every answer of every page and door, every tile, checkpoint and receipt is searched for it:
as it is, in UTF-16, in base64 at each of its three offsets, in hexadecimal, as JSON and HTML write it, and cut as the
index of words cuts it.
"""

from __future__ import annotations

import base64
import html
import json
import shutil
import urllib.parse
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from starlette.testclient import TestClient

from tongqiu.ledger.receipt import verify_receipt
from tongqiu.node import core as core_practice
from tongqiu.node import forgetting, fsck, open_node
from tongqiu.node import home as homes
from tongqiu.node.discovery import discover
from tongqiu.node.lend import open_doors
from tongqiu.portal.site import app
from tongqiu.practice import Practice
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE, STRANGER
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.kind import Kind
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text
from tongqiu.store.check import untouched
from tongqiu.store.database import FILE
from tongqiu.store.house import open_store
from tongqiu.store.keys import DESTROYED, KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.record.statement import Statement

PERSON = "王小明诊断书 Xiaoming-Wang 11010519491231002X"
WORDS = ("王小明诊断书", "Xiaoming-Wang", "11010519491231002X")
BOTH = Text(en=f"about {PERSON}", zh=f"关于{PERSON}")


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a body may hold."""

    note: str
    data: bytes
    deep: dict[str, list[str]]
    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]


SEEN = Kind(
    name="plant.seen/1",
    body=Seen,
    title=Text(en="Planted", zh="植入"),
    evidence=lambda body: body.evidence,
    findings=lambda body: body.findings,
)
PLANT = Practice(name="plant", title=Text(en="Plant", zh="植入"), about=Text(en="Plant", zh="植入"), kinds=(SEEN,))
SUBJECT = Subject("system", f"urn:patient:{PERSON.replace(' ', ':')}", None, PERSON)
OTHER = Subject("system", "urn:tongqiu:test:other", None, "Other")


def planted() -> Said:
    """Return a record that holds the person in every field, and in a file of two pieces."""
    evidence = Evidence("plant.count", BOTH, PERSON, "1", "plant@1", {PERSON: PERSON})
    finding = Finding(f"plant:{PERSON}", BOTH, "met", "plant.code", BOTH, {PERSON: PERSON}, mend=BOTH)
    body = Seen(PERSON, PERSON.encode(), {PERSON: [PERSON] * 300}, (evidence,), (finding,))
    files = (
        Attachment(f"{PERSON}.txt", "text/plain", PERSON.encode() * 8000),
        Attachment("short", "text/plain", PERSON.encode()),
    )
    return Said(SEEN.name, SUBJECT, body, (), EVERYONE, f"urn:thread:{PERSON.replace(' ', ':')}", files)


def forms(words: Iterable[str] = WORDS) -> set[bytes]:
    """Return every form in which ``words`` might stand somewhere."""
    found: set[bytes] = set()
    for word in words:
        plain = word.encode()
        found |= {plain, plain.lower(), word.encode("utf-16-le"), word.encode("utf-16-be"), plain.hex().encode()}
        found |= {plain.hex().upper().encode(), urllib.parse.quote(word).encode(), html.escape(word).encode()}
        found.add(json.dumps(word)[1:-1].encode())
        found.add("".join(f"&#{ord(char)};" for char in word).encode())
        for offset in range(3):
            # What stands before shifts the groups of three; the ends depend on the neighbours and are left out.
            encoded = base64.b64encode(b"\0" * offset + plain)[4:]
            found.add(encoded[: len(encoded) - 4])
            found.add(base64.urlsafe_b64encode(b"\0" * offset + plain)[4:-4])
    # Words as the index cuts them; pairs of Chinese characters stand on both sides of a space there.
    found |= {"王小 小".encode(), "王小".encode(), "诊断".encode(), b"xiaoming"}
    return {each for each in found if len(each) > 5}


NEEDLES = forms()


def holding(folder: Path) -> set[str]:
    """Return which files below ``folder`` hold any of the forms, in their bytes or their names."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    named = {path.name for path in files if any(needle in str(path).encode() for needle in NEEDLES)}
    return named | {path.name for path in files if any(needle in data for data in _bytes(path) for needle in NEEDLES)}


def _bytes(path: Path) -> list[bytes]:
    """Return what a file holds; a server unlinks files whenever it likes, and what is gone holds nothing."""
    try:
        return [path.read_bytes()]
    except FileNotFoundError:
        return []


def said_to_the_world(node: Node, entries: Iterable[str]) -> dict[str, bytes]:
    """Return the answer of every page and public door, to the owner and to a stranger, by path."""
    answers: dict[str, bytes] = {}
    for principal in (node.owner, STRANGER):
        pages = app(node, principal=principal)
        browser = TestClient(open_doors(node, pages, tokens=()), raise_server_exceptions=False)
        paths = ["/", "/records", "/records.json", "/findings", "/measures", "/registries", "/jobs", "/about"]
        paths += [f"/registries/{name}{end}" for name in node.practices.views for end in ("", ".json", ".csv")]
        paths += ["/checkpoint", "/tile/0/000", "/tile/0/000.p/" + str(node.store.backend.head().size)]
        paths += [
            f"/records/{entry[8:]}{end}" for entry in entries for end in ("", "/explain", "/envelope", "/receipt")
        ]
        for path in paths:
            answers[f"{principal.party} {path}"] = browser.get(path).content
        for word in (*WORDS, "王小"):
            for path in ("/search", "/registries/found", "/records"):
                asked = browser.get(path, params={"q": word})
                # A page says again what was asked; that is the reader's own word.
                answers[f"{path} {word}"] = asked.content.replace(html.escape(word).encode(), b"").replace(
                    urllib.parse.quote(word).encode(), b""
                )
    return answers


class Grown(NamedTuple):
    """A node with the person planted in it: the record, one that rests on it, and a receipt of before."""

    node: Node
    home: Path
    planted: Statement
    resting: Statement
    receipt: bytes


@pytest.fixture
def grown(tmp_path: Path) -> Iterator[Grown]:
    home = tmp_path / "home"
    with open_node(home, create=True, name="Laboratory", extra=[PLANT]) as node:
        node.publish([Said(core.COMPOSITION.name, OTHER, core.Composition(parts=(), purpose="stays"), (), EVERYONE)])
        (made,) = node.publish([planted()])
        (resting,) = node.publish(
            [Said(core.COMPOSITION.name, OTHER, core.Composition(parts=(), purpose="rests"), (made.entry,), EVERYONE)]
        )
        _work(node)
        node.registry.catch_up()
        node.registry.rebuild()
        yield Grown(node, home, made, resting, node.desk(node.owner).receipt(made.entry))


def _work(node: Node) -> None:
    """Leave jobs behind that were given and said the person."""
    jobs = node.store.jobs
    done = jobs.create("assess", {"folder": f"/home/{PERSON}"}, node.me)
    jobs.start(done)
    jobs.progress(done, 1, 2, PERSON)
    jobs.finish(done, {"system": PERSON})
    failed = jobs.create("assess", {"folder": f"/home/{PERSON}"}, node.me)
    jobs.start(failed)
    jobs.fail(failed, Malformed("test.bad", BOTH, do=BOTH, where=PERSON))
    jobs.create("assess", {"folder": "/home/someone-else"}, node.me)


def test_what_was_planted_is_found_nowhere_once_it_is_erased(grown: Grown) -> None:
    node, home = grown.node, grown.home
    entries = [grown.planted.entry, grown.resting.entry]
    # Before: in clear in the registries, and on the pages; never in the file of keys.
    assert {name.split("-")[0] for name in holding(home)} == {FILE}
    shown = said_to_the_world(node, entries)
    assert any(any(needle in answer for needle in NEEDLES) for answer in shown.values())

    stone = node.erase(grown.planted, ground="Art. 17 GDPR", authority="data protection officer")
    assert stone.body["dependents"] == [grown.resting.entry]
    assert holding(home) == set()
    told = said_to_the_world(node, [*entries, stone.entry])
    assert {path for path, answer in told.items() if any(needle in answer for needle in NEEDLES)} == set()
    node.registry.rebuild()
    node.store.backend.scrub()
    assert holding(home) == set()

    entry = bytes.fromhex(grown.planted.entry.removeprefix("sha-256:"))
    for receipt in (grown.receipt, node.log.receipt(grown.planted.index)):
        assert verify_receipt(receipt, entry, node.log.public, origin=node.log.origin).index == grown.planted.index
    with pytest.raises(Missing):
        node.statement(grown.planted.entry)
    assert node.statement(grown.resting.entry).body == grown.resting.body
    assert (home / "store" / KEYS).read_bytes().count(DESTROYED) == 3
    assert fsck.check(node.home, node.practices).entries == node.store.backend.head().size


def test_jobs_that_are_over_keep_that_they_ran_and_nothing_of_what_they_said(grown: Grown) -> None:
    jobs = grown.node.store.jobs
    before = jobs.list(grown.node.owner)
    grown.node.erase(grown.planted, ground="Art. 17 GDPR")
    after = {job.id: job for job in jobs.list(grown.node.owner)}
    assert {job.state for job in before} == {"done", "failed", "queued"}
    for job in before:
        left = after[job.id]
        assert (left.state, left.created, left.kind) == (job.state, job.created, job.kind)
        if job.state == "queued":
            assert left.args == {"folder": "/home/someone-else"}
        else:
            assert (left.args, left.note, left.result, left.fault) == (None, "", None, None)


def test_a_subject_is_forgotten_whole_and_nothing_else_is(grown: Grown) -> None:
    node = grown.node
    (second,) = node.publish([planted()._replace(thread=None, rests_on=(grown.resting.entry,))])
    withdrawal = node.withdraw(second, why=PERSON)
    stones = node.forget(SUBJECT, ground="Art. 17 GDPR", authority="officer")
    assert sorted(stone.body["entry"] for stone in stones) == sorted([grown.planted.entry, second.entry])
    named = {stone.body["entry"]: stone.body.get("dependents", []) for stone in stones}
    assert named == {grown.planted.entry: [grown.resting.entry], second.entry: []}
    for gone in (grown.planted, second, withdrawal):
        assert node.store.backend.row(gone.index).erased
    assert holding(grown.home) == set()
    assert node.statement(grown.resting.entry).subject.id == OTHER.id
    # The withdrawal's effect outlives its content.
    assert node.store.corrections([bytes.fromhex(second.entry[8:])])
    assert fsck.check(node.home, node.practices).entries == node.store.backend.head().size
    with pytest.raises(Missing) as raised:
        forgetting.forget(node, SUBJECT, ground="Art. 17 GDPR", authority="")
    assert raised.value.code == "record.missing"


def test_a_backup_of_contents_cannot_show_what_was_erased_since(grown: Grown, tmp_path: Path) -> None:
    node, home, backup = grown.node, grown.home, tmp_path / "backup"
    shutil.copytree(home, backup, ignore=shutil.ignore_patterns(KEYS))
    node.erase(grown.planted, ground="Art. 17 GDPR")
    # Without the keys, nothing can be read, and that is what is said.
    with pytest.raises(Missing) as raised:
        open_node(backup)
    assert raised.value.code == "store.no-keys"
    # With the keys as they are now: the one is gone, the others are there.
    shutil.copy(home / "store" / KEYS, backup / "store" / KEYS)
    opened = homes.load(backup)
    found = fsck.check(opened, discover(core=core_practice.PRACTICE, extra=[PLANT]))
    assert found.entries == grown.resting.index + 1
    with untouched(opened.store, keys=opened.keys) as kept:
        assert kept.rows.row(grown.planted.index).erased
        assert kept.rows.row(grown.resting.index).content is not None
    with open_store(opened.store, keys=opened.keys, create=False) as store:
        assert store.backend.row(grown.planted.index).erased
        assert len(store.statements()) == found.contents - 1
    assert holding(backup) == set()


def test_keys_may_lie_where_node_toml_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    homes.create(home, name="Laboratory")
    with (home / "node.toml").open("a") as file:
        file.write(f'keys = "{tmp_path}/another disk/{KEYS}"\n')
    with open_node(home, extra=[PLANT]) as node:
        (made,) = node.publish([planted()])
    assert not (home / "store" / KEYS).exists()
    assert homes.load(home).keys == tmp_path / "another disk" / KEYS
    with open_node(home, extra=[PLANT]) as node:
        assert node.statement(made.entry).body == made.body
        assert fsck.check(node.home, node.practices).contents == 3
    assert fsck.check(homes.load(home), discover(core=core_practice.PRACTICE, extra=[PLANT])).entries == 3


def test_unfinished_forms_that_name_what_is_erased_go_with_it_and_others_stay(grown: Grown) -> None:
    drafts = grown.node.store.drafts
    for name, values in (
        ("subject", {"subject": SUBJECT.id}),
        ("name", {"who": [PERSON]}),
        ("entry", {"entry": grown.planted.entry}),
        ("mine", {"subject": OTHER.id, "text": "nothing of the kind"}),
    ):
        drafts.keep(name, "core.reply", values, now="2026-11-23T08:00:00.000Z")
    grown.node.erase(grown.planted, ground="Art. 17 GDPR")
    assert [len(drafts.list(name)) for name in ("subject", "name", "entry", "mine")] == [0, 0, 0, 1]
    assert holding(grown.home) == set()


def test_where_a_tombstone_was_erased_itself_nobody_can_tell_any_more(grown: Grown) -> None:
    node = grown.node
    stone = node.erase(grown.planted, ground=f"asked by {PERSON}")
    assert holding(grown.home) != set()
    node.erase(stone, ground="the ground named a person")
    assert holding(grown.home) == set()
    assert fsck.check(node.home, node.practices).entries == node.store.backend.head().size
