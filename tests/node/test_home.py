"""A home: its keys are made once and found again, and an older home gets the key that it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tongqiu.ledger import checkpoint
from tongqiu.node import home, open_node
from tongqiu.record.faults import Malformed
from tongqiu.seal import keyfile
from tongqiu.seal.keys import ED25519, MLDSA44
from tongqiu.seal.policy import read_trust

if TYPE_CHECKING:
    from pathlib import Path


def test_a_home_from_before_gets_the_second_key_of_its_log(tmp_path: Path) -> None:
    made = home.create(tmp_path / "home", name="Lab")
    assert (made.log.public.alg, made.beside.public.alg) == (ED25519, MLDSA44)
    assert home.load(tmp_path / "home").beside.public == made.beside.public
    file = tmp_path / "home" / "keys" / "log-pq.pem"
    file.unlink()
    later = home.load(tmp_path / "home").beside.public
    assert (later.alg, later == made.beside.public) == (MLDSA44, False)
    assert home.load(tmp_path / "home").beside.public == later
    file.unlink()
    keyfile.create(file)
    with pytest.raises(Malformed) as raised:
        home.load(tmp_path / "home")
    assert raised.value.code == "key.kind"


def test_a_node_signs_its_checkpoint_with_both_and_hands_out_both(tmp_path: Path) -> None:
    from tongqiu.node.passports import trust_file

    with open_node(tmp_path / "home", create=True, name="Lab") as node:
        first, second = map(checkpoint.parse_vkey, node.log.vkeys)
        assert checkpoint.verify(node.log.checkpoint(), first, beside=second).size == node.log.reading.head().size
        (pin,) = read_trust(trust_file(node.home).encode()).logs
        assert (pin.key, pin.beside) == (first.key, second.key)
