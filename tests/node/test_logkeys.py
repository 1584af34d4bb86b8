"""The log changes its key and stays one log: both keys resolvable, old receipts valid, a kill at any step mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tongqiu.ledger import checkpoint, receipt
from tongqiu.ledger.log import check_in
from tongqiu.node import home as homes
from tongqiu.node import open_node
from tongqiu.node.fsck import check
from tongqiu.node.logdesk import LogDesk
from tongqiu.node.logkeys import NEXT, chain, rotate_log_key
from tongqiu.record.audience import STRANGER
from tongqiu.record.faults import Refused, Unproven
from tongqiu.seal import keyfile, rotation, statement

if TYPE_CHECKING:
    from pathlib import Path

OTHER = keyfile.from_seed(b"o" * 32)


def sealed(name: str) -> bytes:
    return statement.seal_statement(
        name.encode(), statement.new_salt(), signer=OTHER, issuer=OTHER.public.did, subject=f"urn:x:{name}"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    open_node(home, create=True, name="Laboratory").close()
    return home


def test_receipts_of_both_keys_verify_and_the_chain_leads_from_one_to_the_other(path: Path) -> None:
    with open_node(path) as node:
        first, early = node.log.public, node.log.receipt(1)
        new = rotate_log_key(node.home, node.log, node.store.backend)
        assert chain(node.log.reading) == (first, new)
        with pytest.raises(Refused) as fenced:
            node.log.record(check_in(sealed("late"), OTHER.public))
        assert fenced.value.code == "log.fenced"
    with open_node(path) as node:
        assert node.log.public == new
        assert not (path / "keys" / NEXT).exists()
        entry = node.log.reading.row(1).entry
        fresh = node.log.receipt(1)
        for data, key in ((early, first), (fresh, new)):
            assert receipt.verify_receipt(data, entry, key, origin=node.log.origin).index == 1
        with pytest.raises(Unproven):
            receipt.verify_receipt(fresh, entry, first)
        head = checkpoint.verify(node.log.checkpoint(), checkpoint.parse_vkey(node.log.vkey))
        assert head.size == 3
        # What strangers get at /.well-known/scitt-keys: the present key first, and those it retired.
        assert tuple(LogDesk(node, STRANGER).log_keys()) == (new, first)
        third = rotate_log_key(node.home, node.log, node.store.backend)
    with open_node(path) as node:
        assert chain(node.log.reading) == (first, new, third)
        node.log.audit()
        practices = node.practices
    assert check(homes.load(path), practices).entries == 4


def test_the_entry_is_the_proof_signed_by_both_keys(path: Path) -> None:
    with open_node(path) as node:
        first = node.log.public
        rotate_log_key(node.home, node.log, node.store.backend)
        row = node.log.reading.row(2)
        assert row.columns.subject == row.columns.issuer == first.did
        found = rotation.check_rotation(row.content or b"", did=first.did, serial=1, current=first)
        assert (found.old, found.new) == chain(node.log.reading)


def test_a_change_that_was_cut_short_is_finished_or_was_never_made(path: Path) -> None:
    old, kept = homes.load(path), (path / "keys" / "log.pem").read_bytes()
    # Killed before the entry: the key lies there unused, and the next change takes it.
    waiting = keyfile.ensure(path / "keys" / NEXT, alg=old.log.public.alg)
    with open_node(path) as node:
        assert node.log.public == old.log.public
        assert rotate_log_key(node.home, node.log, node.store.backend) == waiting.public
    # Killed after the entry: the old key is still in its place.
    keys = path / "keys"
    (keys / "log.pem").rename(keys / NEXT)
    keys.joinpath("log.pem").write_bytes(kept)
    keys.joinpath("log.pem").chmod(0o600)
    with open_node(path) as node:
        assert node.log.public == waiting.public
    assert homes.load(path).log.public == waiting.public


def test_a_retired_key_that_comes_back_is_refused(path: Path) -> None:
    kept = (path / "keys" / "log.pem").read_bytes()
    with open_node(path) as node:
        rotate_log_key(node.home, node.log, node.store.backend)
    (path / "keys" / "log.pem").write_bytes(kept)
    for _ in range(2):
        with pytest.raises(Refused) as fault:
            open_node(path)
        assert fault.value.code == "log.other-key"
        # Nor does a key help that lies ready for a change nobody made.
        keyfile.ensure(path / "keys" / NEXT, alg=homes.load(path).log.public.alg)


def test_what_strangers_register_about_the_log_is_no_change_of_key(path: Path) -> None:
    with open_node(path) as node:
        first = node.log.public
        foreign = statement.seal_statement(
            b"x", statement.new_salt(), signer=OTHER, issuer=OTHER.public.did, subject=first.did
        )
        node.log.record(check_in(foreign, OTHER.public))
        bare = statement.seal_statement(
            b"y", statement.new_salt(), signer=node.home.log, issuer=first.did, subject=first.did
        )
        node.log.record(check_in(bare, first))
        assert chain(node.log.reading) == (first,)
        new = rotate_log_key(node.home, node.log, node.store.backend)
        assert chain(node.log.reading) == (first, new)
