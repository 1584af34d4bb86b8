"""Unfinished forms: one person's own, bounded, and gone when forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongqiu.record.faults import Malformed, Missing, Refused
from tongqiu.store.forms import LONGEST, MOST
from tongqiu.store.house import Store, open_store

ME, OTHER = "urn:tongqiu:person:" + "a" * 32, "urn:tongqiu:person:" + "b" * 32
NOW = "2026-11-23T08:00:00.000Z"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", create=True)


def test_a_draft_is_kept_changed_and_forgotten(store: Store) -> None:
    name = store.drafts.keep(ME, "core.declare", {"words": "unfinished"}, now=NOW)
    assert store.drafts.get(ME, name).values == {"words": "unfinished"}
    assert store.drafts.keep(ME, "core.declare", {"words": "more"}, now=NOW, id=name) == name
    assert [each.values for each in store.drafts.list(ME)] == [{"words": "more"}]
    assert store.drafts.forget(ME, name) == 1
    assert store.drafts.list(ME) == []
    assert store.drafts.forget(ME) == 0


def test_anothers_draft_looks_like_none(store: Store) -> None:
    name = store.drafts.keep(ME, "core.declare", {}, now=NOW)
    for person, asked in ((OTHER, name), (ME, "f" * 32)):
        with pytest.raises(Missing) as caught:
            store.drafts.get(person, asked)
        assert caught.value.code == "draft.missing"
    assert store.drafts.list(OTHER) == []
    assert store.drafts.forget(OTHER, name) == 0
    assert store.drafts.keep(OTHER, "core.declare", {"mine": 1}, now=NOW, id=name) != name
    assert store.drafts.get(ME, name).values == {}


def test_drafts_are_bounded(store: Store) -> None:
    with pytest.raises(Malformed):
        store.drafts.keep(ME, "core.declare", {"words": "x" * LONGEST}, now=NOW)
    for _ in range(MOST):
        store.drafts.keep(ME, "core.declare", {}, now=NOW)
    with pytest.raises(Refused) as caught:
        store.drafts.keep(ME, "core.declare", {}, now=NOW)
    assert caught.value.code == "draft.many"
    assert store.drafts.forget(ME) == MOST


def test_what_is_forgotten_is_in_no_file(store: Store, tmp_path: Path) -> None:
    name = store.drafts.keep(ME, "core.declare", {"words": "a-very-secret-draft"}, now=NOW)
    store.drafts.forget(ME, name)
    store.close()
    assert not any(
        b"a-very-secret-draft" in each.read_bytes() for each in (tmp_path / "store").rglob("*") if each.is_file()
    )
