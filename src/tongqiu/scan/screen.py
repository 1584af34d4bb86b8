"""Finding identifiers of people in millions of texts at once: one pass over the bytes, then check digits and context.

The module is longer than most, because each step is here with and without machine code, side by side.

The answer for every text is that of :func:`tongqiu.scan.personal.scan`, with places in bytes, whatever engine gives it and
whatever stands beside the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tongqiu.scan import personal, readers, spotting
from tongqiu.scan.identifiers import SCHEMES, Scheme
from tongqiu.scan.machine import COMPILING, can_compile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Engine = Literal["hyperscan", "re2", "python"]

CHUNK: Final = 8 << 20
"""Bytes of text that one pass sees at most, but for a single text that is longer."""


class Strings(NamedTuple):
    """``n`` texts as Arrow's LargeString lays them out: ``data`` uint8, ``offsets`` int64 of length ``n + 1``.

    Text ``i`` is ``data[offsets[i]:offsets[i + 1]]``, UTF-8 or what a file held in its place.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]


class Hits(NamedTuple):
    """Identifiers of people in some texts, one each place: which text (int32), which scheme (uint16, an index into
    :func:`schemes`), first byte and byte after the last within that text (int32), and why it counts (uint8:
    0 checked, 1 context, 2 form). Ordered by text and place; none overlaps another.
    """

    text: NDArray[np.int32]
    scheme: NDArray[np.uint16]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    ground: NDArray[np.uint8]


def schemes() -> tuple[Scheme, ...]:
    """Return every scheme that is looked for, in the order that :attr:`Hits.scheme` counts them."""
    return (*SCHEMES, *readers.READ)


@cache
def _numbers() -> dict[str, int]:
    return {scheme.code: index for index, scheme in enumerate(schemes())}


def method(engine: Engine | None = None) -> str:
    """Return how it is done, with versions, for evidence: the engine named, or the best that is installed."""
    return f"{personal.METHOD} ({engine or best()})"


@cache
def best() -> Engine:
    """Return the fastest engine that is installed."""
    for engine in ("hyperscan", "re2"):
        try:
            __import__(engine)
        except ImportError:
            continue
        return engine
    return "python"


def screen(strings: Strings, *, context: str = "", engine: Engine | None = None, compiled: bool | None = None) -> Hits:
    """Return the identifiers of people in ``strings``; ``context`` is what the texts stand under (a column's name).

    ``engine`` is one of ``hyperscan`` (fastest), ``re2`` and ``python``; all give the same answer. Safe to call from any thread;
    the pass over the bytes lets other threads run. ``compiled`` chooses machine code or Python beside Hyperscan (None: machine code
    where numba is).
    """
    import numpy as np

    used = engine or best()
    machine = can_compile() if compiled is None else compiled
    rows: list[NDArray[np.int64]] = []
    for first, texts in _portions(strings):
        if used == "hyperscan":
            found = _fast(texts, context, machine=machine)
        elif used == "re2":
            found = _table(_sifted(texts, context))
        else:
            found = _table([row for index, raw in enumerate(texts) for row in _slow(index, raw, context)])
        found[:, 0] += first
        rows.append(found)
    return _columns(np.concatenate((_table([]), *rows)))


_Row = tuple[int, int, int, int, int]


def _table(rows: list[_Row]) -> NDArray[np.int64]:
    import numpy as np

    return np.array(rows, dtype=np.int64).reshape(-1, 5)


def _columns(rows: NDArray[np.int64]) -> Hits:
    import numpy as np

    text, scheme, start, end, ground = rows.T
    return Hits(
        text.astype(np.int32),
        scheme.astype(np.uint16),
        start.astype(np.int32),
        end.astype(np.int32),
        ground.astype(np.uint8),
    )


def _portions(strings: Strings) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the texts in portions of a bounded size, each with the number of its first."""
    data, offsets = strings
    bounds = offsets.tolist()
    at, last = 0, len(bounds) - 1
    while at < last:
        stop = at + 1
        while stop < last and bounds[stop + 1] - bounds[at] <= CHUNK:
            stop += 1
        begin = bounds[at]
        held = data[begin : bounds[stop]].tobytes()
        yield at, [held[low - begin : high - begin] for low, high in pairwise(bounds[at : stop + 1])]
        at = stop


def _slow(index: int, raw: bytes, context: str) -> list[_Row]:
    """Return what the plain engine finds in one text, places in bytes."""
    text = raw.decode("utf-8", "surrogateescape")
    out, at, byte = [], 0, 0
    for hit in personal.scan(text, context=context):
        byte += _size(text[at : hit.start])
        end = byte + _size(text[hit.start : hit.end])
        out.append((index, _numbers()[hit.scheme], byte, end, readers.GROUNDS.index(hit.ground)))
        at, byte = hit.end, end
    return out


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


# --- the engine of google-re2: it says which texts to look at -----------------------------------------------------------


def _sifted(texts: list[bytes], context: str) -> list[_Row]:
    """Return what is found in those texts in which a fast look finds any place to read."""
    may = spotting.sieve().search
    return [row for index, raw in enumerate(texts) if may(b"\0" + raw + b"\0") for row in _slow(index, raw, context)]


# --- the engine of Hyperscan: it says where to look ---------------------------------------------------------------------


@cache
def _hyperscan(*, machine: bool) -> spotting.Hyperscan:
    return spotting.Hyperscan(_marks if machine else None)


def _marks(buffer: bytes) -> NDArray[np.int64]:
    with COMPILING:
        from tongqiu.scan import confirming
    return confirming.marks(buffer)


_BUILDING: Final = Lock()
"""Held while the patterns are compiled, beside which machine code may be made."""


class _Said(NamedTuple):
    """What is said of each spot: by machine code, or by what a spot needs alone; whether a word may stand before it; its text; and
    where what is confirmed begins and ends in the buffer.
    """

    said: NDArray[np.uint8]
    worded: NDArray[np.bool_]
    owner: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]


_PASSED, _READ, _MAIL, _ADDRESS, _TRICKY = range(5)


class _Held(NamedTuple):
    """Texts one after the other with a zero byte around each, which is a border to every pattern; where each begins; where to look;
    and what is said of it.
    """

    buffer: bytes
    starts: NDArray[np.int64]
    spots: spotting.Spots
    said: _Said


def _joined(texts: list[bytes]) -> tuple[bytes, NDArray[np.int64]]:
    import numpy as np

    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return b"\0".join((b"", *texts, b"")), np.cumsum(sizes + 1) - sizes


def _held(texts: list[bytes], context: str, *, machine: bool) -> _Held:
    buffer, starts = _joined(texts)
    with _BUILDING:
        spotter = _hyperscan(machine=machine)
    spots = spotter.spots(buffer)
    return _Held(buffer, starts, spots, (_settled if machine else _said)(buffer, starts, spots, context))


def _settled(buffer: bytes, starts: NDArray[np.int64], spots: spotting.Spots, context: str) -> _Said:
    """Return what machine code says of each spot."""
    import numpy as np

    with COMPILING:
        from tongqiu.scan import confirming

    many = len(spots.end)
    said, worded = np.empty(many, np.uint8), np.zeros(many, np.uint8)
    owner, first, last = (np.empty(many, np.int64) for _ in range(3))
    data = np.frombuffer(buffer, dtype=np.uint8)
    known = confirming.tables()
    confirming.settle(data, starts, *spots, bool(context), *known, said, worded, owner, first, last)
    return _Said(said, worded.view(np.bool_), owner, first, last)


def _said(buffer: bytes, starts: NDArray[np.int64], spots: spotting.Spots, context: str) -> _Said:
    """Return the same without machine code: every spot that is worth it is read."""
    import numpy as np

    # A match may end at the border after its text, never beyond.
    owner = np.searchsorted(starts, spots.end - 1, side="right") - 1
    kept, worded = _promising(spots, context)
    said = np.where(kept, _READ, _PASSED).astype(np.uint8)
    said[_tricky(buffer, spots)] = _TRICKY
    return _Said(said, worded, owner, owner, owner)


def _part(held: _Held, texts: list[bytes], chosen: list[int]) -> tuple[bytes, NDArray[np.int64], NDArray[np.int64]]:
    """Return the chosen texts of ``held`` alone, where each begins, and where what stands for other characters ends in them."""
    import numpy as np

    number, end = held.spots
    owner = held.said.owner
    wanted = np.asarray(chosen, dtype=np.int64)
    place = np.clip(np.searchsorted(wanted, owner), 0, len(wanted) - 1)
    kept = (wanted[place] == owner) & (number <= spotting.BRACKET)
    buffer, starts = _joined(texts)
    return buffer, starts, end[kept] - held.starts[owner[kept]] + starts[place[kept]]


def _fast(texts: list[bytes], context: str, *, machine: bool) -> NDArray[np.int64]:
    """Return what is found where one pass over all texts says to look; texts with tricks are made plain and passed once more."""
    import numpy as np

    held = _held(texts, context, machine=machine)
    tricky = np.unique(held.said.owner[held.said.said == _TRICKY]).tolist()
    rows = _looked(held, texts, context, tricky)
    if tricky:
        odd = [texts[index] for index in tricky]
        plain, places = _undone(*_part(held, odd, tricky))
        again = _looked(_held(plain, context, machine=machine), plain, context, [], (odd, places))
        again[:, 0] = np.asarray(tricky)[again[:, 0]]
        rows = np.concatenate((rows, again))
    return rows[np.lexsort((rows[:, 2], rows[:, 0]))]


def _looked(
    held: _Held,
    texts: list[bytes],
    context: str,
    but: list[int],
    undone: tuple[list[bytes], list[NDArray[np.int64]]] | None = None,
) -> NDArray[np.int64]:
    """Return what is found at the spots of texts other than ``but``, at places before tricks were undone."""
    import numpy as np

    known, (said, worded, owner, first, last) = held.spots, held.said
    passed = np.zeros(len(texts), dtype=np.bool_)
    passed[but] = True
    kept = np.flatnonzero((said >= _READ) & (said <= _ADDRESS) & ~passed[owner])
    plain = _table([]) if undone else _alone(held, kept)
    if len(plain):
        passed[plain[:, 0]] = True
        kept = kept[~passed[owner[kept]]]
    owners = owner[kept]
    cuts = np.flatnonzero(np.diff(owners, prepend=-1, append=-1)).tolist()
    begins = held.starts[owners]
    spots = list(
        zip(
            known.pattern[kept].tolist(),
            (known.end[kept] - begins).tolist(),
            worded[kept].tolist(),
            said[kept].tolist(),
            (first[kept] - begins).tolist(),
            (last[kept] - begins).tolist(),
            strict=True,
        )
    )
    written = set(owner[known.pattern == spotting.TRICK].tolist())
    rows: list[_Row] = []
    for low, high in pairwise(cuts):
        index = int(owners[low])
        raw = undone[0][index] if undone else texts[index]
        seen = _Bytes(texts[index], context, tricks=index in written)
        try:
            if undone:
                raw.decode()
            found = _read(seen, spots[low:high])
        except UnicodeDecodeError:
            rows += _slow(index, raw, context)
            continue
        places = undone[1][index] if undone else None
        for one in found:
            start, stop = one.start, one.end
            if places is not None:
                start, stop = int(places[start]), int(places[stop - 1]) + 1
                while stop < len(raw) and raw[stop] & 0xC0 == 0x80:  # noqa: PLR2004 - within a character
                    stop += 1
            rows.append((index, _numbers()[one.scheme], start, stop, readers.GROUNDS.index(one.ground)))
    return np.concatenate((plain, _table(rows)))


def _alone(held: _Held, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of those texts in which all spots that are left are confirmed and none overlaps another."""
    import numpy as np

    said, _, owner, first, last = (column[kept] for column in held.said)
    doubtful = np.zeros(len(held.starts), dtype=np.bool_)
    doubtful[owner[said == _READ]] = True
    over = (owner[1:] == owner[:-1]) & (first[1:] < last[:-1])
    doubtful[owner[1:][over]] = True
    sure = ~doubtful[owner]
    said, owner, first, last = said[sure], owner[sure], first[sure], last[sure]
    begin = held.starts[owner]
    mail, address = (_numbers()[scheme.code] for scheme in readers.READ[:2])
    scheme = np.where(said == _MAIL, mail, address)
    form = np.full(len(said), readers.GROUNDS.index("form"))
    return np.stack((owner, scheme, first - begin, last - begin, form), axis=1)


@cache
def _stands_for() -> NDArray[np.uint8]:
    """Return, by code point, the ASCII character that it stands for; 0: it is left out."""
    import numpy as np

    out = np.zeros(0x20000, dtype=np.uint8)
    for code, char in readers.tricks().table.items():
        out[code] = ord(char)
    return out


@cache
def _looks() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, by byte, whether it is an ASCII character that can stand in an identifier, and whether one that parts groups."""
    import numpy as np

    byte = np.arange(256)
    return (byte >= 0x20) & (byte < 0x7F), np.isin(byte, list(b" .-/()"))  # noqa: PLR2004 - what is shown


def _code(data: NDArray[np.uint8], begin: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the code points of the characters of ``size`` bytes (2 to 4) at ``begin``."""
    import numpy as np

    code = (data[begin] & (0xFF >> (size + 1))).astype(np.int64)
    for more in range(1, 4):
        rest = data[np.minimum(begin + more, len(data) - 1)] & 0x3F
        code = np.where(more < size, code << 6 | rest, code)
    return code


def _undone(
    buffer: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[list[bytes], list[NDArray[np.int64]]]:
    """Return texts with their tricks (which end at ``ends``) undone and, for each of their bytes, its place in the text as it was."""
    import numpy as np

    data = np.frombuffer(buffer, dtype=np.uint8).copy()
    size = np.where(data[ends - 2] >= 0xC0, 2, np.where(data[ends - 3] >= 0xC0, 3, 4))  # noqa: PLR2004 - the first byte of a character
    begin = ends - size
    stands = _stands_for()[_code(data, begin, size)]
    keep = np.ones(len(data), dtype=np.bool_)
    for more in range(1, 4):
        keep[(begin + more)[more < size]] = False
    data[begin] = stands
    keep[begin[stands == 0]] = False
    plain, places = [], []
    bounds = [*starts.tolist(), len(data)]
    for low, high in pairwise(bounds):
        part = keep[low : high - 1]
        plain.append(data[low : high - 1][part].tobytes())
        places.append(np.flatnonzero(part))
    return plain, places


def _tricky(buffer: bytes, spots: spotting.Spots) -> NDArray[np.int64]:
    """Return the spots of characters that hide or stand for others and may make or break an identifier.

    A digit of another script or a full-width letter always may; what is not seen, or stands for a space or a hyphen, within
    reach of a digit or an @ alone.
    """
    import numpy as np

    number, end = spots
    tricks = np.flatnonzero(number == spotting.TRICK)
    certain = np.flatnonzero((number == spotting.NATIVE) | (number == spotting.NUMBERED))
    if not len(tricks):
        return certain
    data = np.frombuffer(buffer, dtype=np.uint8)
    ends = end[tricks]
    begin = ends - np.where(data[ends - 2] >= 0xC0, 2, np.where(data[ends - 3] >= 0xC0, 3, 4))  # noqa: PLR2004 - the first byte of a character
    left, right = data[begin - 1], data[ends]
    # Beside something that is no ASCII, nor another trick, nothing is joined or parted.
    shown, parts = _looks()
    marks = end[number <= spotting.BRACKET]
    matters = shown[left] | np.isin(begin, marks)
    matters &= shown[right] | (np.isin(ends, marks - 2) | np.isin(ends, marks - 3) | np.isin(ends, marks - 4))
    # Between two separators what stands for a third makes them too many.
    stands = _stands_for()[_code(data, begin, ends - begin)]
    matters &= ~(parts[left] & parts[right]) | (stands == 0)
    near = data[np.clip(ends[:, None] - 1 + np.arange(-96, 96), 0, len(data) - 1)]
    matters &= ((near >= 48) & (near <= 57)).any(axis=1)  # noqa: PLR2004 - the digits of ASCII
    ats = end[number == spotting.AT] - 2
    if len(ats):
        after = np.searchsorted(ats, ends)
        low, high = np.clip(after - 1, 0, None), np.clip(after, None, len(ats) - 1)
        beside = np.minimum(np.abs(ends - ats[low]), np.abs(ats[high] - ends))
        # What stands for a space ends an address as it does itself.
        matters |= (beside < 400) & (stands != ord(" "))  # noqa: PLR2004 - more than an address is long
    return np.concatenate((certain, tricks[matters]))


def _promising(spots: spotting.Spots, context: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which spots are to be read (those that need no word, and those that have one within reach before them), and
    which have a word.
    """
    import numpy as np

    number, end = spots
    shaped = number >= spotting.GROUP
    if context or not len(number):
        return shaped, np.ones(len(number), dtype=np.bool_)
    worded = _after(end, end[number == spotting.WORD], spotting.NEAR) | _after(
        end, end[number == spotting.TRICK], spotting.FAR
    )
    return shaped & (spotting.asking()[number] | worded), worded


def _after(end: NDArray[np.int64], marks: NDArray[np.int64], reach: int) -> NDArray[np.bool_]:
    """Return which of ``end`` lie at most ``reach`` after one of ``marks``; both ascend."""
    import numpy as np

    if not len(marks):
        return np.zeros(len(end), dtype=np.bool_)
    before = np.searchsorted(marks, end, side="right") - 1
    return (before >= 0) & (end - marks[np.clip(before, 0, None)] <= reach)


class _Bytes(readers.Seen):
    """A text of bytes, one character a byte, in which what readers look for is ASCII; words are read as UTF-8."""

    def __init__(self, raw: bytes, context: str, *, tricks: bool) -> None:
        super().__init__(raw.decode("latin-1"), context)
        self.raw = raw
        self._tricks = tricks
        self._tail = (-1, 0, "")

    def before(self, start: int, count: int) -> str:
        at, much, tail = self._tail
        if at != start or much < count:
            tail = self._plain(start, count)
            self._tail = (start, count, tail)
        return tail[-count:]

    def _plain(self, start: int, count: int) -> str:
        reach = 4 * count
        while True:
            low = max(0, start - reach)
            while low < start and self.raw[low] & 0xC0 == 0x80:  # noqa: PLR2004 - within a character
                low += 1
            text = self.raw[low:start].decode()
            plain = readers.plain_of(text)[0] if self._tricks else text
            if len(plain) >= count or start - reach <= 0:
                return readers.folded(plain)[-count:]
            reach *= 2


_Spot = tuple[int, int, bool, int, int, int]
"""A number of a pattern, where its match ends, whether a word may stand before it, what is said of it, and where that stands."""


def _read(seen: _Bytes, spots: list[_Spot]) -> list[readers.Found]:
    """Return what the readers find at the spots of one text, and what is confirmed there."""
    raw = seen.raw
    known, groups = spotting.patterns(), _groups()
    found: list[readers.Found] = []
    done = set[tuple[int, int]]()
    for number, end, word, said, first, last in spots:
        if said == _MAIL:
            found.append(readers.Found("e-mail", "e-mail", "", first, last, "form", 1))
            continue
        if said == _ADDRESS:
            found.append(readers.Found("ip-address", "ip-address", "", first, last, "form", 2))
            continue
        if number == spotting.GROUP:
            start, stop = _group(raw, end)
            wanted = groups.get((stop - start, word))
            if wanted is not None and (number, start) not in done:
                done.add((number, start))
                found += readers.shape_at(seen, wanted, start, stop)
            continue
        pattern = known[number]
        if pattern.read is None:
            start = end - pattern.back
            found += readers.shape_at(seen, pattern.ends, start, start + pattern.length)
            continue
        start = end - pattern.back if pattern.back >= 0 else _back(raw, end, pattern)
        if (number, start) not in done:
            done.add((number, start))
            found += pattern.read(seen, start)
    return found if all(one.end <= two.start for one, two in pairwise(found)) else readers.apart(found)


@cache
def _groups() -> dict[tuple[int, bool], list[tuple[Scheme, bool]]]:
    """Return, by length and whether a word may stand before it, what a group of letters and digits may be."""
    out = {}
    for length, ends in spotting.groups().items():
        out[length, True] = ends
        if free := [one for one in ends if not one[1]]:
            out[length, False] = free
    return out


def _back(raw: bytes, end: int, pattern: spotting.Pattern) -> int:
    """Return where a match that ends at ``end`` began: before all bytes that it may run over."""
    low = max(0, end - 48)
    start = low + len(raw[low:end].rstrip(pattern.over))
    return start - 1 if pattern.read in (readers.plus_at, readers.bracketed_at) else start


def _group(raw: bytes, end: int) -> tuple[int, int]:
    """Return the group of letters and digits that holds the byte two before ``end``."""
    start = low = max(0, end - 48)
    start += len(raw[low : end - 1].rstrip(_ALNUM))
    after = raw[end - 1 : end + 24]
    return start, end - 1 + len(after) - len(after.lstrip(_ALNUM))


_ALNUM: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
