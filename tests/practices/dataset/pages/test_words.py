"""Every figure that a report shows has a name in both languages."""

from __future__ import annotations

from tongqiu.practices.dataset.corpus.summary import SPREADS
from tongqiu.practices.dataset.pages.report import CorpusPage
from tongqiu.practices.dataset.words import FIGURE_NAMES


def test_every_figure_whose_spread_is_shown_has_a_name() -> None:
    assert set(SPREADS) == set(FIGURE_NAMES)


def test_what_a_later_version_adds_is_shown_by_its_code() -> None:
    page = CorpusPage((), ())
    assert page.figure("later").zh == "later"
    assert page.sort("e-mail").zh == "电子邮箱"
