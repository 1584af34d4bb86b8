"""The pages in a real browser: nothing sticks out on a small phone, nothing is loaded from elsewhere, no complaint."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.portal import paper
from tongqiu.portal.site import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
SOURCES = "return performance.getEntriesByType('resource').map(each => each.name)"
WIDE = (
    "return [...document.querySelectorAll('body *')].filter(each => !each.closest('.scroll, .sr, .skip') "
    "&& each.getBoundingClientRect().right > innerWidth + 1).map(each => each.tagName + '.' + each.className)"
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the paper node on a free port of this machine."""
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app(paper.mortgage()), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start the system's Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not found or not driver:
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    home: Path = tmp_path_factory.mktemp("chromium")
    for flag in (*FLAGS, f"--user-data-dir={home}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


@pytest.mark.system
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_fit_a_small_phone_and_load_nothing_from_elsewhere(chrome: Chrome, address: str, language: str) -> None:
    entries = [each.entry.removeprefix("sha-256:") for each in paper.mortgage().statements]
    paths = [
        "/", "/subject?id=urn:example:mortgage", "/records", f"/records/{entries[4]}", f"/records/{entries[5]}/explain",
        "/findings", "/measures", "/registries", "/registries/things", "/areas", "/areas/paper", "/kinds/paper.seen/1",
        "/jobs?still=1", "/about", "/report?id=urn:example:mortgage",
    ]  # fmt: skip
    for width in (360, 1280):
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        for path in paths:
            chrome.get(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
            assert chrome.execute_script("return document.documentElement.scrollWidth") <= width, path
            assert chrome.execute_script(WIDE) == [], path
            assert all(each.startswith((address, "data:")) for each in chrome.execute_script(SOURCES)), path
    assert [each for each in chrome.get_log("browser") if each["level"] != "INFO"] == []  # type: ignore[no-untyped-call]


@pytest.mark.system
def test_the_keyboard_reaches_the_text_first(chrome: Chrome, address: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    chrome.get(address + "/about?lang=en")
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = chrome.switch_to.active_element
    assert first.text == "Skip to content"
    first.send_keys(Keys.ENTER)
    assert chrome.switch_to.active_element.get_attribute("id") == "main"
