"""Pages that let anyone see what a node holds, in a browser and on paper: read-only, without any script.

``app`` and ``serve`` answer HTTP (:mod:`tongqiu.portal.site`); ``report_html`` writes the report of a system as one file.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tongqiu.portal.report import report_html
    from tongqiu.portal.site import app, serve

__all__ = ["app", "report_html", "serve"]

_WHERE = {"app": "site", "serve": "site", "report_html": "report"}


def __getattr__(name: str) -> object:
    """Load a part only when it is used, so that naming this room costs nothing."""
    if name in _WHERE:
        return getattr(importlib.import_module(f"tongqiu.portal.{_WHERE[name]}"), name)
    raise AttributeError(name)
