"""Whom we trust: the parties and logs whose keys somebody here has checked and written down by name.

A trust file (``trust.toml``) is a short list that a person can read and sign off::

    [[party]]
    name = "National AI Laboratory"
    did = "did:key:z6Mk..."
    keys = ["<64 hex digits>"]        # optional: only these keys (RFC 9679 thumbprints), not every later one

    [[log]]
    name = "The ministry's log"
    origin = "log.ministry.example/ai"
    key = "did:key:z6Mk..."
    beside = "did:key:z..."           # optional: its ML-DSA-44 key, which must then have signed the checkpoint as well

What is not in it may be perfectly consistent and still be anybody's.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text
from tongqiu.seal.keys import MLDSA44, PublicKey

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_TRUST = 1024 * 1024
_MAX_LINE = 2048
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
_DO = Text(en="Correct the trust file.", zh="请更正信任文件。")


class PartyPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party that is trusted to be who its name says."""

    name: str
    did: str
    keys: frozenset[bytes] = frozenset()
    """Thumbprints that alone are accepted; empty accepts every key that its chain of rotations proves."""


class LogPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log whose receipts and checkpoints are trusted."""

    name: str
    origin: str
    key: PublicKey

    beside: PublicKey | None = None
    """The log's ML-DSA-44 key; where it is given, a checkpoint counts only with the signatures of both."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trusted parties and logs; a value, put together with ``|``."""

    parties: tuple[PartyPin, ...] = ()
    logs: tuple[LogPin, ...] = ()

    def __or__(self, other: Policy) -> Policy:
        """Return a policy that trusts what either trusts."""
        return Policy(
            tuple(dict.fromkeys((*self.parties, *other.parties))), tuple(dict.fromkeys((*self.logs, *other.logs)))
        )

    def party(self, did: str, kid: bytes) -> PartyPin | None:
        """Return the pin under which the key ``kid`` of ``did`` is trusted, or None.

        The caller has proven that the key belongs to the DID (:func:`tongqiu.seal.rotation.keys_after`).
        """
        return next((pin for pin in self.parties if pin.did == did and (not pin.keys or kid in pin.keys)), None)

    def log(self, origin: str, key: PublicKey) -> LogPin | None:
        """Return the pin under which ``key`` is trusted to sign for the log ``origin``, or None."""
        return next((pin for pin in self.logs if pin.origin == origin and pin.key == key), None)

    def require_party(self, did: str, kid: bytes, *, where: str = "") -> PartyPin:
        """Return the pin of a party. Raises Unproven: ``trust.party`` unknown, ``trust.party-key`` another key."""
        found = self.party(did, kid)
        if found is not None:
            return found
        known = next((pin.name for pin in self.parties if pin.did == did), None)
        if known is None:
            raise _untrusted(
                "trust.party",
                Text(en="{name} is not among the parties you trust.", zh="{name} 不在您信任的参与方之列。"),
                did,
                where,
            )
        raise _untrusted(
            "trust.party-key",
            Text(
                en="{name} signed with a key that your trust file does not accept.",
                zh="{name} 使用了信任文件未接受的密钥。",
            ),
            known,
            where,
        )

    def require_log(self, origin: str, key: PublicKey, *, where: str = "") -> LogPin:
        """Return the pin of a log. Raises Unproven: ``trust.log`` unknown, ``trust.log-key`` another key."""
        found = self.log(origin, key)
        if found is not None:
            return found
        known = next((pin.name for pin in self.logs if pin.origin == origin), None)
        if known is None:
            raise _untrusted(
                "trust.log",
                Text(en="{name} is not among the logs you trust.", zh="{name} 不在您信任的日志之列。"),
                origin,
                where,
            )
        raise _untrusted(
            "trust.log-key",
            Text(
                en="{name} signed with a key that your trust file does not accept.",
                zh="{name} 使用了信任文件未接受的密钥。",
            ),
            known,
            where,
        )


def read_trust(data: bytes, *, where: str = "trust.toml") -> Policy:
    """Return the policy that a trust file states.

    Raises Malformed: ``trust.syntax`` when it is not TOML, ``trust.unknown-key`` naming the nearest known word,
    ``trust.missing`` and ``trust.value`` for an entry that does not fit, ``trust.twice`` for a log with two keys.
    """
    if len(data) > MAX_TRUST:
        raise _bad("trust.syntax", Text(en="The trust file is too long.", zh="信任文件过长。"), where)
    try:
        tables = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(
            "trust.syntax",
            Text(en="The trust file is not TOML: {error}.", zh="信任文件不是 TOML：{error}。"),
            where,
            error=error,
        ) from error
    _known(tables, ("party", "log"), where)
    parties = tuple(
        _party(entry, f"{where}: party {number}") for number, entry in enumerate(_list(tables, "party", where), 1)
    )
    logs = tuple(_log(entry, f"{where}: log {number}") for number, entry in enumerate(_list(tables, "log", where), 1))
    for kind, names in (("did", [pin.did for pin in parties]), ("origin", [pin.origin for pin in logs])):
        for name in names:
            if names.count(name) > 1:
                raise _bad(
                    "trust.twice",
                    Text(en="The {kind} {name} is named twice.", zh="{kind} {name} 出现两次。"),
                    where,
                    kind=kind,
                    name=name,
                )
    return Policy(parties, logs)


def write_trust(policy: Policy) -> str:
    """Return the trust file of ``policy``; :func:`read_trust` reads it back."""
    lines: list[str] = []
    for party in policy.parties:
        lines += ["[[party]]", f"name = {_quoted(party.name)}", f"did = {_quoted(party.did)}"]
        if party.keys:
            lines.append("keys = [" + ", ".join(_quoted(key.hex()) for key in sorted(party.keys)) + "]")
        lines.append("")
    for log in policy.logs:
        lines += ["[[log]]", f"name = {_quoted(log.name)}", f"origin = {_quoted(log.origin)}"]
        lines += [f"key = {_quoted(log.key.did)}", *([f"beside = {_quoted(log.beside.did)}"] if log.beside else []), ""]
    return "\n".join(lines)


def _party(entry: dict[str, Any], where: str) -> PartyPin:
    _known(entry, ("name", "did", "keys"), where)
    did, keys = _text(entry, "did", where), entry.get("keys", [])
    PublicKey.from_did(did, where=where)
    if not isinstance(keys, list) or any(not isinstance(key, str) or not _THUMBPRINT.fullmatch(key) for key in keys):
        raise _bad(
            "trust.value",
            Text(en="keys must be a list of thumbprints of 64 hex digits.", zh="keys 应为 64 位十六进制指纹的列表。"),
            where,
        )
    return PartyPin(_text(entry, "name", where), did, frozenset(bytes.fromhex(key) for key in keys))


def _log(entry: dict[str, Any], where: str) -> LogPin:
    _known(entry, ("name", "origin", "key", "beside"), where)
    key = PublicKey.from_did(_text(entry, "key", where), where=where)
    beside = PublicKey.from_did(_text(entry, "beside", where), where=where) if "beside" in entry else None
    if beside is not None and beside.alg != MLDSA44:
        raise _bad(
            "trust.value",
            Text(en="beside must be an ML-DSA-44 key.", zh="beside 应为 ML-DSA-44 密钥。"),
            where,
        )
    return LogPin(_text(entry, "name", where), _text(entry, "origin", where), key, beside)


def _list(tables: dict[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    found = tables.get(name, [])
    if not isinstance(found, list) or any(not isinstance(entry, dict) for entry in found):
        raise _bad(
            "trust.value",
            Text(en="Write each entry under [[{name}]].", zh="每一项请写在 [[{name}]] 之下。"),
            where,
            name=name,
        )
    return found


def _text(entry: dict[str, Any], name: str, where: str) -> str:
    if name not in entry:
        raise _bad("trust.missing", Text(en="{name} is missing.", zh="缺少 {name}。"), where, name=name)
    value = entry[name]
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_LINE or not value.isprintable():
        raise _bad(
            "trust.value", Text(en="{name} must be one line of text.", zh="{name} 应为一行文本。"), where, name=name
        )
    return value


def _known(table: dict[str, Any], names: Collection[str], where: str) -> None:
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.0)[0]
            raise _bad(
                "trust.unknown-key",
                Text(en="{name} is not known here; {near} is.", zh="此处没有 {name}；有 {near}。"),
                where,
                name=name[:80],
                near=near,
            )


def _quoted(text: str) -> str:
    """Return a TOML basic string of a printable text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bad(code: str, what: Text, where: str, **values: object) -> Malformed:
    return Malformed(code, what, do=_DO, where=where, **values)


def _untrusted(code: str, what: Text, name: str, where: str) -> Unproven:
    return Unproven(
        code,
        what,
        do=Text(
            en="Check the key with its owner through another channel; if it is theirs, add it to your trust file.",
            zh="请通过其他渠道与其所有者核对密钥；确认无误后写入信任文件。",
        ),
        where=where,
        name=name,
    )
