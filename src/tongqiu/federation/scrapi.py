"""SCRAPI: other parties hand their signed statements to this log and get receipts, over HTTP.

draft-ietf-scitt-scrapi-11 (RFC Editor queue, June 2026). The address of an entry is the SHA-256 of its statement, so that
sending it again, by anyone, gives the same address and a receipt for the same place. Beyond the draft, which cannot give a
statement back, ``GET /statements/{sha256}`` does, to whoever may read it. Example requests: ``docs/spec/scrapi.md``.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from tongqiu.federation.wire import COSE, Answer, Asked, absent, problem, said, serve
from tongqiu.record import cbor
from tongqiu.record.faults import Fault, Malformed, Missing, Unproven
from tongqiu.seal import cose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tongqiu.federation.lent import Lend
    from tongqiu.federation.wire import App, Handle
    from tongqiu.seal.keys import PublicKey

KEYS: Final = "/.well-known/scitt-keys"
MOUNTS: Final = ("/entries", "/statements", KEYS)
_HEX = 64
_SIGN1_PARTS = 4
_POLICY_CODES = frozenset({"statement.envelope", "statement.envelope-size", "cose.header"})
_CONFIRMATIONS = (4, 33, 34)
"""Header labels that name the key of a statement: kid, x5chain, x5t."""


def app(lend: Lend) -> App:
    """Return the SCRAPI door as an ASGI application."""
    door = _Door(lend)
    return serve(door.routes)


class _Door:
    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    def routes(self, path: str) -> Mapping[str, Handle] | None:
        if path == "/entries":
            return {"POST": self.register}
        if path == KEYS:
            return {"GET": self.keys}
        for start, handle in (("/entries/", self.entry), ("/statements/", self.statement), (KEYS + "/", self.key)):
            if path.startswith(start) and "/" not in path[len(start) :]:
                return {"GET": handle}
        return None

    async def register(self, asked: Asked) -> Answer:
        """``POST /entries``: 201 with the receipt, once the statement is durable."""
        if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != COSE:
            return problem(415, "Unsupported Media Type", f"Send {COSE}. 请发送 {COSE}。")
        desk = self._lend(asked.headers)
        try:
            (logged,) = await asyncio.wrap_future(desk.register(asked.body))
        except (Malformed, Unproven) as fault:
            return problem(400, _title(asked.body, fault), said(fault.what))
        receipt = await asyncio.wrap_future(desk.register_receipt(logged))
        return Answer(201, receipt, COSE, (("location", f"/entries/{logged.entry.hex()}"),))

    async def entry(self, asked: Asked) -> Answer:
        """``GET /entries/{id}``: a fresh receipt; 204 while the tree is too small to give one."""
        entry = _entry(asked.path)
        if entry is None:
            return problem(
                400, "Invalid locator", "An entry is named by 64 hexadecimal digits. 条目以 64 位十六进制数字命名。"
            )
        try:
            receipt = await asyncio.to_thread(self._lend(asked.headers).find_receipt, entry)
        except Missing as fault:
            if fault.code == "receipt.too-early":
                return Answer(204, headers=(("retry-after", "1"), ("cache-control", "no-store")))
            return absent()
        return Answer(200, receipt, COSE, (("location", asked.path), ("cache-control", "private, no-cache")))

    async def statement(self, asked: Asked) -> Answer:
        """``GET /statements/{sha256}``: the signed envelope, to whoever may read it."""
        entry = _entry(asked.path)
        if entry is None:
            return problem(
                400, "Invalid locator", "A statement is named by 64 hexadecimal digits. 声明以 64 位十六进制数字命名。"
            )
        data = await asyncio.to_thread(self._lend(asked.headers).find_statement, entry)
        return Answer(200, data, COSE, (("cache-control", "private, no-store"),))

    async def keys(self, asked: Asked) -> Answer:
        """``GET /.well-known/scitt-keys``: all keys of the log, the present one first."""
        found = [_members(key) for key in self._lend(asked.headers).log_keys()]
        return Answer(200, cbor.dumps(found), "application/cbor", (("cache-control", "public, max-age=300"),))

    async def key(self, asked: Asked) -> Answer:
        """``GET /.well-known/scitt-keys/{kid}``: one key, by its id in base64url."""
        kid = _kid(asked.path.rpartition("/")[2])
        for key in self._lend(asked.headers).log_keys():
            if key.thumbprint == kid:
                headers = (("cache-control", "public, max-age=300"),)
                return Answer(200, cbor.dumps(_members(key)), "application/cbor", headers)
        return problem(404, "No such key", "This log has no key of that id. 此日志没有该标识的密钥。")


def _title(body: bytes, fault: Fault) -> str:
    """Return the draft's title for what is wrong with a statement (section on registration)."""
    if fault.code == "cose.alg":
        return "Bad Signature Algorithm"
    if isinstance(fault, Unproven) or fault.code in _POLICY_CODES:
        return "Payload Missing" if _is_without_payload(body) else "Rejected"
    if fault.code == "cose.form":
        if _is_without_payload(body):
            return "Payload Missing"
        if _is_without_key(body):
            return "Confirmation Missing"
    return "Malformed request"


def _parts(body: bytes) -> list[Any] | None:
    try:
        parts = cbor.loads(body[1:], limit=len(body))
    except Malformed:
        return None
    return parts if body[:1] == b"\xd2" and isinstance(parts, list) and len(parts) == _SIGN1_PARTS else None


def _is_without_payload(body: bytes) -> bool:
    parts = _parts(body)
    return parts is not None and parts[2] is None


def _is_without_key(body: bytes) -> bool:
    parts = _parts(body)
    try:
        headers = cbor.loads(parts[0]) if parts and isinstance(parts[0], bytes) else None
    except Malformed:
        return False
    return isinstance(headers, dict) and cose.ALG in headers and not any(label in headers for label in _CONFIRMATIONS)


def _members(key: PublicKey) -> dict[int, Any]:
    """Return a COSE_Key with its id and algorithm."""
    plain: dict[int, Any] = cbor.loads(key.cose_key())
    return {**plain, 2: key.thumbprint, 3: key.alg}


def _entry(path: str) -> bytes | None:
    name = path.rpartition("/")[2]
    if len(name) == _HEX and all(char in "0123456789abcdef" for char in name):
        return bytes.fromhex(name)
    return None


def _kid(text: str) -> bytes | None:
    """Return the key id that unpadded base64url encodes, or None."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


__all__ = ["KEYS", "MOUNTS", "app"]
