"""Checkpoints: one short signed line of what the whole log is, for others to compare.

A C2SP signed note (signed-note v1.0.0) around a C2SP checkpoint (tlog-checkpoint v1.0.0): the log's origin, its size and
its root. The log signs with Ed25519 (signature type 01) and may sign with ML-DSA-44 beside it; witnesses add cosignatures
with the time at which they saw it (tlog-cosignature v1.1.0-rc.1: type 04 Ed25519, type 06 ML-DSA-44). Two checkpoints of
the same size with different roots prove that a log showed different people different things.
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
from tongqiu.seal.keys import ED25519, MLDSA44, PublicKey
from tongqiu.seal.signature import KEY_SIZES, SIGNATURE_SIZES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.seal.keys import Signer

ED25519_TYPE: Final = b"\x01"
"""A plain Ed25519 signature over the text of the note."""

COSIGNATURE_TYPE: Final = b"\x04"
"""A timestamped Ed25519 cosignature of a checkpoint."""

MLDSA44_TYPE: Final = b"\x06"
"""A timestamped ML-DSA-44 cosignature of a checkpoint or of a part of the tree."""

MAX_NOTE: Final = 64 * 1024
MAX_SIGNATURES: Final = 16
MAX_TIME: Final = (1 << 63) - 1
"""Latest time of a cosignature, in seconds since 1970."""

_DASH = "\u2014 "
_ROOT_BYTES = 32
_BODY_LINES = 3
_TIME_BYTES = 8
_KEY_ID_BYTES = 4
_SUBTREE = b"subtree/v1\n\0"
_ALGS = {ED25519_TYPE: ED25519, COSIGNATURE_TYPE: ED25519, MLDSA44_TYPE: MLDSA44}
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
    """A key under the name it signs notes with, and in which way it signs them."""

    name: str
    key: PublicKey
    kind: bytes = ED25519_TYPE
    """The signature type: 01, 04 or 06."""

    @property
    def key_id(self) -> bytes:
        """Return the 4-byte key id: SHA-256(name || newline || type || key), first four bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.key.raw).digest()[:4]

    @property
    def timed(self) -> bool:
        """Say whether its signatures carry a time (types 04 and 06)."""
        return self.kind != ED25519_TYPE

    @property
    def vkey(self) -> str:
        """Return the verifier key ``name+key id+base64(type || key)``, by which others pin this key."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.kind + self.key.raw).decode()}"

    def time_of(self, text: str, signature: bytes) -> int | None:
        """Return when this key signed the note ``text``, 0 where it does not say so, or None if it did not sign it.

        For types 04 and 06 ``signature`` begins with the time in eight bytes. Type 06 signs what a checkpoint says and
        nothing after its third line.
        """
        if self.key.alg != _ALGS[self.kind]:
            return None
        if not self.timed:
            return 0 if self.key.holds(text.encode(), signature) else None
        at = self._time(signature)
        message = None if at is None else self._message(text, at)
        return at if message is not None and self.key.holds(message, signature[_TIME_BYTES:]) else None

    def time_of_part(self, origin: str, start: int, end: int, root: bytes, signature: bytes) -> int | None:
        """Return when this ML-DSA-44 key signed that part of a log's tree (:func:`subtree_message`), or None."""
        at = self._time(signature) if self.kind == MLDSA44_TYPE else None
        if at is None:
            return None
        message = subtree_message(self.name, at, origin, start, end, root)
        return at if self.key.holds(message, signature[_TIME_BYTES:]) else None

    def _time(self, signature: bytes) -> int | None:
        """Return the time in front of a cosignature of the right length, or None."""
        at = int.from_bytes(signature[:_TIME_BYTES])
        return at if len(signature) == _TIME_BYTES + SIGNATURE_SIZES[self.key.alg] and at <= MAX_TIME else None

    def _message(self, text: str, at: int) -> bytes | None:
        """Return what a cosignature of ``text`` at ``at`` signs, or None where it cannot sign that."""
        if self.kind == COSIGNATURE_TYPE:
            return cosigned_text(text, at)
        tip = _first_lines(text)
        if tip is None or not _carried(tip.origin):
            return None
        return subtree_message(self.name, at, tip.origin, 0, tip.size, tip.root)


def check_name(name: str) -> None:
    """Refuse a key name or origin that a note cannot carry: empty, over 255 bytes, with a space, ``+`` or control.

    Raises Malformed (``note.name``).
    """
    if not _is_name(name):
        raise _bad_name(name)


def vkey(name: str, key: PublicKey) -> str:
    """Return the verifier key of a log's plain Ed25519 key: ``name+key id+base64(type || key)``."""
    return NoteKey(name, key).vkey


def parse_vkey(text: str, *, where: str = "") -> NoteKey:
    """Read a verifier key of type 01, 04 or 06.

    Raises Malformed (``note.vkey``) for another form, type or a key id that does not fit.
    """
    match = _VKEY.fullmatch(text)
    data = _unbase64(match[3]) if match else None
    if match is not None and data is not None and data[:1] in _ALGS and _is_name(match[1]):
        alg = _ALGS[data[:1]]
        found = NoteKey(match[1], PublicKey(data[1:], alg), data[:1])
        if len(data) == 1 + KEY_SIZES[alg] and found.key_id.hex() == match[2]:
            return found
    raise Malformed(
        "note.vkey",
        Text(en="Not an Ed25519 or ML-DSA-44 verifier key.", zh="这不是 Ed25519 或 ML-DSA-44 验证密钥。"),
        do=Text(en="Copy the whole line that the log publishes.", zh="请完整复制该日志公布的那一行。"),
        where=where,
    )


def sign_note(text: str, name: str, signer: Signer) -> str:
    """Return ``text`` (ending in a newline) signed under the key name ``name`` with an Ed25519 key.

    Raises Malformed (``note.name``, ``note.form``, ``note.key``).
    """
    check_name(name)
    _check_text(text, "")
    if not text.endswith("\n"):
        raise _form("")
    key = NoteKey(name, signer.public)
    _check_key(key)
    return f"{text}\n{_line(key, signer.sign(text.encode()))}"


def cosign(note: str, name: str, signer: Signer, *, at: int, where: str = "") -> str:
    """Return the one line by which ``signer`` confirms the checkpoint in ``note`` at ``at`` (seconds since 1970).

    An Ed25519 key gives type 04, an ML-DSA-44 key type 06; the line goes to the end of the note. What a cosigner must have
    seen before it says so is not looked at here. Time 0 says nothing about the newest tree, and a log may use it with
    ML-DSA-44; a witness never does. Raises Malformed (``note.*``, ``checkpoint.form``).
    """
    text = parse_note(note, where=where).text
    tip = _first_lines(text)
    key = cosigner(name, signer.public)
    if tip is None:
        raise _no_checkpoint(where)
    if not 0 <= at <= MAX_TIME:
        raise _form(where)
    signed = cosigned_text(text, at)
    if key.kind == MLDSA44_TYPE:
        signed = subtree_message(name, at, tip.origin, 0, tip.size, tip.root)
    return _line(key, at.to_bytes(_TIME_BYTES) + signer.sign(signed))


def cosigner(name: str, key: PublicKey) -> NoteKey:
    """Return ``key`` as one that cosigns: type 04 for Ed25519, 06 for ML-DSA-44. Raises Malformed (``note.*``)."""
    check_name(name)
    found = NoteKey(name, key, MLDSA44_TYPE if key.alg == MLDSA44 else COSIGNATURE_TYPE)
    _check_key(found)
    return found


def cosigned_text(text: str, at: int) -> bytes:
    """Return what an Ed25519 cosignature of a checkpoint's whole text signs (tlog-cosignature, Ed25519 signed message)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def subtree_message(name: str, at: int, origin: str, start: int, end: int, root: bytes) -> bytes:  # noqa: PLR0913 - the six fields of the struct, in its order
    """Return the ``cosigned_message`` that an ML-DSA-44 cosignature signs (tlog-cosignature, ML-DSA-44 signed message).

    It says that the entries from ``start`` to before ``end`` of the log ``origin`` have the root ``root``; a checkpoint is
    the part from 0 to its size. Raises Malformed (``note.name``, ``note.form``) where a part does not fit the struct: names
    of 1 to 255 bytes, time 0 unless ``start`` is 0.
    """
    names = (name.encode(), origin.encode())
    for text in (name, origin):
        if not _carried(text):
            raise _bad_name(text)
    if not 0 <= at <= MAX_TIME or (start and at) or not 0 <= start <= end < 1 << 63 or len(root) != _ROOT_BYTES:
        raise _form("")
    return b"".join(
        (
            _SUBTREE,
            len(names[0]).to_bytes(1),
            names[0],
            at.to_bytes(8),
            len(names[1]).to_bytes(1),
            names[1],
            start.to_bytes(8),
            end.to_bytes(8),
            root,
        )
    )


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
        named = line.startswith(_DASH) and name and "+" not in name and not any(char.isspace() for char in name)
        if not named or blob is None or len(blob) <= _KEY_ID_BYTES:
            raise _form(where)
        signatures.append((name, blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:]))
    return Note(body + "\n", tuple(signatures))


def open_note(note: str, keys: Sequence[NoteKey], *, where: str = "") -> tuple[str, tuple[NoteKey, ...]]:
    """Return the text and which of ``keys`` signed it.

    Signatures of unknown keys are passed over. Raises Malformed (``note.form``); Unproven: ``note.signature`` when the
    signature of a known key does not hold (the whole note is refused), ``note.unsigned`` when no known key signed.
    """
    text, times = signers_of(note, keys, where=where)
    return text, tuple(times)


def signers_of(note: str, keys: Sequence[NoteKey], *, where: str = "") -> tuple[str, dict[NoteKey, int]]:
    """Return the text, and which of ``keys`` signed it when: the latest time it gives, 0 where it gives none.

    Raises as :func:`open_note`.
    """
    taken = parse_note(note, where=where)
    known = {(key.name, key.key_id): key for key in keys}
    proven: dict[NoteKey, int] = {}
    for name, key_id, signature in taken.signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        at = key.time_of(taken.text, signature)
        if at is None:
            raise Unproven(
                "note.signature",
                Text(en="The signature of {name} does not hold.", zh="{name} 的签名不成立。"),
                do=_DO,
                where=where,
                name=name,
            )
        proven[key] = max(at, proven.get(key, 0))
    if not proven:
        raise Unproven(
            "note.unsigned",
            Text(en="No key that you trust has signed this.", zh="没有您信任的密钥签署过它。"),
            do=Text(en="Add the log's verifier key to the trust file.", zh="请将该日志的验证密钥写入信任文件。"),
            where=where,
        )
    return taken.text, proven


def sign(checkpoint: Checkpoint, signer: Signer, *, beside: Signer | None = None, at: int = 0) -> str:
    """Return ``checkpoint`` as a note signed under its own origin with an Ed25519 key.

    ``beside`` is the log's ML-DSA-44 key: it adds a signature of type 06 under the same name, with the time ``at``
    (seconds since 1970; 0 for a log that says nothing of the time). Raises Malformed (``note.*``).
    """
    note = sign_note(checkpoint.text(), checkpoint.origin, signer)
    return note if beside is None else note + cosign(note, checkpoint.origin, beside, at=at)


def parse_checkpoint(text: str, *, extensions: bool = False, where: str = "") -> Checkpoint:
    """Read the three lines of a checkpoint; with ``extensions``, those of others, which may have further lines.

    Raises Malformed (``checkpoint.form``).
    """
    found = _first_lines(text)
    if found is None or (text.count("\n") != _BODY_LINES and not extensions):
        raise _no_checkpoint(where)
    return found


def verify(
    note: str, key: NoteKey, *, beside: NoteKey | None = None, extensions: bool = False, where: str = ""
) -> Checkpoint:
    """Prove that ``key`` signed the checkpoint in ``note`` for the log of its own name, and return it.

    With ``beside``, the log's ML-DSA-44 key, both must have signed; with ``extensions`` further lines are let through,
    which ML-DSA-44 does not sign. Raises Malformed and Unproven as :func:`open_note` and
    :func:`parse_checkpoint` do, and Unproven: ``checkpoint.origin`` when the checkpoint names another log,
    ``note.unsigned`` when one of two keys has not signed.
    """
    text, _ = open_note(note, [key], where=where)
    if beside is not None:
        open_note(note, [beside], where=where)
    found = parse_checkpoint(text, extensions=extensions, where=where)
    if found.origin != key.name:
        raise Unproven(
            "checkpoint.origin",
            Text(en="This is the checkpoint of another log: {found}.", zh="这是另一日志的检查点：{found}。"),
            do=_DO,
            where=where,
            found=found.origin[:200],
        )
    return found


def _first_lines(text: str) -> Checkpoint | None:
    """Return the checkpoint of the first three lines, or None; further lines must not be empty."""
    lines = text.split("\n")
    if len(lines) > _BODY_LINES and lines.pop() == "" and all(lines) and _SIZE.fullmatch(lines[1]):
        root = _unbase64(lines[2])
        if root is not None and len(root) == _ROOT_BYTES and int(lines[1]) < 1 << 63:
            return Checkpoint(lines[0], int(lines[1]), root)
    return None


def _line(key: NoteKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


def _is_name(name: str) -> bool:
    plain = name.isprintable() and "+" not in name and not any(char.isspace() for char in name)
    return plain and _carried(name)


def _carried(name: str) -> bool:
    """Say whether a name has the 1 to 255 bytes that type 06 can carry."""
    return 0 < len(name.encode("utf-8", "replace")) <= 255  # noqa: PLR2004 - <1..2^8-1>


def _check_key(key: NoteKey) -> None:
    if key.key.alg != _ALGS[key.kind]:
        raise Malformed(
            "note.key",
            Text(
                en="Notes are not signed with a key of this kind ({kind}) in this way.",
                zh="便笺不能以此类密钥（{kind}）这样签署。",
            ),
            do=Text(
                en="Use an Ed25519 key, and for cosignatures an Ed25519 or ML-DSA-44 key.",
                zh="请使用 Ed25519 密钥；联署可用 Ed25519 或 ML-DSA-44 密钥。",
            ),
            where=key.name,
            kind=key.key.kind,
        )


def _check_text(text: str, where: str) -> None:
    odd = any((char < " " and char != "\n") or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in text)
    if odd:
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


def _no_checkpoint(where: str) -> Malformed:
    return Malformed(
        "checkpoint.form",
        Text(en="Not a checkpoint.", zh="这不是检查点。"),
        do=_DO,
        where=where,
    )


def _bad_name(name: str) -> Malformed:
    return Malformed(
        "note.name",
        Text(en="This cannot be the name of a log: {name}.", zh="不能用作日志名称：{name}。"),
        do=Text(
            en="Use a web address without https://, without spaces and without +.",
            zh="请使用不带 https://、空格和 + 的网址。",
        ),
        name=name[:80].encode("unicode_escape").decode(),
    )
