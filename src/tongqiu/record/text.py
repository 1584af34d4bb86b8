"""Words for people: one sentence in every language a reader may have, Chinese and English always.

A text is a value, so a finding keeps its own explanation wherever it travels. The two working languages stand in
the code, side by side, so that neither can be forgotten; further languages are overlay files keyed by the English
sentence (see ``docs/adr/0003-words-in-two-languages.md``).
"""

from __future__ import annotations

import re
import string

import msgspec

LANGUAGES = ("zh", "en")
"""Languages that every text must have (RFC 5646 tags)."""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message in English and Chinese, with ``{name}`` places for parameters.

    Braces are filled by :meth:`fill`; values are inserted as plain text and never interpreted as a template again.
    """

    en: str
    zh: str

    def fill(self, **values: object) -> Text:
        """Return the text with every ``{name}`` replaced by ``str(values[name])``.

        A name that is not given stays visible as ``{name}``: a message about a fault must never raise a fault.
        """
        return Text(en=_fill(self.en, values), zh=_fill(self.zh, values))

    def of(self, language: str) -> str:
        """Return the sentence in ``language`` (an RFC 5646 tag; only its primary part is read), else in English."""
        return self.zh if language.split("-", maxsplit=1)[0].lower() == "zh" else self.en


_ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What a terminal or page may obey instead of showing: C0 (but for tab and line end), C1, separators, bidi controls
(Unicode UAX 9, 2.1 to 2.6), the byte order mark, and half surrogate pairs, which no stream can write."""


def inert(words: str, *, one_line: bool = False) -> str:
    """Return ``words`` with every control character made visible as its escape, so that showing them does nothing else.

    With ``one_line``, tabs and line ends are made visible too, so that a name cannot look like a line of ours. The
    escapes are those of JSON, which stays the same value under them.
    """
    shown = _ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", words)
    return shown.replace("\n", "\\n").replace("\t", "\\t") if one_line else shown


class _Visible(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class _Plain(string.Formatter):
    """A formatter without attribute and index access, so that no parameter can reach into an object."""

    def get_field(self, field_name: str, args: object, kwargs: object) -> tuple[object, str]:
        del args
        assert isinstance(kwargs, _Visible)  # noqa: S101 - only called from _fill
        return kwargs[field_name], field_name


_PLAIN = _Plain()


def _fill(template: str, values: dict[str, object]) -> str:
    try:
        return _PLAIN.vformat(template, (), _Visible(values))
    except (ValueError, IndexError, TypeError):
        return template
