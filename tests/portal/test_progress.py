"""Watching a job: a page that grows, events that go on where they broke off, and an end when the right to look ends."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from tests.portal.people import browser, csrf, signed_in
from tongqiu.node.node import open_node
from tongqiu.node.people import NOBODY
from tongqiu.portal import progress
from tongqiu.portal.frame import Site
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from tongqiu.node.node import Node

SYSTEM = Subject("system", "urn:example:loans", None, "Loans")
RESULT = {
    "system": SYSTEM.id,
    "done": ["a"],
    "unchanged": [],
    "failed": [["probe <b>: x", "data.empty"]],
    "not_assessed": ["notes"],
    "records": 3,
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Lab") as made:
        made.publish([Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()))])
        yield made


@pytest.fixture
def owner(node: Node) -> TestClient:
    return signed_in(app(node), node.people, node.people.owner())


def begun(node: Node, person: str = "") -> str:
    name = node.store.jobs.create("assess", {"folder": "/srv/secret/loans"}, node.me, person=person)
    node.store.jobs.start(name)
    return name


def during(*steps: Callable[[], object], pause: float = 0.8) -> threading.Thread:
    """Do ``steps`` in a thread, a pause before each."""

    def go() -> None:
        for step in steps:
            time.sleep(pause)
            step()

    thread = threading.Thread(target=go)
    thread.start()
    return thread


def test_the_page_grows_until_the_job_is_over(node: Node, owner: TestClient) -> None:
    jobs, name = node.store.jobs, begun(node)
    thread = during(lambda: jobs.progress(name, 1, 4, "half <way>"), lambda: jobs.finish(name, RESULT))
    answer = owner.get(f"/jobs/{name}?lang=en")
    thread.join()
    assert answer.headers["content-encoding"] == "identity"
    assert "content-length" not in answer.headers
    page = answer.text
    assert page.count('class="pulse"') == 3
    assert page.index('value="0.0"') < page.index('value="1.0"') < page.index("records that stand: 3")
    assert "half &lt;way&gt;" in page
    assert page.rstrip().endswith("</html>")
    assert page.count('http-equiv="refresh"') == 1
    after = owner.get(f"/jobs/{name}?lang=zh").text
    assert "refresh" not in after
    assert 'href="/report?id=urn%3Aexample%3Aloans' in after
    assert "probe &lt;b&gt;: x" in after
    assert "/srv/secret" not in page + after


def test_nothing_of_a_result_shows_before_it_is_whole(node: Node, owner: TestClient) -> None:
    name = begun(node)
    node.store.jobs.progress(name, 4, 4)
    model = owner.get(f"/jobs/{name}.json").json()
    assert (model["system"], model["records"], model["evidence"]) == ("", 0, False)
    assert owner.get(f"/jobs/{name}/passport.tqp").status_code == 404
    node.store.jobs.finish(name, RESULT)
    assert owner.get(f"/jobs/{name}.json").json()["system"] == SYSTEM.id
    answer = owner.get(f"/jobs/{name}/passport.tqp")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert owner.get(f"/jobs/{name}.csv").status_code == 200


def test_a_page_that_is_kept_still_is_sent_at_once(node: Node, owner: TestClient) -> None:
    name = begun(node)
    page = owner.get(f"/jobs/{name}?still=1&lang=en").text
    assert "refresh" not in page
    assert page.count('class="pulse"') == 1
    assert owner.head(f"/jobs/{name}").status_code == 200


def events(text: str) -> list[tuple[int, str, dict[str, object]]]:
    found = re.findall(r"id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n", text)
    return [(int(number), name, json.loads(data)) for number, name, data in found]


def test_events_go_on_from_the_last_that_was_seen(node: Node, owner: TestClient) -> None:
    jobs, name = node.store.jobs, begun(node)
    thread = during(lambda: jobs.progress(name, 1, 4, "x"), lambda: jobs.finish(name, RESULT))
    answer = owner.get(f"/jobs/{name}/stream")
    thread.join()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("retry: 2000\n\n")
    found = events(answer.text)
    assert [each[1] for each in found] == ["progress", "progress", "end"]
    assert [each[2]["done"] for each in found] == [0, 1, 1]
    assert found[-1][2]["system"] == SYSTEM.id
    numbers = [each[0] for each in found]
    assert numbers == sorted(set(numbers))
    again = owner.get(f"/jobs/{name}/stream", headers={"last-event-id": str(numbers[1])})
    assert [each[0] for each in events(again.text)] == [numbers[-1]]
    assert owner.get(f"/jobs/{name}/stream", headers={"last-event-id": str(numbers[-1])}).status_code == 204
    for odd in ("x", "-1", "9" * 40, ""):
        sent = owner.get(f"/jobs/{name}/stream", headers={"last-event-id": odd})
        assert len(events(sent.text)) == 1, odd


def test_programs_read_lines(node: Node, owner: TestClient) -> None:
    name = begun(node)
    thread = during(
        lambda: node.store.jobs.fail(
            name, Malformed("data.empty", Text(en="empty", zh="空"), do=Text(en="fill", zh="填"))
        )
    )
    answer = owner.get(f"/jobs/{name}/stream", headers={"accept": "application/jsonl"})
    thread.join()
    lines = [json.loads(line) for line in answer.text.splitlines() if line]
    assert [each["state"] for each in lines] == ["running", "failed"]
    assert lines[-1]["fault"] == {"en": "empty", "zh": "空"}
    assert owner.get(f"/jobs/{name}/stream?as=lines").text.count("\n") == 1


def test_a_stream_ends_when_the_right_to_look_does(node: Node) -> None:
    ida = node.people.add("Ida", "issuer")
    mine = signed_in(app(node), node.people, ida)
    name = begun(node, ida.id)
    ends = (
        lambda: node.people.leave(ida.id),
        lambda: node.people.end(ida.id),
    )
    for number, end in enumerate(ends):
        thread = during(end, partial(node.store.jobs.progress, name, 3, 4, f"secret {number}"))
        answer = mine.get(f"/jobs/{name}/stream")
        thread.join()
        assert answer.status_code == 200
        assert f"secret {number}" not in answer.text
        assert mine.get(f"/jobs/{name}").status_code == 404
        mine = signed_in(app(node), node.people, ida) if end is ends[0] else mine
    secret, token = node.people.make_token(node.people.owner().id, "watch")
    program = browser(app(node))
    thread = during(lambda: node.people.end_token(token.id), lambda: node.store.jobs.progress(name, 4, 4, "hidden"))
    answer = program.get(f"/jobs/{name}/stream", headers={"authorization": f"Bearer {secret}"})
    thread.join()
    assert answer.status_code == 200
    assert "hidden" not in answer.text


def test_a_job_one_may_not_see_looks_like_none(node: Node, owner: TestClient) -> None:
    ida = node.people.add("Ida", "issuer")
    name, none = begun(node, ida.id), "0" * 32
    others = [
        browser(app(node)),
        *(signed_in(app(node), node.people, node.people.add(role, role)) for role in ("issuer", "reviewer", "reader")),
        signed_in(app(node), node.people, node.people.add("Gu", "contributor", party="did:web:guest.example")),
    ]
    for client in others:
        key = {"csrf": csrf(node.people, client)} if client.cookies else {}
        for end in ("", ".json", ".csv", "/stream", "/passport.tqp"):
            seen, missing = client.get(f"/jobs/{name}{end}"), client.get(f"/jobs/{none}{end}")
            assert seen.status_code == missing.status_code == 404
            assert seen.text.replace(name, none) == missing.text
        for act in ("cancel", "again", "away"):
            seen, missing = (client.post(f"/jobs/{each}", data={"act": act, **key}) for each in (name, none))
            assert seen.status_code == missing.status_code == 404
            assert seen.text.replace(name, none) == missing.text
    assert node.store.jobs.get(name).cancel is False
    assert owner.get(f"/jobs/{name}?still=1").status_code == 200


def test_a_job_is_stopped_begun_again_and_put_away(node: Node) -> None:
    ida = node.people.add("Ida", "issuer")
    client = signed_in(app(node), node.people, ida)
    key = csrf(node.people, client)
    name = node.store.jobs.create("assess", {"folder": "/x"}, node.me, person=ida.id)
    assert client.post(f"/jobs/{name}", data={"act": "cancel"}).status_code == 403
    assert client.post(f"/jobs/{name}", data={"act": "again", "csrf": key}).status_code == 403

    def send(act: str, job: str) -> str:
        answer = client.post(f"/jobs/{job}", data={"act": act, "csrf": key}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    assert send("cancel", name) == f"/jobs/{name}"
    assert node.store.jobs.get(name).state == "cancelled"
    new = send("again", name).removeprefix("/jobs/")
    assert node.store.jobs.get(new).person == ida.id
    send("cancel", new)
    assert send("away", new) == "/"
    assert node.store.jobs.get(new).away
    assert send("nothing", new) == f"/jobs/{new}"
    # Who may only look any more may not change it.
    node.people.change(ida.id, role="reader")
    assert client.get(f"/jobs/{new}").status_code == 200
    refused = client.post(f"/jobs/{new}", data={"act": "away", "csrf": key})
    assert refused.status_code == 403


def test_streams_are_few() -> None:
    streams = progress.Streams(most=3, each=2)
    assert [streams.enter(who) for who in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    streams.leave("a")
    assert streams.enter("c")
    for who in ("a", "b", "c", "nobody"):
        streams.leave(who)
    assert [streams.enter(who) for who in ("a", "a", "b")] == [True, True, True]


def watched(node: Node, **given: float) -> progress.Progress:
    times = {"longest": 30.0, "heartbeat": 10.0, "look": 0.01, **given}
    return progress.Progress(Site(node, language="en"), node, **times)


def request(node: Node, *, path: str = "/", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Request:
    del path
    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": list(headers),
        "server": ("localhost", 80), "scheme": "http", "path_params": {},
    }  # fmt: skip
    made = Request(scope)
    made.state.signed = NOBODY._replace(principal=node.owner)
    made.state.secure = False
    made.state.posted = None
    return made


def test_a_stream_lasts_so_long_and_says_that_it_lives(node: Node) -> None:
    name = begun(node)

    async def states(given: progress.Progress) -> list[object]:
        step = node.store.jobs.get(name).step
        return [each async for each in given._states(request(node), name, step)]  # noqa: SLF001 - without a server

    beats = asyncio.run(states(watched(node, longest=0.5, heartbeat=0.1)))
    assert set(beats) == {None}
    assert 2 <= len(beats) <= 5
    assert asyncio.run(states(watched(node, longest=0.1))) == []


def test_where_there_is_no_room_the_page_renews_itself(node: Node) -> None:
    name = begun(node)
    given = watched(node)
    given.streams = progress.Streams(most=0)

    async def both() -> tuple[int, str, int]:
        asked = request(node)
        asked.scope["path_params"] = {"id": name}
        page, stream = await given.page(asked), await given.stream(asked)
        return page.status_code, bytes(page.body).decode(), stream.status_code

    status, page, refused = asyncio.run(both())
    assert (status, refused) == (200, 429)
    assert 'http-equiv="refresh"' in page


def test_streams_end_when_the_node_is_asked_to_stop(node: Node) -> None:
    name = begun(node)

    async def states() -> list[object]:
        return [each async for each in watched(node)._states(request(node), name, -1)]  # noqa: SLF001 - without a server

    progress.STOPPING.set()
    try:
        assert asyncio.run(states()) == []
    finally:
        progress.STOPPING.clear()
