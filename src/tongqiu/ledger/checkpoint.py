"""Checkpoints: one short signed line of what the whole log is, for others to compare.

A C2SP signed note (signed-note v1.0.0) around a C2SP checkpoint (tlog-checkpoint v1.0.0): the log's origin, its size and
its root, signed with Ed25519 (signature type 01). Two checkpoints of the same size with different roots prove that a log
showed different people different things.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text
from tongqiu.seal.keys import KEY_BYTES, PublicKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.seal.keys import Signer

ED25519_TYPE: Final = b"\x01"
MAX_NOTE: Final = 64 * 1024
MAX_SIGNATURES: Final = 16

_DASH = "\u2014 "
_ROOT_BYTES = 32
_BODY_LINES = 3
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_DO = Text(en="Get the checkpoint again from the log.", zh="请从该日志重新获取检查点。")


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log says it is: its name, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Note(NamedTuple):
    """A signed note taken apart: the text, and each signature as key name, key id and bytes."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


class NoteKey(msgspec.Struct, frozen=True):
    """A key under the name it signs notes with."""

    name: str
    key: PublicKey

    @property
    def key_id(self) -> bytes:
        """Return the 4-byte key id: SHA-256(name || newline || type || key), first four bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519_TYPE + self.key.raw).digest()[:4]


def check_name(name: str) -> None:
    """Refuse a key name or origin that a note cannot carry: empty, longer than 255, with a space, ``+`` or control.

    Raises Malformed (``note.name``).
    """
    if not name or len(name) > 255 or "+" in name or not name.isprintable() or any(char.isspace() for char in name):  # noqa: PLR2004 - documented
        raise Malformed(
            "note.name",
            Text(en="This cannot be the name of a log: {name}.", zh="不能用作日志名称：{name}。"),
            do=Text(
                en="Use a web address without https://, without spaces and without +.",
                zh="请使用不带 https://、空格和 + 的网址。",
            ),
            name=name[:80].encode("unicode_escape").decode(),
        )


def vkey(name: str, key: PublicKey) -> str:
    """Return the verifier key ``name+key id+base64(type || key)``, by which others pin this key."""
    return f"{name}+{NoteKey(name, key).key_id.hex()}+{base64.b64encode(ED25519_TYPE + key.raw).decode()}"


def parse_vkey(text: str, *, where: str = "") -> NoteKey:
    """Read a verifier key. Raises Malformed (``note.vkey``) for another form, type or a key id that does not fit."""
    match = _VKEY.fullmatch(text)
    data = _unbase64(match[3]) if match else None
    if match is not None and data is not None and len(data) == 1 + KEY_BYTES and data[:1] == ED25519_TYPE:
        found = NoteKey(match[1], PublicKey(data[1:]))
        if found.key_id.hex() == match[2]:
            return found
    raise Malformed(
        "note.vkey",
        Text(en="Not an Ed25519 verifier key.", zh="这不是 Ed25519 验证密钥。"),
        do=Text(en="Copy the whole line that the log publishes.", zh="请完整复制该日志公布的那一行。"),
        where=where,
    )


def sign_note(text: str, name: str, signer: Signer) -> str:
    """Return ``text`` (ending in a newline) signed under the key name ``name``. Raises Malformed (``note.*``)."""
    check_name(name)
    _check_text(text, "")
    if not text.endswith("\n"):
        raise _form("")
    blob = NoteKey(name, signer.public).key_id + signer.sign(text.encode())
    return f"{text}\n{_DASH}{name} {base64.b64encode(blob).decode()}\n"


def parse_note(note: str, *, where: str = "") -> Note:
    """Take a note apart without proving anything. Raises Malformed (``note.form``)."""
    _check_text(note, where)
    body, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or not body or len(note) > MAX_NOTE or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise _form(where)
    signatures = []
    for line in lines:
        name, _, code = line.removeprefix(_DASH).partition(" ")
        blob = _unbase64(code)
        if not line.startswith(_DASH) or not name or "+" in name or blob is None or len(blob) <= 4:  # noqa: PLR2004 - key id
            raise _form(where)
        signatures.append((name, blob[:4], blob[4:]))
    return Note(body + "\n", tuple(signatures))


def open_note(note: str, keys: Sequence[NoteKey], *, where: str = "") -> tuple[str, tuple[NoteKey, ...]]:
    """Return the text and which of ``keys`` signed it.

    Signatures of unknown keys are passed over. Raises Malformed (``note.form``); Unproven: ``note.signature`` when the
    signature of a known key does not hold (the whole note is refused), ``note.unsigned`` when no known key signed.
    """
    taken = parse_note(note, where=where)
    known = {(key.name, key.key_id): key for key in keys}
    proven: dict[NoteKey, None] = {}
    for name, key_id, signature in taken.signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.key.holds(taken.text.encode(), signature):
            raise Unproven(
                "note.signature",
                Text(en="The signature of {name} does not hold.", zh="{name} 的签名不成立。"),
                do=_DO,
                where=where,
                name=name,
            )
        proven[key] = None
    if not proven:
        raise Unproven(
            "note.unsigned",
            Text(en="No key that you trust has signed this.", zh="没有您信任的密钥签署过它。"),
            do=Text(en="Add the log's verifier key to the trust file.", zh="请将该日志的验证密钥写入信任文件。"),
            where=where,
        )
    return taken.text, tuple(proven)


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """Return ``checkpoint`` as a note signed under its own origin."""
    return sign_note(checkpoint.text(), checkpoint.origin, signer)


def parse_checkpoint(text: str, *, where: str = "") -> Checkpoint:
    """Read the three lines of a checkpoint; extension lines are not used here. Raises Malformed (``checkpoint.form``)."""
    lines = text.split("\n")
    if len(lines) == _BODY_LINES + 1 and lines[3] == "" and lines[0] and _SIZE.fullmatch(lines[1]):
        root = _unbase64(lines[2])
        if root is not None and len(root) == _ROOT_BYTES and int(lines[1]) < 1 << 63:
            return Checkpoint(lines[0], int(lines[1]), root)
    raise Malformed(
        "checkpoint.form",
        Text(en="Not a checkpoint.", zh="这不是检查点。"),
        do=_DO,
        where=where,
    )


def verify(note: str, key: NoteKey, *, where: str = "") -> Checkpoint:
    """Prove that ``key`` signed the checkpoint in ``note`` for the log of its own name, and return it.

    Raises Malformed and Unproven as :func:`open_note` and :func:`parse_checkpoint` do, and Unproven
    (``checkpoint.origin``) when the checkpoint names another log.
    """
    text, _ = open_note(note, [key], where=where)
    found = parse_checkpoint(text, where=where)
    if found.origin != key.name:
        raise Unproven(
            "checkpoint.origin",
            Text(en="This is the checkpoint of another log: {found}.", zh="这是另一日志的检查点：{found}。"),
            do=_DO,
            where=where,
            found=found.origin[:200],
        )
    return found


def _check_text(text: str, where: str) -> None:
    if any((char < " " and char != "\n") or char == "\x7f" for char in text):
        raise _form(where)


def _unbase64(text: str) -> bytes | None:
    """Return what canonical standard base64 encodes, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _form(where: str) -> Malformed:
    return Malformed(
        "note.form",
        Text(en="Not a signed note.", zh="这不是签名便笺。"),
        do=_DO,
        where=where,
    )
