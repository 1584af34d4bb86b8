"""Pages of law in a real browser: nothing sticks out on a small phone, nothing is loaded from elsewhere, no complaint."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.portal.test_browser import SOURCES, WIDE, chrome
from tests.portal.test_norms_pages import OPEN, SHUT, node
from tongqiu.portal.site import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from tongqiu.node import Node

__all__ = ["chrome", "node"]
"""Fixtures of those modules, used here as well."""

PATHS = (
    "/norms", "/norms/eu-ai-act", "/norms/eu-ai-act?list=rules", "/norms/eu-ai-act?list=questions",
    "/norms/eu-ai-act?list=documents", "/norms/eu-ai-act/art9.1", "/norms/eu-ai-act/art6.2?sort=rule",
    "/norms/mit-ai-risk/1.1", "/norms/crosswalk/eu-ai-act/nist-ai-rmf", "/norms/gap",
    f"/norms/gap?have=nist-ai-rmf&want=eu-ai-act&system={OPEN.id}", f"/norms/grade?system={OPEN.id}&pack=eu-ai-act",
    f"/norms/grade?system={SHUT.id}&pack=own-act", "/norms/next", "/norms/eu-ai-act?as_of=2030-01-01&known_at=2025-01-01",
)  # fmt: skip


@pytest.fixture(scope="module")
def address(node: Node) -> Iterator[str]:
    """Serve the node on a free port of this machine, to its owner."""
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app(node, principal=node.owner), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.system
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_of_law_fit_a_small_phone_and_load_nothing_from_elsewhere(
    chrome: Chrome,
    address: str,
    language: str,
) -> None:
    for width in (360, 1280):
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        for path in PATHS:
            chrome.get(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
            assert chrome.execute_script("return document.documentElement.scrollWidth") <= width, path
            assert chrome.execute_script(WIDE) == [], path
            assert all(each.startswith((address, "data:")) for each in chrome.execute_script(SOURCES)), path
    assert [each for each in chrome.get_log("browser") if each["level"] != "INFO"] == []  # type: ignore[no-untyped-call]
