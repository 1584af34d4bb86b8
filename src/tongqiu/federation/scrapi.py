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

from tongqiu.federation.inbox import Inbox
from tongqiu.federation.wire import (
    COSE,
    RETRY_AFTER,
    Answer,
    Asked,
    absent,
    accepts,
    problem,
    said,
    serve,
    unacceptable,
    unavailable,
)
from tongqiu.ledger.registrar import Registered, Turned
from tongqiu.record import cbor
from tongqiu.record.faults import Fault, Malformed, Missing, Unproven
from tongqiu.seal import cose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tongqiu.federation.lent import Lend, LogDesk
    from tongqiu.federation.wire import App, Handle
    from tongqiu.seal.keys import PublicKey

KEYS: Final = "/.well-known/scitt-keys"
MOUNTS: Final = ("/entries", "/statements", KEYS)
CBOR: Final = "application/cbor"

BUDGET: Final = 10.0
"""Longest that a caller waits for a receipt, in seconds, unless he says how long he likes to (RFC 7240 ``wait``)."""

_HEX = 64
_SIGN1_PARTS = 4
_POLICY_CODES = frozenset({"statement.envelope", "statement.envelope-size", "cose.header", "cose.claims"})
_CONFIRMATIONS = (4, 33, 34)
"""Header labels that name the key of a statement: kid, x5chain, x5t."""

_CERTIFICATES = (33, 34)
_PENDING = frozenset({"receipt.too-early", "receipt.pending"})
_WAIT = (("retry-after", RETRY_AFTER), ("cache-control", "no-store"))


def app(lend: Lend, *, budget: float = BUDGET) -> App:
    """Return the SCRAPI door as an ASGI application; ``budget`` is as :data:`BUDGET`."""
    return serve(_Door(lend, budget).routes)


class _Door:
    def __init__(self, lend: Lend, budget: float) -> None:
        self._lend, self._budget = lend, budget
        self._inbox: Inbox | None = None
        self._entries: Mapping[str, Handle] = {"POST": self.register}

    def routes(self, path: str) -> Mapping[str, Handle] | None:
        if path == "/entries":
            return self._entries
        if path == KEYS:
            return {"GET": self.keys}
        for start, handle in (("/entries/", self.entry), ("/statements/", self.statement), (KEYS + "/", self.key)):
            if path.startswith(start) and "/" not in path[len(start) :]:
                return {"GET": handle}
        return None

    async def register(self, asked: Asked) -> Answer:
        """``POST /entries``: 201 with the receipt, once the statement is durable; 202 where that is not waited for."""
        if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != COSE:
            return problem(415, "Unsupported Media Type", f"Send {COSE}. 请发送 {COSE}。")
        if not accepts(asked.headers, COSE):
            return unacceptable(COSE)
        desk = self._lend(asked.headers)
        prefers = asked.headers.get("prefer")
        later, budget = (False, self._budget) if prefers is None else _preference(prefers, self._budget)
        if later and not budget:
            return await self._promise(desk, asked.body)
        inbox = self._inbox
        if inbox is None or not inbox.here:
            inbox = self._inbox = Inbox()
        outcome = await inbox.ask(desk, asked.body, budget)
        if isinstance(outcome, Registered):
            return Answer(201, outcome.receipt, COSE, (("location", f"/entries/{outcome.logged.entry.hex()}"),))
        if isinstance(outcome, Turned):
            return _turned(asked.body, outcome.fault)
        if outcome is None:
            return await self._promise(desk, asked.body)
        if isinstance(outcome, Fault):
            return unavailable(outcome)
        raise outcome

    async def _promise(self, desk: LogDesk, body: bytes) -> Answer:
        """202: the statement is checked and kept, and will be registered."""
        try:
            entry = await asyncio.to_thread(desk.promise, body)
        except (Malformed, Unproven) as fault:
            return _turned(body, fault)
        applied = ("preference-applied", "respond-async")
        return Answer(202, headers=(("location", f"/entries/{entry.hex()}"), applied, *_WAIT))

    async def entry(self, asked: Asked) -> Answer:
        """``GET /entries/{id}``: a fresh receipt; 204 while there is none yet; 404 where there will never be one."""
        entry = _entry(asked.path)
        if entry is None:
            return problem(
                400, "Invalid locator", "An entry is named by 64 hexadecimal digits. 条目以 64 位十六进制数字命名。"
            )
        if not accepts(asked.headers, COSE):
            return unacceptable(COSE)
        try:
            receipt = await asyncio.to_thread(self._lend(asked.headers).find_receipt, entry)
        except Missing as fault:
            if fault.code in _PENDING:
                return Answer(204, headers=_WAIT)
            return problem(404, "Not Found", said(fault.what)) if fault.code == "receipt.failed" else absent()
        return Answer(200, receipt, COSE, (("location", asked.path), ("cache-control", "private, no-cache")))

    async def statement(self, asked: Asked) -> Answer:
        """``GET /statements/{sha256}``: the signed envelope, to whoever may read it."""
        entry = _entry(asked.path)
        if entry is None:
            return problem(
                400, "Invalid locator", "A statement is named by 64 hexadecimal digits. 声明以 64 位十六进制数字命名。"
            )
        if not accepts(asked.headers, COSE):
            return unacceptable(COSE)
        data = await asyncio.to_thread(self._lend(asked.headers).find_statement, entry)
        return Answer(200, data, COSE, (("cache-control", "private, no-store"),))

    async def keys(self, asked: Asked) -> Answer:
        """``GET /.well-known/scitt-keys``: all keys of the log, the present one first."""
        if not accepts(asked.headers, CBOR):
            return unacceptable(CBOR)
        found = [_members(key) for key in await asyncio.to_thread(self._lend(asked.headers).log_keys)]
        return Answer(200, cbor.dumps(found), CBOR, (("cache-control", "public, max-age=300"),))

    async def key(self, asked: Asked) -> Answer:
        """``GET /.well-known/scitt-keys/{kid}``: one key, retired or not, by its id in base64url."""
        if not accepts(asked.headers, CBOR):
            return unacceptable(CBOR)
        kid = _kid(asked.path.rpartition("/")[2])
        for key in await asyncio.to_thread(self._lend(asked.headers).log_keys):
            if key.thumbprint == kid:
                return Answer(200, cbor.dumps(_members(key)), CBOR, (("cache-control", "public, max-age=300"),))
        return problem(404, "No such key", "This log has no key of that id. 此日志没有该标识的密钥。")


def _preference(header: str, budget: float) -> tuple[bool, float]:
    """Return whether the caller prefers not to wait (RFC 7240), and how many seconds he waits before that."""
    found: dict[str, str] = {}
    for part in header[:1024].split(","):
        name, _, value = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    wait = found.get("wait", "")
    if len(wait) <= 4 and wait.isdecimal() and wait.isascii():  # noqa: PLR2004 - nobody waits for hours
        return "respond-async" in found, min(float(wait), budget)
    return "respond-async" in found, 0.0 if "respond-async" in found else budget


def _turned(body: bytes, fault: Fault) -> Answer:
    """400: what is wrong with a statement, under the draft's title for it (section on registration)."""
    headers = _headers(body)
    title = _title(body, fault, headers)
    if title == "Rejected" and headers and cose.KID not in headers and any(each in headers for each in _CERTIFICATES):
        detail = "Certificates (x5chain, x5t) are not read here: name the issuer by a did:key and its key by kid. "
        return problem(
            400, title, detail + "此处不读取证书（x5chain、x5t）：请以 did:key 标识出具方，以 kid 标识密钥。"
        )
    return problem(400, title, said(fault.what))


def _title(body: bytes, fault: Fault, headers: Mapping[Any, Any] | None) -> str:
    if fault.code == "cose.alg":
        return "Bad Signature Algorithm"
    if headers is not None:
        if fault.code in {"cose.form", "cose.signature", "statement.envelope"} and _is_without_payload(body):
            return "Payload Missing"
        named = any(label in headers for label in _CONFIRMATIONS)
        if fault.code == "cose.form" and cose.ALG in headers and not named:
            return "Confirmation Missing"
        if isinstance(fault, Unproven) or fault.code in _POLICY_CODES or (cose.KID not in headers and named):
            return "Rejected"
    return "Malformed request"


def _parts(body: bytes) -> list[Any] | None:
    try:
        parts = cbor.loads(body[1:], limit=len(body))
    except Malformed:
        return None
    return parts if body[:1] == b"\xd2" and isinstance(parts, list) and len(parts) == _SIGN1_PARTS else None


def _headers(body: bytes) -> Mapping[Any, Any] | None:
    """Return the protected header of what is a COSE_Sign1 at least in its outline."""
    parts = _parts(body)
    try:
        headers = cbor.loads(parts[0]) if parts and isinstance(parts[0], bytes) else None
    except Malformed:
        return None
    return headers if isinstance(headers, dict) else None


def _is_without_payload(body: bytes) -> bool:
    parts = _parts(body)
    return parts is not None and parts[2] is None


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


__all__ = ["BUDGET", "KEYS", "MOUNTS", "app"]
