"""Reading licence expressions as SPDX defines them, and the plain words that packages use instead."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, NamedTuple

from tongqiu.record.text import Text

MAX_LENGTH = 500
MAX_NESTING = 20
_OWN = re.compile(r"(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+\Z")

RECENT = frozenset(
    {"Advanced-Cryptics-Dictionary", "ALGLIB-Documentation", "BOLA-1.1", "BSD-3-Clause-Tso", "BSD-Mark-Modifications"}
    | {"Buddy", "CAPEC-tou", "Classpath-exception-2.0-short", "ESA-PL-permissive-2.4", "ESA-PL-strong-copyleft-2.4"}
    | {"ESA-PL-weak-copyleft-2.4", "HPND-SMC", "HPND-sell-variant-critical-systems", "ISO-permission", "MIT-STK"}
    | {"MMPL-1.0.1", "NIST-PD-TNT", "OSC-1.0", "OSSP", "OpenMDW-1.0", "ParaType-Free-Font-1.3", "SGMLUG-PM"}
    | {
        "Simple-Library-Usage-exception",
        "TekHVC",
        "UnRAR",
        "Vixie-Cron",
        "WTFNMFPL",
        "WordNet",
        "X11-no-permit-persons",
    }
    | {"hyphen-bulgarian", "kvirc-openssl-exception", "rsync-linking-exception", "sqlitestudio-OpenSSL-exception"}
)
"""Ids of SPDX licence list 3.28 that ``license-expression`` 30.4.4 does not have yet; a test names those it has since."""

PLAIN = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-2": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause",
    "gplv2": "GPL-2.0-only",
    "gplv3": "GPL-3.0-only",
    "gplv3+": "GPL-3.0-or-later",
    "lgplv3": "LGPL-3.0-only",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mpl 2.0": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "zlib/libpng": "Zlib",
}
"""Plain words that mean exactly one licence. "BSD" or "GPL" alone mean several and are left unread."""

CLASSIFIERS = {
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "License :: OSI Approved :: GNU Affero General Public License v3": "AGPL-3.0-only",
    "License :: OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "License :: OSI Approved :: GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "License :: OSI Approved :: GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
}
"""Trove classifiers that mean exactly one licence (PEP 639, appendix "Mapping license classifiers to SPDX")."""


class Expression(NamedTuple):
    """A licence expression in its normal form, and the ids of the licences and exceptions in it."""

    text: str
    ids: tuple[str, ...]


@cache
def _licensing() -> Any:  # noqa: ANN401 - a library without types
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@lru_cache(4096)
def read(text: str) -> Expression | Text:
    """Return the SPDX licence expression in ``text`` (SPDX 3.0.1, annex "SPDX license expressions"), or what is wrong with it in words.

    Every id must be on the SPDX list or be a ``LicenseRef-``; deprecated ids are turned into the present ones.
    """
    if len(text) > MAX_LENGTH or text.count("(") > MAX_NESTING:
        return Text(en="The expression is too long.", zh="表达式过长。")
    if not text.strip():
        return Text(en="The expression is empty.", zh="表达式为空。")
    if re.search(r"(^|[\s(])(GPL|BSD-2)([\s)]|$)|GPL 2", text, re.IGNORECASE):
        return _unfit()  # the library takes these words for ids; SPDX does not
    from license_expression import ExpressionError, ExpressionParseError

    licensing = _licensing()
    try:
        parsed = licensing.parse(text)
        unknown = [
            key for key in licensing.unknown_license_keys(parsed, unique=True) if not (_OWN.match(key) or key in RECENT)
        ]
        if unknown:
            names = ", ".join(unknown)[:200]
            words = Text(en="Not on the SPDX licence list: {names}.", zh="不在 SPDX 许可证列表中：{names}。")
            return words.fill(names=names)
        problems = licensing.validate(text, strict=True).errors
        own = any(_OWN.match(key) or key in RECENT for key in licensing.license_keys(parsed, unique=True))
        if problems and not own:
            return _unfit()
        keys = tuple(sorted(set(licensing.license_keys(parsed, unique=True))))
        return Expression(str(parsed), keys)
    except (ExpressionError, ExpressionParseError, ValueError, AttributeError, IndexError, RecursionError):
        # The library is fed hostile text; whatever it trips over is not an expression.
        return _unfit()


def plain(text: str) -> Expression | None:
    """Return the expression that ``text`` is, or that plain words in wide use mean; None where it could mean several."""
    words = " ".join(text.split())
    found = read(PLAIN.get(words.lower(), words))
    if isinstance(found, Text) and "/" in words:
        found = read(words.replace("/", " OR "))  # the old form of Cargo manifests
    return found if isinstance(found, Expression) else None


def _unfit() -> Text:
    return Text(en="This is not an SPDX licence expression.", zh="这不是 SPDX 许可证表达式。")
