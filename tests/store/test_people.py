"""People and their ways in, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tongqiu.record.faults import Missing, Refused
from tongqiu.store.house import open_store
from tongqiu.store.people import Once, Passkey, Person, Session, Token

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.store.house import Store
    from tongqiu.store.people import PeopleTables

ANNA = Person("urn:tongqiu:person:a", "Anna", "owner", "did:web:a.example", frozenset({"urn:example:g"}), "active", "1")
BO = ANNA._replace(id="urn:tongqiu:person:b", name="Bo", role="reader", created="2")


def everything(kept: PeopleTables) -> None:
    """Do all that can be done to people, once."""
    come(kept)
    ways_in(kept)
    one_time(kept)
    kept.change(BO.id, state="ended")
    assert (kept.session(b"d" * 32), kept.token(b"t" * 32), kept.passkey(b"c")) == (None, None, None)
    assert (kept.bindings(BO.id), kept.take_once(b"o" * 32, "link", "4")) == ([], None)
    with pytest.raises(Missing):
        kept.change(BO.id, name="x")
    kept.forget(BO.id)
    assert kept.person(BO.id).name == ""
    with pytest.raises(Missing):
        kept.forget(ANNA.id)


def come(kept: PeopleTables) -> None:
    assert kept.add(ANNA, first=True)
    assert not kept.add(BO, first=True)
    assert kept.add(BO)
    assert kept.everyone() == [ANNA, BO]
    with pytest.raises(Refused):
        kept.change(ANNA.id, role="reader")
    with pytest.raises(Missing):
        kept.change("nobody", name="x")
    assert kept.change(BO.id, role="issuer", groups=frozenset[str]()).groups == frozenset()


def ways_in(kept: PeopleTables) -> None:
    session = Session("s1", BO.id, "link", "a browser", "1", "1", "9")
    kept.begin(b"d" * 32, session)
    found = kept.session(b"d" * 32)
    assert found is not None
    assert (found[0], found[1].name) == (session, "Bo")
    kept.seen(b"d" * 32, "5")
    assert [each.seen for each in kept.sessions(BO.id)] == ["5"]
    assert kept.session(b"e" * 32) is None

    token = Token("t1", "script", BO.id, "", frozenset(), frozenset(), frozenset({"read"}), "1", "9", "")
    kept.add_token(b"t" * 32, token)
    kept.used_token("t1", "4")
    assert kept.token(b"t" * 32) == token._replace(used="4")
    assert kept.tokens(ANNA.id) == []
    assert [each.id for each in kept.tokens()] == ["t1"]

    passkey = Passkey(b"c", "p1", BO.id, "phone", b"key", 3, "1", "")
    kept.add_passkey(passkey)
    with pytest.raises(Refused):
        kept.add_passkey(passkey)
    assert kept.counted(passkey, 4, "2")
    assert not kept.counted(passkey, 5, "2")
    kept.bind("https://id.example", "sub", BO.id)
    with pytest.raises(Refused):
        kept.bind("https://id.example", "sub", ANNA.id)
    assert kept.bound("https://id.example", "sub") == BO.id


def one_time(kept: PeopleTables) -> None:
    assert kept.put_once(b"o" * 32, Once("link", BO.id, ""), "5")
    assert not kept.put_once(b"o" * 32, Once("link", ANNA.id, ""), "9")
    assert kept.take_once(b"o" * 32, "oidc", "4") is None
    with ThreadPoolExecutor(4) as crowd:
        taken = list(crowd.map(lambda _: kept.take_once(b"o" * 32, "link", "4"), range(4)))
    assert [each for each in taken if each is not None] == [Once("link", BO.id, "")]
    kept.put_once(b"o" * 32, Once("link", BO.id, ""), "5")
    assert kept.take_once(b"o" * 32, "link", "5") is None
    kept.put_once(b"o" * 32, Once("link", BO.id, ""), "5")
    kept.sweep("5")
    assert kept.put_once(b"o" * 32, Once("link", BO.id, ""), "9")


def test_people_on_sqlite(store: Store) -> None:
    everything(store.people)


@pytest.mark.system
def test_people_on_postgres(postgres: str, tmp_path: Path) -> None:
    with open_store(postgres, keys=tmp_path / "content.keys", create=True) as store:
        everything(store.people)
