"""A proof in one small text file: this entry is in that log, and these other parties saw the log as it was.

C2SP tlog-proof: where the entry is, its path through the tree, and the log's checkpoint with all its cosignatures. Where a
receipt is the log's own word, such a file carries that of witnesses too. Example: ``docs/spec/tiles.md``.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

import msgspec

from tongqiu.ledger import checkpoint, tree
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
MAX_PROOF: Final = 128 * 1024
MAX_EXTRA: Final = 32 * 1024

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_DO = Text(en="Ask for the proof again from whoever made it.", zh="请向制作方重新索取证明。")


class Proof(msgspec.Struct, frozen=True):
    """A proof taken apart; nothing in it is proven until :func:`verify_proof` has said so."""

    index: int
    path: tuple[bytes, ...]
    """The hashes from the leaf's neighbour up to just below the root."""

    note: str
    """The checkpoint as it was signed, cosignatures included."""

    extra: bytes | None = None
    """What somebody added; it is under no signature."""


class ProvenEntry(msgspec.Struct, frozen=True):
    """What a proof proves: the entry is at this place of this tree, and who says so."""

    index: int
    tip: checkpoint.Checkpoint
    witnessed: dict[checkpoint.NoteKey, int]
    """Each known witness that cosigned, and when by its own clock (seconds since 1970)."""


def write_proof(proof: Proof) -> str:
    """Return the text of a ``.tlog-proof`` file. Raises Malformed (``proof.form``, ``note.form``) for what cannot stand."""
    lines = [HEAD]
    if proof.extra is not None:
        lines.append("extra " + _base64(proof.extra))
    lines += [f"index {proof.index}", *map(_base64, proof.path)]
    text = "\n".join(lines) + "\n\n" + proof.note
    if parse_proof(text) != proof:
        raise _form("")
    return text


def parse_proof(text: str, *, where: str = "") -> Proof:
    """Take a proof apart without proving anything. Raises Malformed (``proof.form``, ``note.form``)."""
    if len(text) > MAX_PROOF:
        raise _form(where)
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    extra: bytes | None = None
    if lines[0] != HEAD or not gap:
        raise _form(where)
    if len(lines) > 1 and lines[1].startswith("extra "):
        extra = _unbase64(lines.pop(1)[6:])
        if extra is None or len(extra) > MAX_EXTRA:
            raise _form(where)
    found = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    path = [_unbase64(line) for line in lines[2:]]
    if found is None or len(path) > tree.MAX_PATH:
        raise _form(where)
    hashes = [part for part in path if part is not None and len(part) == tree.HASH_BYTES]
    if len(hashes) != len(path) or int(found[1]) >= 1 << 63:
        raise _form(where)
    checkpoint.parse_note(note, where=where)
    return Proof(int(found[1]), tuple(hashes), note, extra)


def verify_proof(  # noqa: PLR0913 - each part is named at the call
    text: str,
    entry: bytes,
    log: checkpoint.NoteKey,
    *,
    witnesses: Sequence[checkpoint.NoteKey] = (),
    quorum: int = 0,
    where: str = "",
) -> ProvenEntry:
    """Prove that ``log`` holds ``entry`` (the 32-byte entry hash) and that ``quorum`` of ``witnesses`` saw that tree.

    A witness counts once, whatever keys it has: by its name. Raises Malformed (``proof.form``, ``note.*``,
    ``checkpoint.form``); Unproven: ``note.*`` and ``checkpoint.origin`` for the log's signature or any known witness's that
    does not hold, ``tree.inclusion`` for the path, ``proof.quorum`` for too few witnesses. Times are not judged here.
    """
    proof = parse_proof(text, where=where)
    tip = checkpoint.verify(proof.note, log, extensions=True, where=where)
    _, times = checkpoint.signers_of(proof.note, [log, *witnesses], where=where)
    tree.verify_inclusion(entry, proof.index, tip.size, proof.path, tip.root)
    witnessed = {key: at for key, at in times.items() if key in witnesses and key.timed and at}
    names = {key.name for key in witnessed} - {log.name}
    if len(names) < quorum:
        raise Unproven(
            "proof.quorum",
            Text(
                en="{found} of the witnesses you trust have confirmed it; {quorum} are needed.",
                zh="您信任的见证方中有 {found} 个予以确认；需要 {quorum} 个。",
            ),
            do=Text(
                en="Ask again later for a proof that more have confirmed.", zh="请稍后索取经更多见证方确认的证明。"
            ),
            where=where,
            found=len(names),
            quorum=quorum,
        )
    return ProvenEntry(proof.index, tip, witnessed)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes | None:
    """Return what canonical standard base64 encodes, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _base64(data) == text else None


def _form(where: str) -> Malformed:
    return Malformed(
        "proof.form",
        Text(en="Not a log proof (tlog-proof).", zh="这不是日志证明（tlog-proof）。"),
        do=_DO,
        where=where,
    )
