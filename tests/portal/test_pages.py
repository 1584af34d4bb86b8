"""Every page in both languages, with the same model as JSON and CSV beside it, and nothing that a page must not have."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
import pytest
from starlette.testclient import TestClient

from tests.portal import paper
from tongqiu.portal.draw import css
from tongqiu.portal.overview import subject_page
from tongqiu.portal.site import app
from tongqiu.record.audience import STRANGER
from tongqiu.record.core import WITHDRAWAL, Withdrawal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

NODE = paper.mortgage()
ENTRIES = {f"{each.kind}#{each.index}": each.entry.removeprefix("sha-256:") for each in NODE.statements}
WEIGHED = NODE.statements[4].entry.removeprefix("sha-256:")
GRADED = NODE.statements[5].entry.removeprefix("sha-256:")

PAGES = [
    ("/", "/index"),
    ("/subject?id=urn:example:mortgage", "/subject"),
    ("/subject?id=urn:example:mortgage:model", "/subject"),
    ("/records", "/records"),
    ("/records?search=mortgage&kind=paper.seen/1", "/records"),
    *((f"/records/{entry}", f"/records/{entry}") for entry in ENTRIES.values()),
    (f"/records/{GRADED}/explain", f"/records/{GRADED}/explain"),
    ("/findings", "/findings"),
    ("/findings?verdict=unmet&subject=urn:example:mortgage", "/findings"),
    ("/measures", "/measures"),
    ("/measures?measure=dataset.", "/measures"),
    ("/registries", "/registries"),
    ("/registries/things", "/registries/things"),
    ("/registries/things?search=mortgage&limit=2&offset=2", "/registries/things"),
    ("/areas", "/areas"),
    ("/areas/paper", "/areas/paper"),
    ("/areas/paper/hello/Ann", "/areas/paper/hello/Ann"),
    ("/kinds/paper.seen/1", "/kinds/paper.seen/1"),
    ("/jobs", "/jobs"),
    ("/about", "/about"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[TestClient]:
    with TestClient(app(NODE)) as client:
        yield client


def beside(page: str, path: str, suffix: str) -> str:
    _, question, query = page.partition("?")
    return f"{path}.{suffix}{question}{query}"


def rows(response: Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


class Reader(HTMLParser):
    """What a reader, seeing or not, meets in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("page", "path"), PAGES)
def test_every_page_is_whole_and_in_its_language(browser: TestClient, page: str, path: str, language: str) -> None:
    del path
    response = browser.get(page, headers={"accept-language": language})
    assert response.status_code == 200
    read = Reader(response.text)
    assert read.open == []
    assert read.all("html")[0]["lang"] == {"zh": "zh-Hans", "en": "en"}[language]
    assert response.headers["content-language"] == language
    assert len(read.all("h1")) == 1
    assert not read.all("script")
    assert not any(name.startswith("on") or name == "style" for _, attributes in read.tags for name in attributes)
    assert len(read.all("main")) == 1
    assert any(link.get("href") == "#main" for link in read.all("a"))
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    assert all(table_has_caption(response.text))


def table_has_caption(page: str) -> Iterator[bool]:
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        yield "<caption>" in table
        yield 'scope="col"' in table


@pytest.mark.parametrize(("page", "path"), PAGES)
def test_json_and_csv_stand_beside_every_page(browser: TestClient, page: str, path: str) -> None:
    plain = browser.get(beside(page, path, "json"))
    assert plain.status_code == 200
    assert plain.headers["content-type"] == "application/json"
    assert isinstance(plain.json(), dict)
    table = browser.get(beside(page, path, "csv"))
    assert table.status_code == 200
    assert table.headers["content-type"].startswith("text/csv")
    widths = {len(row) for row in rows(table)}
    assert len(widths) == 1
    linked = Reader(browser.get(page).text).all("link")
    kinds = {link.get("type"): link.get("href") or "" for link in linked if link.get("rel") == "alternate"}
    assert browser.get(kinds["application/json"]).json() == plain.json()
    assert browser.get(kinds["text/csv"]).content == table.content


def test_page_json_and_csv_say_the_same(browser: TestClient) -> None:
    model = subject_page(NODE.practices, NODE.desk(STRANGER), paper.SYSTEM)
    plain = browser.get("/subject.json?id=urn:example:mortgage").json()
    assert plain == json.loads(msgspec.json.encode(model))
    table = rows(browser.get("/subject.csv?id=urn:example:mortgage"))
    place = table[0].index("value")
    values = [msgspec.json.encode(row.value).decode().strip('"') for row in model.measures]
    assert [row[place] for row in table[1:]] == values
    page = browser.get("/subject?id=urn:example:mortgage").text
    assert "90.7% [89.4, 91.9]" in page
    assert "0.79 [0.74, 0.84]" in page


def test_the_first_page_shows_how_things_stand(browser: TestClient) -> None:
    page = " ".join(Reader(browser.get("/").text).words)
    for words in ("Mortgage decisions", "Not met", "Undecided", "Between Limited and High", "Not assessed"):
        assert words in page
    card = browser.get("/index.json").json()["systems"][0]
    assert card["verdicts"] == {"unmet": 1, "undecided": 1, "not_assessed": 1, "met": 2, "not_applicable": 0}
    assert (card["measured"], card["claimed"], card["silent"]) == (12, 1, 4)


def test_the_most_serious_finding_stands_first_and_limits_are_drawn(browser: TestClient) -> None:
    page = browser.get("/subject?id=urn:example:mortgage").text
    assert page.index("The gap in approval stays under ten points") < page.index("Groups are approved at similar rates")
    assert "limit 0.8" in page
    plots = browser.get("/subject.json?id=urn:example:mortgage").json()["plots"]
    assert [plot["limit"] for plot in plots] == [None, None, 0.8]


def test_what_nobody_looked_at_is_said(browser: TestClient) -> None:
    page = browser.get("/subject?id=urn:example:mortgage").text
    for words in (
        "old.pkl is a pickle",
        "service: scoring endpoint",
        "The release is signed by its maker",
        "Size class",
    ):
        assert words in page


def test_the_walk_goes_from_grade_to_measurements(browser: TestClient) -> None:
    tree = browser.get(f"/records/{GRADED}/explain.json").json()["root"]
    assert tree["grades"][0]["unknown"][0]["en"] == "Does it profile natural persons?"
    assert tree["why"][0]["findings"][0]["verdict"] == "unmet"
    assert tree["why"][0]["why"][0]["measures"][0]["measure"] == "evaluation.accuracy"
    page = browser.get(f"/records/{GRADED}/explain").text
    assert page.index("Between Limited and High") < page.index("The gap is 19.1 points") < page.index("88.9%")
    assert "Opened above." in page


def test_a_record_says_what_it_is_and_what_it_cannot_prove(browser: TestClient) -> None:
    page = browser.get(f"/records/{WEIGHED}").text
    assert "that what it says is true" in page
    assert "a rule weighed other records" in page
    assert f"sha-256:{WEIGHED}" in page
    assert browser.get(f"/records/{WEIGHED}/envelope").content.startswith(b"envelope of")
    assert browser.get(f"/records/{WEIGHED}/receipt").content.startswith(b"receipt of")
    assert browser.get(f"/records/{WEIGHED}.json").json()["record"]["word"] == "derived"


def test_a_kind_shows_its_schema_and_the_digest_that_pins_it(browser: TestClient) -> None:
    plain = browser.get("/kinds/paper.seen/1.json").json()
    assert plain["kind"]["digest"] == paper.SEEN.schema_digest
    assert plain["schema"] == json.loads(json.dumps(paper.SEEN.schema))
    assert paper.SEEN.schema_digest in browser.get("/kinds/paper.seen/1").text


def test_lists_are_paged_without_losing_a_record() -> None:
    node = paper.PaperNode()
    for _ in range(120):
        node.say(paper.SEEN.name, paper.DATA, paper.Seen())
    browser = TestClient(app(node))
    met: list[str] = []
    query = ""
    while True:
        plain = browser.get(f"/records.json{query}").json()
        met += [each["entry"] for each in plain["records"]]
        if plain["next"] is None:
            break
        assert 'rel="next"' in browser.get(f"/records{query}").text
        query = f"?after={plain['next']}"
    assert met == [each.entry for each in reversed(node.statements)]
    assert [
        len(browser.get(f"/registries/things.json?limit=50&offset={start}").json()["rows"]) for start in (0, 100)
    ] == [
        50,
        20,
    ]


def test_work_renews_itself_only_while_it_runs_and_can_be_stilled(browser: TestClient) -> None:
    assert '<meta http-equiv="refresh" content="5">' in browser.get("/jobs").text
    assert "refresh" not in browser.get("/jobs?still=1").text.partition("</head>")[0]
    fell = paper.PaperJob(state="failed", fault=paper.PaperFell(*(paper.PRACTICE.title,) * 2))
    node = paper.PaperNode()
    node.work.append(fell)
    page = TestClient(app(node)).get("/jobs").text
    assert "http-equiv" not in page
    assert "failed" in page


def test_an_empty_node_says_so_in_words() -> None:
    browser = TestClient(app(paper.PaperNode()))
    for path in ("/", "/records", "/findings", "/measures", "/registries/things", "/jobs"):
        assert browser.get(path).status_code == 200
    assert "tongqiu assess" in browser.get("/").text


def test_the_language_is_the_asked_one_then_the_browsers_then_the_nodes() -> None:
    zh = TestClient(app(NODE, language="zh"))
    assert 'lang="zh-Hans"' in zh.get("/", headers={"accept-language": "fr, *;q=0.1"}).text[:60]
    assert 'lang="en"' in zh.get("/", headers={"accept-language": "zh;q=0.3, en-GB;q=0.9"}).text[:60]
    assert 'lang="zh-Hans"' in zh.get("/?lang=zh", headers={"accept-language": "en"}).text[:60]
    assert 'lang="en"' in zh.get("/?lang=en").text[:60]
    assert "accept-language" in zh.get("/").headers["vary"]


def test_switching_language_keeps_the_page_and_links_keep_the_language(browser: TestClient) -> None:
    page = Reader(browser.get("/findings?verdict=unmet&lang=en").text)
    switch = next(link for link in page.all("a") if link.get("class") == "switch")
    assert switch["href"] == "/findings?verdict=unmet&lang=zh"
    assert switch["lang"] == "zh-Hans"
    there = Reader(browser.get(switch["href"] or "").text)
    links = [link["href"] or "" for link in there.all("a") if (link.get("href") or "").startswith("/")]
    kept = [link for link in links if "lang=zh" in link]
    assert len(kept) > 8
    assert {"lang": "zh"}.items() <= {field.get("name"): field.get("value") for field in there.all("input")}.items()


def test_the_style_sheet_is_small_and_asks_for_nothing(browser: TestClient) -> None:
    style = browser.get("/static/portal.css")
    assert style.text == css()
    assert len(style.content) <= 12_288
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_colours_are_told_apart_by_weak_eyes() -> None:
    blocks = {name: dict(re.findall(r"--(\w+):(#\w+)", text)) for name, text in schemes()}
    for name, colours in blocks.items():
        for ground in ("bg", "card", "soft"):
            for ink in ("ink", "quiet", "accent", "unmet", "undecided", "met", "none"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (name, ink, ground)
        assert contrast(colours["card"], colours["accent"]) >= 4.5, name


def schemes() -> Iterator[tuple[str, str]]:
    light, dark = re.findall(r":root\{[^}]*--ink[^}]*\}", css())
    yield "light", light
    yield "dark", dark


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, relative luminance)."""

    def light(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_pages_are_light_enough_for_a_slow_line(browser: TestClient) -> None:
    for page, most in (("/", 3_000), ("/subject?id=urn:example:mortgage", 10_000), ("/static/portal.css", 4_000)):
        with browser.stream("GET", page, headers={"accept-encoding": "gzip"}) as response:
            assert response.headers["content-encoding"] == "gzip"
            assert sum(len(piece) for piece in response.iter_raw()) <= most, page


def test_a_record_that_was_withdrawn_says_so_first() -> None:
    node = paper.PaperNode()
    entry = node.say(paper.SEEN.name, paper.DATA, paper.Seen())
    browser = TestClient(app(node))
    assert "no longer stands" not in browser.get(f"/records/{entry[8:]}").text
    ended = node.say(WITHDRAWAL.name, paper.DATA, Withdrawal(entry=entry, why="A mistake."))
    page = browser.get(f"/records/{entry[8:]}").text
    assert page.index("no longer stands") < page.index("What this can prove")
    assert browser.get(f"/records/{entry[8:]}.json").json()["retired_by"]["entry"] == ended
