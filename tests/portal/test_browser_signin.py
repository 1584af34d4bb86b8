"""Signing in with a real browser: by the owner's link, then by a passkey of a virtual authenticator."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.portal.test_browser import chrome as chrome  # noqa: PLC0414 - the browser of the other system tests
from tongqiu.node.node import open_node
from tongqiu.portal.site import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tongqiu.node import Node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with open_node(tmp_path / "home", create=True, name="Laboratory") as made:
        yield made


@contextmanager
def served(node: Node) -> Iterator[str]:
    """Serve a node by name on a free port of this machine, as ``tongqiu serve`` does."""
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    server = uvicorn.Server(uvicorn.Config(at(node, "127.0.0.1", url=url), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield url
    server.should_exit = True
    thread.join()


@pytest.fixture
def url(node: Node) -> Iterator[str]:
    with served(node) as url:
        yield url


def press(browser: Chrome, words: str) -> None:
    """Press the button or link that says so, and wait until another page is there."""
    from selenium.webdriver.common.by import By

    (found,) = browser.find_elements(By.XPATH, f"//main//*[self::a or self::button][normalize-space()='{words}']")
    found.click()
    wait_for_another_page(browser, found)


def wait_for_another_page(browser: Chrome, found: WebElement) -> None:
    """Wait until the element is on no page any more.

    While a page is being replaced Chromium's driver may say that the node "does not belong to the document", as an error
    without a kind, in place of calling the element stale; both mean that the old page has gone.
    """
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
    from selenium.webdriver.support.wait import WebDriverWait

    def gone(_: Chrome) -> bool:
        try:
            found.is_enabled()
        except StaleElementReferenceException:
            return True
        except WebDriverException as error:
            if "does not belong to the document" in str(error.msg):
                return True
            raise
        return False

    WebDriverWait(browser, 20).until(gone)


def heading(browser: Chrome) -> WebElement:
    from selenium.webdriver.common.by import By

    return browser.find_element(By.TAG_NAME, "h1")


@pytest.mark.system
def test_the_owner_adds_a_passkey_and_signs_in_with_it(chrome: Chrome, node: Node, url: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

    options = VirtualAuthenticatorOptions()
    options.transport = VirtualAuthenticatorOptions.Transport.INTERNAL
    options.has_resident_key = options.has_user_verification = options.is_user_verified = True
    chrome.add_virtual_authenticator(options)
    owner = node.people.owner().id
    try:
        chrome.get(f"{url}/sign-in/link/{node.people.link(owner)}?lang=en")
        press(chrome, "Sign in on this device")
        assert [each.how for each in node.people.sessions(owner)] == ["link"]
        assert chrome.find_element(By.CSS_SELECTOR, ".who").text == "Laboratory"
        chrome.get(f"{url}/me?lang=en")
        press(chrome, "Add a passkey")
        chrome.find_element(By.ID, "f-name").send_keys("This test")
        press(chrome, "Ask my device")
        assert "This test" in chrome.find_element(By.TAG_NAME, "main").text
        assert len(node.people.held(owner)[0]) == 1
        press(chrome, "Sign out")
        assert node.people.sessions(owner) == []
        chrome.get(f"{url}/me?lang=en")
        assert heading(chrome).text == "Nothing to show"
        chrome.get(f"{url}/sign-in?lang=en")
        press(chrome, "Use a passkey")
        press(chrome, "Ask my device")
        assert [each.how for each in node.people.sessions(owner)] == ["passkey"]
        chrome.get(f"{url}/me?lang=zh")
        assert "通行密钥" in chrome.find_element(By.TAG_NAME, "main").text
        (crumb,) = [each for each in chrome.get_cookies() if each["name"] == "tongqiu"]
        assert (crumb["httpOnly"], crumb["sameSite"]) == (True, "Lax")
        assert chrome.execute_script("return document.cookie") == ""
        log = chrome.get_log("browser")  # type: ignore[no-untyped-call]
        assert [each for each in log if each["level"] != "INFO" and "404" not in each["message"]] == []
    finally:
        chrome.remove_virtual_authenticator()


@pytest.mark.system
def test_the_owner_connects_an_account_elsewhere_and_signs_in_with_it(chrome: Chrome, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    from tests.portal.provider import Provider
    from tests.portal.test_signin import settle

    provider = Provider("tongqiu client", "a secret: of/the client")
    provider.sub, provider.now = "sub-1", time.time()
    open_node(tmp_path / "joined", create=True, name="Laboratory").close()
    settle(tmp_path / "joined", provider)
    with open_node(tmp_path / "joined") as node, served(node) as url:
        owner = node.people.owner().id
        chrome.get(f"{url}/sign-in/link/{node.people.link(owner)}?lang=en")
        press(chrome, "Sign in on this device")
        chrome.get(f"{url}/me?lang=en")
        press(chrome, "Connect an account at City")
        WebDriverWait(chrome, 20).until(lambda browser: browser.current_url.startswith(f"{url}/me"))
        assert provider.issuer in chrome.find_element(By.TAG_NAME, "main").text
        press(chrome, "Sign out")
        assert node.people.sessions(owner) == []
        chrome.get(f"{url}/sign-in?lang=en")
        press(chrome, "Go on")
        WebDriverWait(chrome, 20).until(lambda browser: browser.current_url == f"{url}/")
        assert [each.how for each in node.people.sessions(owner)] == ["oidc"]
    provider.close()


@pytest.mark.system
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_people_fit_a_small_phone(chrome: Chrome, node: Node, url: str, language: str) -> None:
    from tests.portal.test_browser import WIDE

    owner = node.people.owner().id
    node.people.add(
        "A person with a rather long name of several words 一个很长的名字", "contributor", party="did:web:" + "a" * 80
    )
    node.people.make_token(owner, "nightly", scopes=["read", "core.publish", "core.correct"])
    chrome.get(url)
    chrome.add_cookie({"name": "tongqiu", "value": node.people.begin(owner, how="link", label="A browser " * 12)})
    for width in (360, 1280):
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        for path in ("/me", "/people", "/sign-in", "/sign-in/passkey", "/me/passkey", "/sign-in/link/" + "x" * 43):
            chrome.get(f"{url}{path}?lang={language}")
            assert chrome.execute_script("return document.documentElement.scrollWidth") <= width, path
            assert chrome.execute_script(WIDE) == [], path
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
