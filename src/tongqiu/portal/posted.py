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
_MOST_HEADERS = 16


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
    """Return the fields and files of a body whose Content-Type header is ``media``. Raises Malformed (``portal.form``)."""
    name = media.partition(";")[0].strip().lower()
    if name == MULTIPART:
        return Posted(*_parts(media, body), name, body)
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


class _Parts:
    """Gathers the parts of a multipart body (RFC 7578) as the parser meets them."""

    def __init__(self) -> None:
        self.fields: dict[str, tuple[str, ...]] = {}
        self.files: dict[str, tuple[Upload, ...]] = {}
        self.whole = False
        self._count = 0
        self._begin()

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value, self._data = bytearray(), bytearray(), bytearray()
        self._count += 1
        if self._count > MOST_FIELDS:
            raise _bad()

    def _header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()
        if len(self._headers) > _MOST_HEADERS:
            raise _bad()

    def _end(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options[b"name"].decode()
        if b"filename" not in options:
            self.fields[name] = (*self.fields.get(name, ()), self._data.decode())
            return
        # A file's place on its sender's machine is nobody's business, and a browser sends an empty one for none.
        called = options[b"filename"].decode().replace("\\", "/").rpartition("/")[2]
        if called or self._data:
            media = self._headers.get(b"content-type", b"application/octet-stream").decode("ascii")
            self.files[name] = (*self.files.get(name, ()), Upload(called, media, bytes(self._data)))

    def _finish(self) -> None:
        self.whole = True

    def callbacks(self) -> dict[str, Any]:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": lambda data, start, end: self._data.extend(data[start:end]),
            "on_part_end": self._end,
            "on_end": self._finish,
        }


def _parts(media: str, body: bytes) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[Upload, ...]]]:
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser, parse_options_header

    _, options = parse_options_header(media)
    parts = _Parts()
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except (MultipartParseError, KeyError, ValueError) as error:
        raise _bad() from error
    if not parts.whole:
        raise _bad()
    return parts.fields, parts.files


def _bad() -> Malformed:
    return Malformed(
        "portal.form",
        Text(en="The form cannot be read.", zh="无法读取表单。"),
        do=Text(en="Go back, load the page again and send it once more.", zh="请返回，重新载入页面后再次提交。"),
    )
