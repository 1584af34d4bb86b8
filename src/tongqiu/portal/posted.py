"""What a form or a program sent: fields and files out of the bytes of one request, within limits."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"
MOST_FIELDS = 2000


class Upload(NamedTuple):
    """A file that was sent with a form: the name and type its sender gave it (believe neither), and its bytes."""

    name: str
    media: str
    data: bytes


class Posted(NamedTuple):
    """The body of one request. ``fields`` are empty where something else than a form was sent."""

    fields: dict[str, tuple[str, ...]]
    files: dict[str, tuple[Upload, ...]]
    media: str
    body: bytes

    def one(self, name: str) -> str:
        """Return a field's first value, or nothing."""
        return self.fields.get(name, ("",))[0]

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return self.fields.get(name, ())

    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        """Return what was sent as JSON. Raises Malformed (``portal.json``)."""
        try:
            if self.media != JSON:
                raise msgspec.DecodeError(f"sent as {self.media}")
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise Malformed(
                "portal.json",
                Text(en="What was sent is not JSON.", zh="所发送的内容不是 JSON。"),
                do=Text(en="Send JSON as application/json.", zh="请以 application/json 发送 JSON。"),
            ) from error


EMPTY = Posted({}, {}, "", b"")
"""No body."""


def read(media: str, body: bytes) -> Posted:
    """Return the fields of a body whose Content-Type header is ``media``. Raises Malformed (``portal.form``)."""
    name = media.partition(";")[0].strip().lower()
    if name != FORM:
        return Posted({}, {}, name, body)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise _bad() from error
    fields: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        fields[key] = (*fields.get(key, ()), value)
    return Posted(fields, {}, name, body)


def _bad() -> Malformed:
    return Malformed(
        "portal.form",
        Text(en="The form cannot be read.", zh="无法读取表单。"),
        do=Text(en="Go back, load the page again and send it once more.", zh="请返回，重新载入页面后再次提交。"),
    )
