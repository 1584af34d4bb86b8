"""Recognising a licence by its text: how much of each known text stands in a file, from fingerprints alone.

No licence text is shipped. Each known text is cut into overlapping runs of five words; the runs are hashed to 40 bits
and, for long texts, thinned by their own value, so that about 256 stay (w-shingling: Broder, *On the resemblance and
containment of documents*, 1997; thinning by hash value: "modulo sketch", section 4 there). The share of a text's
fingerprints that a file holds estimates the share of that text in the file. A text that is not in the index is
reported as not recognised, never guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tongqiu.record.faults import Unproven
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]

RUN = 5
"""Words in one run."""

BITS = 40
"""Bits of one fingerprint. A foreign file of 5,000 runs meets one of 200,000 by chance with probability 1e-3."""

KEEP = 256
"""About how many fingerprints are kept of a long text."""

LEAST = 25
"""Texts with fewer runs than this are too short to be told by fingerprint and are left out of the index."""

PART = 0.6
"""From this share on a file is said to resemble a text that was altered; an altered licence is another licence."""

INDEX_DIGEST = "sha-256:d5611312c3dda16d7942a4e570f5accf0adbd1024ff5990d301b4c88b10311b2"
"""SHA-256 of ``fingerprints.bin``, checked whenever it is loaded."""

MAGIC = b"tongqiu licence fingerprints/1\n"
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
# Every repetition is bounded: a hostile file must not make these slow.
_NOTICE = re.compile(
    r"^[^\w\n]{0,20}(?:copyright[ \t]{0,8}(?:\(c\)|©|\d{4}|\[|<|\{)|©|\(c\)[ \t]).*$", re.IGNORECASE | re.MULTILINE
)
_BULLET = re.compile(
    r"^[^\w\n]{0,8}(?:\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]|[-*•])[ \t]{1,8}", re.IGNORECASE | re.MULTILINE
)
_NAMED = tuple(
    (re.compile(rf"\b{before} (?:\w+ ){{1,20}}?{after}\b"), f"{before} the holder {after}")
    for before, after in (("neither the name of", "nor"), ("provided by", "as is"), ("in no event shall", "be liable"))
)
"""Places where a text names its own holder, which SPDX lets vary ("License matching guidelines and templates")."""

COMMON = frozenset(
    {"0BSD", "AGPL-3.0-only", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-4.0", "CC-BY-SA-4.0"}
    | {"CC0-1.0", "EPL-2.0", "GPL-2.0-only", "GPL-3.0-only", "ISC", "LGPL-2.1-only", "LGPL-3.0-only", "MIT", "MPL-2.0"}
    | {"MulanPSL-2.0", "ODbL-1.0", "OFL-1.1", "PSF-2.0", "Unlicense", "Zlib"}
)
"""Licences in wide use: between two near misses, the likelier one."""

_LIKELY = 0.05
_VERBATIM = 0.98
_GNU = re.compile(r"((?:A|L)?GPL-\d\.\d|GFDL-\d\.\d)-(only|or-later)\Z")


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text of the index: its SPDX id (or ``LicenseRef-…``), name, the source's category, runs in all, fingerprints
    kept, one in how many was kept, whether it is an exception to another licence.
    """

    id: str
    name: str
    category: str
    runs: int
    kept: int
    scale: int
    exception: bool = False


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before the fingerprints: where the texts came from and which they are."""

    source: str
    source_licence: str
    texts: tuple[Known, ...]


class Index(NamedTuple):
    """All fingerprints in ascending order (uint64, ``n``) and the text each belongs to (uint16, ``n``)."""

    header: Header
    hashes: Hashes
    owners: npt.NDArray[np.uint16]


class Match(NamedTuple):
    """A known text found in a file: its id, others that the same text serves, name, category, and the share found."""

    id: str
    alternatives: tuple[str, ...]
    name: str
    category: str
    score: float
    exception: bool


class Reading(NamedTuple):
    """What a text was recognised as, best first; ``foreign`` is the share of its runs that no match explains."""

    matches: tuple[Match, ...]
    foreign: float
    runs: int


def fingerprints(text: str) -> set[int]:
    """Return the 40-bit fingerprints of every run of five words in ``text``.

    Case, punctuation, line breaks, comment marks, list numbers, copyright lines and the places where a text names its
    holder do not count; a Han character is a word.
    """
    bare = _BULLET.sub(" ", _NOTICE.sub(" ", unicodedata.normalize("NFKC", text)))
    spoken = " ".join(_WORD.findall(bare.casefold()))
    for pattern, plain in _NAMED:
        spoken = pattern.sub(plain, spoken)
    words = spoken.split(" ")
    return {
        int.from_bytes(hashlib.blake2b(" ".join(words[at : at + RUN]).encode(), digest_size=BITS // 8).digest(), "big")
        for at in range(len(words) - RUN + 1)
    }


def thin(hashes: Iterable[int], scale: int) -> set[int]:
    """Return those fingerprints that stay when one in ``scale`` (a power of two) is kept."""
    bound = (1 << BITS) // scale
    return {each for each in hashes if each < bound}


def scale_for(runs: int) -> int:
    """Return the smallest power of two that thins ``runs`` fingerprints to about :data:`KEEP`."""
    scale = 1
    while runs > KEEP * scale:
        scale *= 2
    return scale


def write(header: Header, kept: Sequence[set[int]]) -> bytes:
    """Return the index file: magic, length of the header (u32 LE), header as JSON, count (u32 LE), hashes, owners.

    Hashes are 5 bytes each, big-endian, ascending; owners u16 LE in the same order.
    """
    pairs = sorted((value, owner) for owner, values in enumerate(kept) for value in values)
    head = json.dumps(msgspec.to_builtins(header), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return b"".join(
        (
            MAGIC,
            struct.pack("<I", len(head)),
            head,
            struct.pack("<I", len(pairs)),
            b"".join(value.to_bytes(BITS // 8, "big") for value, _ in pairs),
            b"".join(struct.pack("<H", owner) for _, owner in pairs),
        )
    )


def read(data: bytes) -> Index:
    """Return the index that ``data`` holds; the inverse of :func:`write`. Raises Unproven (``licence.index``)."""
    import numpy as np

    try:
        if not data.startswith(MAGIC):
            raise ValueError("magic")
        at = len(MAGIC)
        (length,) = struct.unpack_from("<I", data, at)
        header = msgspec.json.decode(data[at + 4 : at + 4 + length], type=Header)
        at += 4 + length
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        width = BITS // 8
        if len(data) != at + count * (width + 2):
            raise ValueError("length")
        padded = np.zeros((count, 8), np.uint8)
        padded[:, 8 - width :] = np.frombuffer(data, np.uint8, count * width, at).reshape(count, width)
        owners = np.frombuffer(data, np.dtype("<u2"), count, at + count * width).astype(np.uint16)
        return Index(header, padded.view(">u8").ravel().astype(np.uint64), owners)
    except (ValueError, struct.error, msgspec.MsgspecError) as error:
        raise _broken(str(error)) from error


@cache
def index() -> Index:
    """Return the index that is shipped, after checking its digest. Raises Unproven (``licence.index``)."""
    data = resources.files("tongqiu.practices.supply").joinpath("fingerprints.bin").read_bytes()
    if "sha-256:" + hashlib.sha256(data).hexdigest() != INDEX_DIGEST:
        raise _broken("sha-256")
    return read(data)


def recognise(text: str, within: Index | None = None) -> Reading:
    """Return the known licence texts that stand in ``text``, each with the share of it that was found.

    Texts that stand inside a longer text that was found (two clauses of three) are not reported beside it.
    """
    import numpy as np

    known = index() if within is None else within
    mine = fingerprints(text)
    if not mine:
        return Reading((), 1.0, 0)
    values = np.fromiter(mine, np.uint64, len(mine))
    first = np.searchsorted(known.hashes, values, "left")
    last = np.searchsorted(known.hashes, values, "right")
    held: dict[int, set[int]] = {}
    for value, low, high in zip(values.tolist(), first.tolist(), last.tolist(), strict=True):
        for owner in known.owners[low:high].tolist():
            held.setdefault(owner, set()).add(value)
    texts = known.header.texts
    hopeful = [owner for owner, found in held.items() if len(found) >= PART * texts[owner].kept]
    hopeful.sort(key=lambda owner: (-_weight(texts[owner], len(held[owner])), texts[owner].id))
    chosen: list[int] = []
    for owner in hopeful:
        if not _inside(owner, chosen, held, texts):
            chosen.append(owner)
    matches = tuple(_match(texts[owner], len(held[owner])) for owner in chosen)
    return Reading(matches, _foreign(mine, [(texts[owner], held[owner]) for owner in chosen]), len(mine))


def _weight(text: Known, found: int) -> float:
    """Return how well ``found`` fingerprints speak for ``text``: a missing one weighs twice a found one, so that three
    clauses do not win over two where the third is not there; a common licence or a verbatim text has a small start.
    """
    start = _LIKELY * text.kept if text.id in COMMON or found >= _VERBATIM * text.kept else 0.0
    return (found - 2 * (text.kept - found) + start) * text.scale


def _inside(owner: int, chosen: list[int], held: dict[int, set[int]], texts: tuple[Known, ...]) -> bool:
    """Tell whether what was found of ``owner`` is, but for a third, part of what was found of the ``chosen`` together."""
    if not chosen:
        return False
    # Only fingerprints that every one of the texts would have kept can be compared.
    mine = thin(held[owner], max(texts[each].scale for each in (owner, *chosen)))
    return len(mine - set().union(*(held[each] for each in chosen))) < len(mine) / 3 or not mine


def _match(text: Known, found: int) -> Match:
    gnu = _GNU.match(text.id)
    # The texts of GNU licences are the same for "only" and "or later"; which one holds is said elsewhere.
    other = (f"{gnu[1]}-{'or-later' if gnu[2] == 'only' else 'only'}",) if gnu else ()
    return Match(text.id, other, text.name, text.category, round(found / text.kept, 4), text.exception)


def _foreign(mine: set[int], found: list[tuple[Known, set[int]]]) -> float:
    scale = max((text.scale for text, _ in found), default=1)
    sample = thin(mine, scale)
    if not sample:
        return 0.0
    explained = set().union(*(values for _, values in found)) if found else set()
    return round(len(sample - explained) / len(sample), 4)


def _broken(detail: str) -> Unproven:
    return Unproven(
        "licence.index",
        Text(
            en="The shipped index of licence fingerprints is not the one that was released ({detail}).",
            zh="随附的许可证指纹索引与发布时不一致（{detail}）。",
        ),
        do=Text(en="Reinstall tongqiu.", zh="请重新安装 tongqiu。"),
        detail=detail[:80],
    )
