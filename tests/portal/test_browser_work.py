"""Work with a real browser: a folder is assessed from the pages while the node is killed and started again."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.portal.test_browser import FLAGS, WIDE
from tests.portal.test_browser_signin import press
from tongqiu.node import home as homes
from tongqiu.node.node import open_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

ROWS = 60_000


class Served:
    """``tongqiu serve`` in a process of its own, on one port, as often as it is started."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it and return the link by which its owner signs in."""
        command = [sys.executable, "-m", "tongqiu", "serve", "--home", str(self.home), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "400"}
        )
        assert self.process.stdout is not None
        link = ""
        while not link:
            line = self.process.stdout.readline()
            assert line, "it did not start"
            link = line.strip() if "/sign-in/link/" in line else ""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return link
            time.sleep(0.1)
        raise AssertionError("it does not answer")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()
            self.process = None


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    place = tmp_path / "systems" / "loans"
    (place / "code").mkdir(parents=True)
    rows = [
        f"{n},{'ab'[n % 2]},{'yes' if n % 3 else 'no'},{'yes' if n % 7 else 'no'},text {n} 文本" for n in range(ROWS)
    ]
    (place / "cases.csv").write_text("\n".join(["id,group,label,decision,words", *rows]) + "\n", "utf-8")
    (place / "code" / "run.py").write_text("# SPDX-License-Identifier: MIT\nprint('hello')\n", "utf-8")
    homes.create(tmp_path / "home", name="Laboratory")
    with (tmp_path / "home" / "node.toml").open("a", encoding="utf-8") as file:
        file.write(f'[assess]\nroots = ["{tmp_path}/systems"]\n')
    made = Served(tmp_path / "home")
    yield made
    made.kill()
    with open_node(tmp_path / "home") as node:
        for job in node.store.jobs.running():
            node.store.jobs.cancel(job.id)


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[Chrome]:
    """Start a Chromium that does not wait for the end of a page: one that grows has none for a while."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not found or not driver:
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location, options.page_load_strategy = found, "none"
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'chromium'}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


def text(chrome: Chrome) -> str:
    """Return what the page shows now; nothing while there is none."""
    from selenium.common.exceptions import WebDriverException

    with contextlib.suppress(WebDriverException):
        return str(chrome.execute_script("return document.body ? document.body.innerText : ''"))
    return ""


def shows(chrome: Chrome, words: str, seconds: float = 60) -> None:
    """Wait until the page shows ``words``."""
    until(lambda: words in text(chrome), f"{words!r} in {text(chrome)[:2000]!r}", seconds)


def until(done: Callable[[], bool], what: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def fits(chrome: Chrome, width: int) -> None:
    """Check that nothing of the page that is open sticks out at ``width``."""
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width, chrome.current_url
    assert chrome.execute_script(WIDE) == [], chrome.current_url


def fill_in(chrome: Chrome) -> None:
    """Lead through the wizard to the job, looking at every step as on a phone."""
    from selenium.webdriver.common.by import By

    press(chrome, "Assess a system")
    shows(chrome, "Choose a folder")
    press(chrome, "systems")
    shows(chrome, "loans")
    press(chrome, "loans")
    shows(chrome, "Assess this folder")
    fits(chrome, 360)
    press(chrome, "Assess this folder")
    shows(chrome, "Questions about its use")
    name = chrome.find_element(By.ID, "name")
    name.clear()
    name.send_keys("贷款 Loans")
    chrome.find_element(By.CSS_SELECTOR, "fieldset details summary").click()
    chrome.find_element(By.CSS_SELECTOR, 'input[name="sensitive.0"][value="group"]').click()
    chrome.find_element(By.CSS_SELECTOR, 'input[name="fact.eu.scope.ai_system"][value="true"]').click()
    for width in (1280, 360):
        fits(chrome, width)
    press(chrome, "Show me what will be written")
    shows(chrome, 'name = "贷款 Loans"')
    assert '"eu.scope.ai_system" = true' in text(chrome)
    fits(chrome, 360)
    press(chrome, "Write it and begin")


@pytest.mark.system
def test_an_assessment_from_the_pages_outlives_the_node_that_began_it(chrome: Chrome, served: Served) -> None:
    from selenium.webdriver.common.by import By

    chrome.get(f"{served.start()}?lang=en")
    shows(chrome, "Sign in on this device")
    press(chrome, "Sign in on this device")
    shows(chrome, "Nothing was assessed here yet")
    for width in (1280, 360):
        fits(chrome, width)
    fill_in(chrome)
    # The page grows: of all that was sent only the last word is to be seen.
    shows(chrome, "running")
    job = re.search(r"/jobs/([0-9a-f]{32})", chrome.current_url)
    assert job
    assert chrome.execute_script("return document.readyState") == "loading"
    seen = "return [...document.querySelectorAll('.pulse')].filter(each => each.offsetParent).length"
    assert chrome.execute_script(seen) == 1
    fits(chrome, 360)
    served.kill()
    time.sleep(1)
    served.start()
    # What was shown still stands there; one press, and the page goes on where the job is by now.
    assert "running" in text(chrome)
    press(chrome, "Look again")
    shows(chrome, "records that stand", 120)
    until(lambda: not chrome.find_elements(By.CSS_SELECTOR, 'meta[http-equiv="refresh"]'), "the page rests")
    assert job[1] in chrome.current_url
    for width in (1280, 360):
        fits(chrome, width)
    evidence = chrome.find_element(By.LINK_TEXT, "Evidence file").get_attribute("href")
    assert evidence
    (crumb,) = [each for each in chrome.get_cookies() if each["name"] == "tongqiu"]
    asked = urllib.request.Request(evidence, headers={"cookie": f"tongqiu={crumb['value']}"})  # noqa: S310 - our own node
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own node
        assert len(answer.read()) > 10_000
    press(chrome, "Report")
    shows(chrome, "贷款 Loans")
    chrome.get(f"{served.url}/?lang=zh")
    shows(chrome, "评估 loans")
    fits(chrome, 360)
    chrome.get(f"{served.url}/search?q=贷款&lang=zh")
    shows(chrome, "贷款 Loans")
    fits(chrome, 360)
