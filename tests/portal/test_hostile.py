"""Hostile words, hostile readers and hidden records: nothing becomes markup, nothing is told apart, nothing is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from tests.portal import paper
from tongqiu.portal.guard import CSP, MAX_PATH, MAX_QUERY
from tongqiu.portal.report import report_html
from tongqiu.portal.site import LOCAL, app, at, is_local
from tongqiu.record.audience import Principal, only_for
from tongqiu.record.faults import Unreachable
from tongqiu.record.shapes import Evidence, Finding
from tongqiu.record.statement import Blob
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from httpx2 import Response

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}</style></title>\u202e=cmd|' /C calc'!A1"
FILE = "sha-256:" + "ab" * 32
SECRET = "did:web:reader.example"


def hostile() -> paper.PaperNode:
    """Return a node in which every field that a stranger fills holds hostile words."""
    node = paper.PaperNode(name=EVIL)
    subject = Subject(type="system", id="urn:example:" + re.sub(r"\s", "", EVIL), name=EVIL)
    both = Text(en=EVIL, zh=EVIL)
    evidence = Evidence(
        measure="evaluation.rate", title=both, value=EVIL, unit=EVIL, method=EVIL, group={EVIL: EVIL}, n=3
    )
    number = Evidence(
        measure="evaluation.rate", title=both, value=0.5, unit=EVIL, method=EVIL, group={EVIL: EVIL}, low=0.1, high=0.9
    )
    finding = Finding(
        requirement=EVIL, title=both, verdict="unmet", code="a.b", reason=both, mend=both,
        params={EVIL: EVIL, "value": 0.5, "low": 0.1, "high": 0.9, "limit": 0.4},
    )  # fmt: skip
    first = node.say(
        paper.SEEN.name,
        subject,
        paper.Seen(evidence=(evidence, number), findings=(finding,), note=EVIL),
        issuer="did:web:evil%22%3E",
        files=(Blob(name=EVIL.replace("/", "_"), media="text/html", digest=FILE, size=3),),
    )
    node.say(
        "evil.unknown/1",
        subject,
        {EVIL: [EVIL, {"en": EVIL, "zh": EVIL}]},
        rests_on=(first,),
        shapes=paper.Seen(findings=(finding,)),
    )
    node.say(
        paper.GRADED.name,
        subject,
        paper.Graded(
            pack=EVIL,
            version=EVIL,
            spans=(
                {
                    "scale": "s",
                    "title": {"en": EVIL, "zh": EVIL},
                    "state": "range",
                    "grades": [{"id": EVIL, "title": {"en": EVIL, "zh": EVIL}}],
                },
            ),
            rules=(),
            questions=(),
        ),
    )
    node.work.append(paper.PaperJob(id=EVIL, kind=EVIL, note=EVIL, state=EVIL))
    return node


def pages(node: paper.PaperNode) -> list[str]:
    """Return the address of every page that shows what the node holds."""
    from urllib.parse import quote

    subject = quote(node.statements[0].subject.id, safe="")
    entries = [each.entry.removeprefix("sha-256:") for each in node.statements]
    return [
        "/", f"/subject?id={subject}", "/records", f"/records?search={quote(EVIL)}&kind={quote(EVIL)}",
        *(f"/records/{entry}" for entry in entries), *(f"/records/{entry}/explain" for entry in entries),
        "/findings", f"/findings?requirement={quote(EVIL)}&verdict={quote(EVIL)}", "/measures",
        f"/measures?measure={quote(EVIL)}", f"/registries/things?search={quote(EVIL)}&{quote(EVIL)}={quote(EVIL)}",
        "/registries/things", "/jobs", "/about", f"/areas/paper/hello/{quote(EVIL.replace('/', ''))}", f"/report?id={subject}",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_hostile_words_never_become_markup(language: str) -> None:
    node = hostile()
    browser = TestClient(app(node))
    for page in pages(node):
        response = browser.get(page, headers={"accept-language": language})
        assert response.status_code == 200, page
        text = response.text
        assert "<script" not in text.lower(), page
        assert not re.search(r"<[^>]*\sonerror", re.sub(r'"[^"]*"', '""', text)), page
        assert "<img" not in text, page
        assert text.count("</title>") == 1 + text.count("<title>", text.index("<body")), page
        assert not re.search(r">[^<]*\b49\b[^<]*&lt;/style", text), page


def test_hostile_cells_are_not_formulas() -> None:
    node = paper.PaperNode()
    formulas = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")
    for formula in formulas:
        node.say(paper.SEEN.name, Subject(type="dataset", id="urn:example:x", name=formula), paper.Seen())
    text = TestClient(app(node)).get("/records.csv").content.decode("utf-8-sig")
    for formula in formulas:
        assert "'" + formula in text
    assert not re.search(r'(^|,)"?[=+@\t]', text, re.MULTILINE)


def every(browser: TestClient) -> list[Response]:
    """Return one answer of every sort."""
    entry = paper.mortgage().statements[4].entry.removeprefix("sha-256:")
    paths = [
        "/", "/records", f"/records/{entry}", f"/records/{entry}.json", "/records.csv", f"/records/{entry}/envelope",
        "/nothing", "/nothing.json", "/static/portal.css", "/checkpoint", "/report?id=urn:example:mortgage",
        "/registries/none", "/records?after=x", "/" + "a" * (MAX_PATH + 1), "/?" + "a" * (MAX_QUERY + 1),
    ]  # fmt: skip
    return [*(browser.get(path) for path in paths), browser.post("/"), browser.request("TRACE", "/")]


def test_every_answer_carries_strict_headers() -> None:
    browser = TestClient(app(paper.mortgage()))
    for response in every(browser):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        if response.url.path != "/report":
            assert policy == CSP
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.headers["cache-control"]
        assert "set-cookie" not in response.headers


def test_the_reports_policy_names_the_hash_of_its_one_style() -> None:
    import base64
    import hashlib

    response = TestClient(app(paper.mortgage())).get("/report?id=urn:example:mortgage")
    style = response.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["content-security-policy"]


def test_nothing_can_be_written_and_addresses_have_limits() -> None:
    browser = TestClient(app(paper.mortgage()))
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        response = browser.request(method, "/")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD, POST"
    assert browser.post("/").status_code == 403
    assert browser.post("/", headers={"origin": "http://testserver"}).status_code == 405
    assert browser.head("/").status_code == 200
    assert browser.head("/").content == b""
    assert browser.get("/" + "a" * (MAX_PATH + 1)).status_code == 414
    assert browser.get("/?q=" + "a" * MAX_QUERY).status_code == 414
    assert browser.get("/?" + "&".join(f"a{i}=1" for i in range(40))).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/records?search=" + "x" * 300, "/registries/things?limit=x", "/registries/things?offset=-1", "/records?after=²"],
)
def test_parameters_that_do_not_fit_are_named(path: str) -> None:
    browser = TestClient(app(paper.mortgage()))
    response = browser.get(path)
    assert response.status_code == 400
    name = path.partition("?")[2].partition("=")[0]
    assert name in response.text
    problem = browser.get(path.replace("?", ".json?"), headers={"accept-language": "zh"})
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["type"] == "urn:tongqiu:problem:malformed"
    assert problem.json()["status"] == 400
    assert problem.json()["detail"].startswith("参数")


def secretive() -> tuple[paper.PaperNode, str]:
    """Return a node with one record for a named reader only, and its hex."""
    node = paper.mortgage()
    subject = Subject(type="system", id="urn:example:secret", name="Secret system")
    entry = node.say(
        paper.SEEN.name,
        subject,
        paper.Seen(note="hush"),
        issuer=paper.OTHER,
        audience=only_for([SECRET], marking="red"),
        files=(Blob(name="f", media="text/html", digest=FILE, size=3),),
    )
    return node, entry.removeprefix("sha-256:")


def test_what_is_hidden_looks_exactly_like_what_is_not_there() -> None:
    node, hidden = secretive()
    absent = "0" * 64
    browser = TestClient(app(node))
    pairs = [
        *((f"/records/{hidden}{end}", f"/records/{absent}{end}") for end in ENDS),
        ("/subject?id=urn:example:secret", "/subject?id=urn:example:absent"),
        ("/subject.json?id=urn:example:secret", "/subject.json?id=urn:example:absent"),
        ("/report?id=urn:example:secret", "/report?id=urn:example:absent"),
        ("/findings?subject=urn:example:secret", "/findings?subject=urn:example:absent"),
        (f"/files/{FILE[8:]}", f"/files/{absent}"),
    ]
    for one, other in pairs:
        first, second = browser.get(one), browser.get(other)
        assert first.status_code == second.status_code == 404, one
        assert first.content == second.content, one
        assert dict(first.headers) == dict(second.headers), one
    for page in ("/", "/records", "/findings", "/measures", "/registries/things", "/records?search=hush"):
        for suffix in (
            page,
            page.replace("?", ".json?") if "?" in page else ("/index" if page == "/" else page) + ".json",
        ):
            text = browser.get(suffix).text
            assert "secret" not in text.lower(), suffix
            assert hidden[:12] not in text, suffix


ENDS = ("", ".json", ".csv", "/explain", "/explain.json", "/envelope", "/receipt")


def test_the_named_reader_sees_it() -> None:
    node, hidden = secretive()
    browser = TestClient(app(node, principal=Principal(party=SECRET)))
    page = browser.get(f"/records/{hidden}")
    assert page.status_code == 200
    assert "Not public" in page.text
    assert "TLP:RED" in page.text
    file = browser.get(f"/files/{FILE[8:]}")
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment")


def test_a_hidden_ground_is_named_and_no_more() -> None:
    node, hidden = secretive()
    entry = node.say(paper.SEEN.name, paper.DATA, paper.Seen(), rests_on=("sha-256:" + hidden,))
    browser = TestClient(app(node))
    hexes = entry.removeprefix("sha-256:")
    assert browser.get(f"/records/{hexes}.json").json()["rests_on"] == [{"entry": "sha-256:" + hidden, "record": None}]
    for end in ("", "/explain"):
        page = browser.get(f"/records/{hexes}{end}").text
        assert "Withheld" in page
        assert "Secret system" not in page


def test_a_record_of_an_unknown_type_is_shown_opaque_with_what_was_signed_beside_it() -> None:
    node = hostile()
    hexes = node.statements[1].entry.removeprefix("sha-256:")
    browser = TestClient(app(node))
    plain = browser.get(f"/records/{hexes}.json").json()
    assert plain["record"]["title"] is None
    assert plain["schema_holds"] is None
    assert len(plain["findings"]) == 1
    assert "not installed here" in browser.get(f"/records/{hexes}").text
    bare = paper.PaperNode()
    entry = bare.say("strange.thing/3", paper.DATA, {"evidence": ["not signed as evidence"], "findings": 7})
    plain = TestClient(app(bare)).get(f"/records/{entry[8:]}.json").json()
    assert plain["record"]["word"] == "opaque"
    assert (plain["measures"], plain["findings"]) == ([], [])


def test_a_body_that_does_not_fit_its_type_is_still_shown_as_it_is() -> None:
    node = paper.PaperNode()
    entry = node.say(paper.SEEN.name, paper.DATA, {"evidence": 5, "deep": {"a": [[[[1]]]]}})
    browser = TestClient(app(node))
    for path in (f"/records/{entry[8:]}", "/", "/measures"):
        assert browser.get(path).status_code == 200


def test_a_very_deep_and_long_body_is_cut_on_the_page() -> None:
    node = paper.PaperNode()
    body: object = "leaf"
    for _ in range(60):
        body = {"k": body}
    entry = node.say("strange.thing/1", paper.DATA, {"deep": body, "long": list(range(5000))})
    page = TestClient(app(node)).get(f"/records/{entry[8:]}").text
    assert len(page) < 60_000


def test_no_web_site_reaches_a_local_page_by_another_name() -> None:
    browser = TestClient(app(paper.mortgage(), hosts=LOCAL), base_url="http://127.0.0.1:8470")
    assert browser.get("/").status_code == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::2]"):
        assert browser.get("/", headers={"host": host}).status_code == 421, host
    assert browser.get("/", headers={"host": "[::1]:8470"}).status_code == 200
    assert browser.get("/", headers={"host": "LOCALHOST"}).status_code == 200


def test_only_this_machine_is_local() -> None:
    assert [is_local(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]", "0.0.0.0", "10.0.0.1", "a.example")] == [  # noqa: S104
        True, True, True, True, False, False, False,
    ]  # fmt: skip


def test_a_report_holds_only_what_its_reader_may_see() -> None:
    node, _ = secretive()
    node.say(
        paper.SEEN.name, paper.SYSTEM, paper.Seen(evidence=(paper.rate({}, 0.123, 0.1, 0.2, 9),)), issuer=paper.OTHER,
        audience=only_for([SECRET], marking="amber"),
    )  # fmt: skip
    for principal, seen in ((Principal(), False), (Principal(party=SECRET), True)):
        desk = node.desk(principal)
        page = report_html(desk, paper.SYSTEM, language="en", practices=node.practices, node=node.name)
        assert ("12% [10, 20]" in page) is seen


class Broken(paper.PaperNode):
    """A node whose desk cannot be had."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    def desk(self, principal: Principal) -> paper.PaperDesk:
        del principal
        raise self._fault


def test_a_busy_store_is_a_page_and_a_problem() -> None:
    words = Text(en="The store is busy.", zh="存储繁忙。")
    browser = TestClient(app(Broken(Unreachable("store.busy", words, do=words))))
    assert browser.get("/").status_code == 503
    assert "The store is busy." in browser.get("/").text
    problem = browser.get("/index.json", headers={"accept-language": "zh"}).json()
    assert (problem["type"], problem["code"], problem["detail"]) == (
        "urn:tongqiu:problem:unreachable",
        "store.busy",
        "存储繁忙。",
    )


def test_a_fault_of_our_own_tells_a_stranger_nothing_and_keeps_the_headers() -> None:
    browser = TestClient(app(Broken(RuntimeError("secret path /srv/x"))), raise_server_exceptions=False)
    for path in ("/", "/index.json", "/records/x/envelope"):
        response = browser.get(path)
        assert response.status_code == 503
        assert "secret" not in response.text
        assert response.headers["content-security-policy"] == CSP
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["path", "self", "lang", "query", "limit", "offset", "", "a b", "__class__"])
def test_a_parameter_of_any_name_is_harmless(name: str) -> None:
    browser = TestClient(app(paper.mortgage()))
    for page in ("/", "/records", "/findings", "/registries/things"):
        for form in ("", ".json", ".csv"):
            place = (page if page != "/" or not form else "/index") + form
            assert browser.get(place, params={name: "1"}).status_code == 200, place


def test_nobody_reads_private_records_without_signing_in() -> None:
    node = paper.PaperNode()
    node.say(
        paper.SEEN.name, Subject(type="system", id="urn:example:own", name="Own"), paper.Seen(), audience=only_for([])
    )
    for host in ("127.0.0.1", "localhost", "0.0.0.0", "192.0.2.1"):  # noqa: S104
        browser = TestClient(at(node, host), base_url="http://127.0.0.1")
        assert len(browser.get("/records.json").json()["records"]) == 0, host
        assert browser.get("/", headers={"host": "evil.example"}).status_code == (421 if is_local(host) else 200), host
    assert TestClient(at(node, "192.0.2.1", principal=Principal(party=paper.ME))).get("/records.json").json()["records"]
