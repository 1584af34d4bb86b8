"""Nothing that a person can use is undocumented, and nothing documented is made up."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.docs.pages import DOCS, ROOT, first_cells, sections, steps
from tongqiu import cli
from tongqiu.node import core, discovery
from tongqiu.node.manifest import TYPES, PartKeys, SystemKeys
from tongqiu.norms import library
from tongqiu.portal.pages import PAGES
from tongqiu.practice import load
from tongqiu.record.faults import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tongqiu.practice import Practice

LANGUAGES = ("commands.md", "commands.zh.md")
MANIFESTS = ("manifest.md", "manifest.zh.md")
EVERY_PART = ("Every part", "每个部分")
PRACTICES = discovery.discover(core=core.PRACTICE)


def command_pages(name: str) -> dict[str, str]:
    """Return what a page says of each command."""
    found = sections((DOCS / name).read_text("utf-8"))
    return {words.strip("`"): text for words, text in found.items() if words.startswith("`")}


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_command_is_documented_and_no_other(name: str) -> None:
    assert sorted(command_pages(name)) == sorted(cli.commands())


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("command", cli.commands())
def test_a_command_is_shown_at_work_and_every_option_is_documented(name: str, command: str) -> None:
    text = command_pages(name)[command]
    assert any(step.command.startswith(f"tongqiu {command}") for step in steps(text))
    where = next(each[1] for each in cli._COMMANDS if each[0] == command)  # noqa: SLF001 - where the body of a command lives
    options = set()
    for key, parameter in inspect.signature(load(where)).parameters.items():
        spelt = key.rstrip("_").replace("_", "-")
        if key != "home":
            options.add(f"--{spelt}" if parameter.kind is parameter.KEYWORD_ONLY else spelt.upper())
    documented = {
        each for row in re.findall(r"^\| (`.+?`) \|", text, re.MULTILINE) for each in re.findall(r"`([^`]+)`", row)
    }
    assert documented == options


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_exit_code_is_documented(name: str) -> None:
    documented = first_cells((DOCS / name).read_text("utf-8").split("## `")[0])
    assert documented == {"0", "1", "70", "130", *(str(row.exit_code) for row in TABLE.values())}


# --- the manifest -----------------------------------------------------------------------------------------------------


def keys(structs: Iterable[type[Any]]) -> set[str]:
    """Return the keys that these tables know."""
    return {field.encode_name for struct in structs for field in msgspec.structs.fields(struct)}


def settings(table: str) -> set[str]:
    """Return the keys that the practices declare for a table."""
    return keys(practice.settings[table] for practice in PRACTICES.all if table in practice.settings)


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_key_of_the_manifest_is_documented_and_no_other(name: str) -> None:
    found = sections((DOCS / name).read_text("utf-8"))
    tables = {words.strip("`[]"): first_cells(text) for words, text in found.items() if words.startswith("`[")}
    declared = {table for practice in PRACTICES.all for table in practice.settings}
    assert set(tables) == {"system", "facts", *TYPES} | declared
    for table, documented in tables.items():
        if table == "facts":
            asked = {
                fact.key
                for pack in library.shipped()
                for fact in library.questions(pack).facts.values()
                if fact.type != "signal"
            }
            assert documented == asked
        elif table == "system":
            assert documented == keys([SystemKeys]) | settings(table)
        else:
            assert documented == settings(table) - keys([PartKeys])
    assert first_cells(next(text for words, text in found.items() if words in EVERY_PART)) == keys([PartKeys])


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_form_of_a_table_is_that_which_the_node_takes(name: str) -> None:
    heads = re.findall(r"^## `(\[.+\])`$", (DOCS / name).read_text("utf-8"), re.MULTILINE)
    assert all(head.startswith("[[") == (head.strip("[]") in TYPES) for head in heads)


# --- the areas --------------------------------------------------------------------------------------------------------


def own_pages(practice: Practice) -> list[Path]:
    """Return the pages about an area: its README, and its guide."""
    places = (ROOT / "src/tongqiu/practices" / practice.name / "README.md", DOCS / "guides" / f"{practice.name}.md")
    return [page for page in places if page.exists()]


OURS = [practice for practice in PRACTICES.all if (ROOT / "src/tongqiu/practices" / practice.name).is_dir()]


def test_no_area_is_broken_and_ours_are_all_looked_at() -> None:
    assert PRACTICES.broken == ()
    folders = {each.parent.name for each in (ROOT / "src/tongqiu/practices").glob("*/__init__.py")}
    assert {practice.name for practice in OURS} == folders


@pytest.mark.parametrize("practice", OURS, ids=lambda each: each.name)
def test_an_area_names_all_that_it_brings(practice: Practice) -> None:
    pages = own_pages(practice)
    assert len(pages) == 2, "an area has a README in its folder and a guide in docs/guides"
    text = "\n".join(page.read_text("utf-8") for page in pages)
    brought: tuple[Any, ...] = (
        *practice.kinds,
        *practice.probes,
        *practice.assessors,
        *practice.views,
        *practice.queries,
        *practice.verbs,
        *practice.doors,
        *practice.duties,
    )
    assert brought
    assert [each.name for each in brought if f"`{each.name}`" not in text] == []


@pytest.mark.parametrize("practice", OURS, ids=lambda each: each.name)
def test_an_area_is_explained_in_both_languages(practice: Practice) -> None:
    text = "\n".join(page.read_text("utf-8") for page in own_pages(practice))
    assert len(re.findall(r"[一-鿿]", text)) > 400
    assert len(re.findall(r"[A-Za-z]{3,}", text)) > 400


@pytest.mark.parametrize("name", ["architecture.md", "architecture.zh.md"])
def test_what_every_node_understands_is_listed_and_no_more(name: str) -> None:
    found = sections((DOCS / name).read_text("utf-8"))
    table = next(
        text for words, text in found.items() if words in {"What every node understands", "每个节点都懂的内容"}
    )
    known = {kind.name for kind in core.PRACTICE.kinds} | {view.name for view in core.PRACTICE.views}
    known |= {door.name for door in core.PRACTICE.doors}
    assert first_cells(table) == known


def test_every_page_of_the_portal_is_documented() -> None:
    guide = (DOCS / "guides" / "portal.md").read_text("utf-8")
    shown = {path.partition("?")[0] for path in re.findall(r"`(/[^`]*)`", guide)}
    assert {re.sub(r"{(\w+)}", lambda found: found[1].upper(), str(path)) for path, *_ in PAGES} <= shown
