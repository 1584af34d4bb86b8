"""Words for people: one sentence in every language a reader may have, Chinese and English always.

A text is a value, so a finding keeps its own explanation wherever it travels. The two working languages stand in
the code, side by side, so that neither can be forgotten; further languages are overlay files keyed by the English
sentence (see ``docs/adr/0003-words-in-two-languages.md``).
"""

from __future__ import annotations

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
