"""What every test shares: Hypothesis without clocks, and an honest last word about what was not run."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Wall time says nothing about a property on a shared machine.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

LEFT_OUT = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fail-on-skip", action="store_true", help="end with an error if any test was skipped")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = set()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        item.config.stash[LEFT_OUT].add(item.nodeid)


class Parallel:
    """Brings home what the worker processes of pytest-xdist left out."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        del error
        output: dict[str, list[str]] = getattr(node, "workeroutput", {})
        left_out = self.config.stash[LEFT_OUT]
        left_out.update(output.get("left_out", []))


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(Parallel(session.config), "tongqiu-parallel")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, list[str]] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        left_out = session.config.stash[LEFT_OUT]
        output["left_out"] = sorted(left_out)
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.config.getoption("--fail-on-skip") and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    names = config.stash[LEFT_OUT]
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and config.getoption("--fail-on-skip"):
        terminalreporter.section("skipped, and none may be", red=True)
    if names and not config.getoption("--fail-on-skip"):
        terminalreporter.section(f"{len(names)} not run here, chosen away by -m or -k")
        for file, count in sorted(Counter(name.split("::")[0] for name in names).items()):
            terminalreporter.write_line(f"{count:6} in {file}")


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Let no test speak the language of the one before: the command line notes its language in the environment."""
    before = os.environ.pop("TONGQIU_LANG", None)
    yield
    os.environ.pop("TONGQIU_LANG", None)
    if before is not None:
        os.environ["TONGQIU_LANG"] = before
