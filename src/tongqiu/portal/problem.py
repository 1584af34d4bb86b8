"""What is wrong, for programs: a problem (RFC 9457) in the reader's language and in both, made from the fault itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongqiu.record.faults import Missing, row

if TYPE_CHECKING:
    from tongqiu.record.faults import Fault


class Said(msgspec.Struct, frozen=True):
    """What is wrong or to be done, in both languages."""

    en: str
    zh: str


class Words(msgspec.Struct, frozen=True):
    """A problem in both languages: what to do about its sort, what is wrong here, and what to do here."""

    title: Said
    detail: Said
    do: Said


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fault (RFC 9457): ``title``, ``detail`` and ``do`` in the reader's language, ``words`` in both.

    ``code`` is stable; ``fields`` says what is wrong with each field of a form.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    do: str
    words: Words
    where: str = ""
    fields: dict[str, Said] = {}


def problem(fault: Fault, language: str) -> bytes:
    """Return a fault as the body of a problem (RFC 9457), in the reader's language and in both."""
    line = row(fault)
    spoken = Words(*(Said(each.en, each.zh) for each in (fault.action, fault.what, fault.do)))
    fields = {name: Said(each.en, each.zh) for name, each in getattr(fault, "fields", {}).items()}
    return msgspec.json.encode(
        Problem(
            line.problem,
            fault.action.of(language),
            line.http_status,
            fault.what.of(language),
            fault.code,
            fault.do.of(language),
            spoken,
            "" if isinstance(fault, Missing) else fault.where,
            fields,
        )
    )
