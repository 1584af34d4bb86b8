"""Two people at one node with a real browser: one publishes and proposes, the other agrees, and a stranger sees what may be seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from tests.portal.test_browser import chrome as chrome  # noqa: PLC0414 - the browser of the other system tests
from tests.portal.test_browser_signin import heading, press, wait_for_another_page
from tests.portal.test_browser_signin import node as node  # noqa: PLC0414
from tests.portal.test_browser_signin import url as url  # noqa: PLC0414
from tongqiu.record.core import ACT, COMPOSITION, TOMBSTONE, Composition
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tongqiu.node import Node
    from tongqiu.store.people import Person

SYSTEM = Subject("system", "urn:example:loans", None, "Loans")


def enter(browser: Chrome, node: Node, url: str, person: Person, language: str) -> None:
    """Let a person in, in the place of whoever was there."""
    browser.delete_all_cookies()
    browser.get(f"{url}/sign-in/link/{node.people.link(person.id)}?lang={language}")
    press(browser, "Sign in on this device" if language == "en" else "在此设备上登录")


def strangers(url: str) -> list[str]:
    """Return the entries that anybody may read."""
    with urlopen(f"{url}/records.json") as answer:  # noqa: S310 - a node on this machine
        return [each["entry"] for each in json.load(answer)["records"] if each["kind"] == COMPOSITION.name]


@pytest.mark.system
def test_one_publishes_and_proposes_and_another_agrees(chrome: Chrome, node: Node, url: str) -> None:
    from selenium.webdriver.common.by import By

    issuer, reviewer = node.people.add("Li Lei", "issuer"), node.people.add("王芳", "reviewer")
    (record,) = node.publish([Said(COMPOSITION.name, SYSTEM, Composition(parts=(), purpose="loans"))])
    place = f"{url}/records/{record.entry.removeprefix('sha-256:')}"

    enter(chrome, node, url, issuer, "en")
    assert strangers(url) == []
    chrome.get(f"{place}?lang=en")
    press(chrome, "What you can do")
    press(chrome, "Publish a record")
    assert chrome.find_element(By.ID, "f-entry").get_attribute("value") == record.entry
    chrome.find_element(By.ID, "f-to").send_keys("nobody")
    chrome.find_element(By.ID, "f-why").send_keys("So that everyone can read it")
    press(chrome, "Go on")
    wrong = chrome.find_element(By.CSS_SELECTOR, "section.wrong")
    assert "Readers" in wrong.text
    assert strangers(url) == []
    assert chrome.find_element(By.ID, "f-why").get_attribute("value") == "So that everyone can read it"
    chrome.find_element(By.ID, "f-to").clear()
    press(chrome, "Go on")
    assert strangers(url) == []
    press(chrome, "Yes, do it")
    (published,) = strangers(url)
    assert published.removeprefix("sha-256:") in chrome.current_url

    owner = node.people.owner()
    enter(chrome, node, url, owner, "en")
    chrome.get(f"{url}/do/core.erase?entry={published}&lang=en")
    chrome.find_element(By.ID, "f-ground").send_keys("GDPR Article 17(1)(d)")
    press(chrome, "Propose it")
    press(chrome, "Yes, do it")
    assert "/proposals/" in chrome.current_url
    assert "Agree: do it now" not in chrome.find_element(By.TAG_NAME, "main").text
    assert strangers(url) == [published]

    enter(chrome, node, url, reviewer, "zh")
    chrome.get(f"{url}/?lang=zh")
    assert "待" in heading(chrome).text
    waiting = chrome.find_elements(By.CSS_SELECTOR, "li.item .actions a[href*='/proposals/']")
    assert len(waiting) == 1
    waiting[0].click()
    wait_for_another_page(chrome, waiting[0])
    assert "GDPR Article 17(1)(d)" in chrome.find_element(By.TAG_NAME, "main").text
    press(chrome, "同意并立即执行")
    assert strangers(url) == []
    (stone,) = node.snapshot().said(TOMBSTONE.name)
    assert (stone.body["entry"], stone.body["ground"]) == (published, "GDPR Article 17(1)(d)")
    told = [each.body for each in node.snapshot().said(ACT.name) if "approved_by" in each.body]
    assert [(each["who"], each["verb"], each["approved_by"]) for each in told] == [
        (owner.id, "core.erase", reviewer.id)
    ]
    log = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    assert [each for each in log if each["level"] != "INFO" and "400" not in each["message"]] == []
