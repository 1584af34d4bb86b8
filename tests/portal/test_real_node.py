"""The pages on a real node: the door they are built on is the one that it has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from tongqiu.node.node import open_node
from tongqiu.portal.site import app
from tongqiu.record.audience import EVERYONE, STRANGER
from tongqiu.record.core import COMPOSITION, Composition, Part
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.node.node import Node
    from tongqiu.portal import lent

OPEN = Subject(type="system", id="urn:example:open", name="Open system")
SHUT = Subject(type="system", id="urn:example:shut", name="Shut system")
MODEL = Subject(type="model", id="urn:example:open:model", name="model.onnx")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    home: Path = tmp_path_factory.mktemp("node") / "home"
    with open_node(home, create=True, name="Real laboratory") as made:
        made.publish(
            [
                Said(COMPOSITION.name, OPEN, Composition(parts=(Part("model", MODEL),)), audience=EVERYONE),
                Said(COMPOSITION.name, SHUT, Composition(parts=())),
            ]
        )
        yield made


def test_a_real_node_has_the_door(node: Node) -> None:
    door: lent.Node = node
    desk: lent.Desk = node.desk(STRANGER)
    assert door.me.startswith("did:")
    assert [each.id for each in desk.systems()] == [OPEN.id]


def test_every_page_of_a_real_node_opens_for_owner_and_stranger(node: Node) -> None:
    for principal, seen in ((node.owner, True), (STRANGER, False)):
        browser = TestClient(app(node, principal=principal))
        entries = [each["entry"][8:] for each in browser.get("/records.json").json()["records"]]
        paths = ["/", "/records", "/findings", "/measures", "/registries", "/areas", "/jobs", "/about", "/checkpoint"]
        paths += [f"/subject?id={OPEN.id}", f"/report?id={OPEN.id}"]
        paths += [f"/registries/{name}" for name in node.practices.views]
        paths += [f"/areas/{each.name}" for each in node.practices.all]
        paths += [f"/kinds/{kind.name}.json" for each in node.practices.all for kind in each.kinds]
        paths += [f"/records/{entry}{end}" for entry in entries for end in ("", "/explain", "/envelope", "/receipt")]
        for path in paths:
            assert browser.get(path).status_code == 200, path
        assert ("Shut system" in browser.get("/").text) is seen
        assert browser.get(f"/subject?id={SHUT.id}").status_code == (200 if seen else 404)


def test_many_readers_at_once_all_get_their_page(node: Node) -> None:
    browser = TestClient(app(node, principal=node.owner))
    with ThreadPoolExecutor(8) as readers:
        answers = list(readers.map(lambda _: browser.get("/records.json").status_code, range(24)))
    assert answers == [200] * 24
