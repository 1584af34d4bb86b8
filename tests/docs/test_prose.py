"""The pages hold together: links lead somewhere, decisions have their form, both languages say as much."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, PAGES, PAIRS, ROOT, fences, headings, language, links, steps
from tongqiu.portal.words import VERDICTS, WORDS

if TYPE_CHECKING:
    from pathlib import Path

MOST_LINES = 300
NAMES = {"ids": lambda page: str(page.relative_to(ROOT))}
ADR = ("What was decided", "Why", "What it costs", "What else was weighed", "When to look again")
FORBIDDEN = {
    "a path of one machine": r"/work/|/home/[a-z]|/root/|/tmp/",
    "the address of a package registry": r"pypi\.org|files\.pythonhosted|registry\.npmjs|/simple/",
    "a promise": r"\bTODO\b|\bFIXME\b|\bTBD\b|coming soon",
}
SCRIPT = re.compile(r"[一-鿿]")


@pytest.mark.parametrize("page", PAGES, ids=NAMES["ids"])
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in {slug(words) for _, words in headings(target.read_text("utf-8"))}, link


def slug(words: str) -> str:
    """Return the anchor of a heading, as the common renderers of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=NAMES["ids"])
def test_nothing_of_one_machine_and_no_promise_stands_in_a_page(page: Path) -> None:
    text = page.read_text("utf-8")
    assert [name for name, form in FORBIDDEN.items() if re.search(form, text)] == []


@pytest.mark.parametrize("page", sorted((DOCS / "spec").glob("*.md")), ids=NAMES["ids"])
def test_a_specification_is_short(page: Path) -> None:
    assert len(page.read_text("utf-8").splitlines()) < MOST_LINES


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=NAMES["ids"])
def test_a_decision_has_its_form(page: Path) -> None:
    text = page.read_text("utf-8")
    found = headings(text)
    assert re.match(r"# \d{4}[.:]? \S", text)
    assert text.startswith(f"# {page.name[:4]}")
    assert tuple(words for depth, words in found if depth == 2) == ADR


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [page.name[:4] for page in (DOCS / "adr").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("folder", ["guides", "spec"])
def test_an_index_names_every_page(folder: str) -> None:
    pages = {page.name for page in (DOCS / folder).glob("*.md")} - {"README.md"}
    assert {link.split("#")[0] for link in links((DOCS / folder / "README.md").read_text("utf-8"))} >= pages


@pytest.mark.parametrize(("en", "zh"), PAIRS, ids=[pair[0].stem for pair in PAIRS])
def test_both_languages_have_the_same_parts(en: Path, zh: Path) -> None:
    first, second = en.read_text("utf-8"), zh.read_text("utf-8")
    assert [depth for depth, _ in headings(first)] == [depth for depth, _ in headings(second)]
    assert [fence.language for fence in fences(first)] == [fence.language for fence in fences(second)]
    assert [step.command for step in steps(first)] == [step.command for step in steps(second)]
    assert len(re.findall(r"^\|", first, re.MULTILINE)) == len(re.findall(r"^\|", second, re.MULTILINE))
    assert len(re.findall(r"^- ", first, re.MULTILINE)) == len(re.findall(r"^- ", second, re.MULTILINE))


@pytest.mark.parametrize(("en", "zh"), PAIRS, ids=[pair[0].stem for pair in PAIRS])
def test_each_page_is_in_its_language(en: Path, zh: Path) -> None:
    assert len(SCRIPT.findall(en.read_text("utf-8"))) < 20
    assert len(SCRIPT.findall(zh.read_text("utf-8"))) > 500


@pytest.mark.parametrize("page", [*PAIRS[0], DOCS / "architecture.md", DOCS / "architecture.zh.md"], ids=NAMES["ids"])
def test_trust_words_are_those_of_the_pages(page: Path) -> None:
    tongue = language(page)
    trusted = [WORDS[each].of(tongue).lower() for each in ("claimed", "measured", "reproduced", "recognised")]
    trusted.append(VERDICTS["not-assessed"].of(tongue).lower())
    rows = re.findall(r"^\| ([^|`]+) \|", page.read_text("utf-8"), re.MULTILINE)
    assert [row for row in rows if row in trusted] == trusted


def test_the_first_screen_says_what_it_does_and_the_two_commands() -> None:
    for page in PAIRS[0]:
        screen = "\n".join(page.read_text("utf-8").splitlines()[:25])
        assert "make demo" in screen
        assert "make test" in screen
