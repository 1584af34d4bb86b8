"""The compiled part of the search for personal data: it confirms plain addresses, and drops what cannot be an identifier.

It says what the readers of :mod:`tongqiu.scan.readers` would say of the same bytes, and only where that is certain from the bytes
alone; whatever needs a word, a check digit other than that of an IBAN, or a second look, it leaves to them. Nothing here finds
anything that they would not: where numba is missing they do all of it. The module is longer than most: small functions that one call puts
together in machine code are kept in one file, as what is kept on disk is.
"""

# Types of arrays are given to numba below; the reader's checks of types stop at its door.
# ruff: noqa: ANN401 - as said
# ruff: noqa: C901, FBT001, PLR0912, PLR0913, PLR0915, PLR0917 - loops over bytes with their state in registers are what makes them fast
# ruff: noqa: PLR2004 - the bytes of ASCII and UTF-8 are read more easily where they are used than under names

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from tongqiu.scan import checks, readers, spotting
from tongqiu.scan.layouts import layouts
from tongqiu.scan.machine import compiled, stamp

PASSED, READ, MAIL, ADDRESS, TRICKY = range(5)
"""What is said of a spot: nothing is there; a reader must look; an e-mail address; an IP address; the text must be made plain."""

_TRICK, _NATIVE, _BRACKET, _NUMBERED, _WORD, _GROUP, _AT = (
    spotting.TRICK,
    spotting.NATIVE,
    spotting.BRACKET,
    spotting.NUMBERED,
    spotting.WORD,
    spotting.GROUP,
    spotting.AT,
)
_V4, _PAIR, _IBAN, _BITS = spotting.V4, spotting.PAIR, spotting.IBAN, spotting.BITS
_NEAR, _FAR = spotting.NEAR, spotting.FAR
_DIGIT, _LETTER, _LOCAL, _NOT_FIRST, _LABEL, _SHOWN, _PARTS, _HEX = (1 << bit for bit in range(8))
_DASH, _SPACE = 16, 32
_LONGEST = 64
_ONES, _HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_ATS = np.uint64(0x4040404040404040)


class Tables(NamedTuple):
    """What the machine code looks up: by code point, the number of its pattern and one, with bits for what stands for a dash or a
    space; by byte, its classes; by pattern, whether it is read without a word; where the forms of groups of each length begin,
    without a word and with one; for each place of a form the letters and digits that may stand there; and the lengths of IBANs.
    """

    kinds: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    asking: NDArray[np.uint8]
    rows: NDArray[np.int64]
    forms: NDArray[np.uint64]
    lengths: NDArray[np.uint8]


@cache
def tables() -> Tables:
    """Return the tables."""
    return Tables(_kinds(), _classes(), spotting.asking().astype(np.uint8), *_forms(), _lengths())


def _kinds() -> NDArray[np.uint8]:
    out = np.zeros(0x20000, dtype=np.uint8)
    out[list(readers.tricks().table)] = _NATIVE + 1
    out[list(spotting.BRACKETS)] = _BRACKET + 1
    out[[ord(char) for char in readers.HIDDEN]] = _TRICK + 1
    out[list(readers.DASHES)] = _TRICK + 1 | _DASH
    out[list(readers.SPACES)] = _TRICK + 1 | _SPACE
    return out


def _classes() -> NDArray[np.uint8]:
    digits, letters = b"0123456789", b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    out = np.zeros(256, dtype=np.uint8)
    for bit, held in (
        (_DIGIT, digits),
        (_LETTER, letters),
        (_LOCAL, readers.LOCAL.encode()),
        (_NOT_FIRST, readers.NOT_FIRST.encode()),
        (_LABEL, digits + letters + b"-"),
        (_SHOWN, bytes(range(0x20, 0x7F))),
        (_PARTS, b" .-/()"),
        (_HEX, b"0123456789abcdefABCDEF:"),
    ):
        out[list(held)] |= bit
    return out


def _forms() -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return where the forms of each length begin (a pair of numbers each, without a word and with one), and the forms."""
    index, rows = np.zeros(4 * _LONGEST, dtype=np.int64), list[int]()
    for length, ends in spotting.groups().items():
        for word in (0, 1):
            schemes = [scheme for scheme, needs_word in ends if word or not needs_word]
            chosen = {
                form
                for scheme in schemes
                for layout, _ in layouts(scheme)
                if len(form := tuple(place for group in layout.groups for place in group)) == length
            }
            at = 4 * length + 2 * word
            index[at] = len(rows)
            rows += [sum(1 << int(char, 36) for char in place) for form in sorted(chosen, key=_told) for place in form]
            index[at + 1] = len(rows)
    return index, np.array(rows, dtype=np.uint64)


def _told(form: tuple[frozenset[str], ...]) -> list[str]:
    return ["".join(sorted(place)) for place in form]


def _lengths() -> NDArray[np.uint8]:
    out = np.zeros(26 * 26, dtype=np.uint8)
    for code, size in checks.IBAN_LENGTHS.items():
        out[26 * (ord(code[0]) - 65) + ord(code[1]) - 65] = size
    return out


def _array(kind: Any) -> Any:
    return types.Array(kind, 1, "C", readonly=True)


_STAMP = stamp(globals())


@compiled(
    types.boolean(
        types.int64,
        _array(types.uint8),
        _array(types.uint64),
        _array(types.uint8),
        _array(types.uint8),
        types.int64[::1],
        types.int64[::1],
    ),
    _STAMP,
)
def mark(expected: int, data: Any, words: Any, kinds: Any, classes: Any, keys: Any, count: Any) -> bool:
    """Fill in the spots of characters that hide or stand for others and of the @ of addresses, and how many there are."""
    if expected != _STAMP:
        return False
    at, size, many = 0, len(data), 0
    while at < size:
        if at & 7 == 0:
            while at + 8 <= size:
                word = words[at >> 3]
                other = word ^ _ATS
                if (word | ((other - _ONES) & ~other)) & _HIGHS:
                    break
                at += 8
            if at >= size:
                break
        byte = data[at]
        if byte == 64:
            if 0 < at < size - 1 and classes[data[at - 1]] & _LOCAL and classes[data[at + 1]] & (_DIGIT | _LETTER):
                keys[many] = (at + 2) << _BITS | _AT
                many += 1
        elif byte >= 0xC2:
            code, more = 0, 0
            if byte < 0xE0:
                if at + 1 < size and data[at + 1] & 0xC0 == 0x80:
                    code, more = (byte & 0x1F) << 6 | (data[at + 1] & 0x3F), 1
            elif byte < 0xF0:
                if at + 2 < size and data[at + 1] & 0xC0 == 0x80 and data[at + 2] & 0xC0 == 0x80:
                    code, more = (byte & 0x0F) << 12 | (data[at + 1] & 0x3F) << 6 | (data[at + 2] & 0x3F), 2
                    if code < 0x800:
                        code = 0
            elif (
                at + 3 < size
                and byte == 0xF0
                and data[at + 1] & 0xC0 == 0x80
                and data[at + 2] & 0xC0 == 0x80
                and data[at + 3] & 0xC0 == 0x80
            ):
                code = (data[at + 1] & 0x3F) << 12 | (data[at + 2] & 0x3F) << 6 | (data[at + 3] & 0x3F)
                more = 3
                if code < 0x10000:
                    code = 0
            if code < 0x20000 and kinds[code]:
                keys[many] = (at + more + 1) << _BITS | ((kinds[code] & 15) - 1)
                many += 1
            at += more
        at += 1
    count[0] = many
    return True


def marks(buffer: bytes) -> NDArray[np.int64]:
    """Return the spots of the patterns of :data:`MARKS`, found by machine code."""
    known = tables()
    data = np.frombuffer(buffer, dtype=np.uint8)
    words = np.frombuffer(buffer, dtype=np.uint64, count=len(buffer) // 8)
    keys, count = np.empty(len(buffer) // 2 + 1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    mark(data, words, known.kinds, known.classes, keys, count)
    return keys[: count[0]]


@numba.njit(nogil=True)
def _mail(data: Any, classes: Any, start: int, at: int) -> tuple[int, int]:
    """Return where the address around the @ at ``at`` begins and ends, the text beginning at ``start``; or twice the same."""
    if at == start or data[at - 1] == 46:
        return 0, 0
    limit, place, stop = min(at + 256, len(data)), at + 1, 0
    for _ in range(6):
        last = place
        while last < limit and classes[data[last]] & _LABEL:
            last += 1
        if last == place or last - place > 63 or last >= limit or data[last] != 46:
            break
        if data[place] == 45 or data[last - 1] == 45:
            break
        place = last = last + 1
        while last < limit and classes[data[last]] & _LETTER:
            last += 1
        if 2 <= last - place <= 24 and (last >= limit or not classes[data[last]] & _LABEL):
            stop = last
    if not stop:
        return 0, 0
    low = max(start, at - 64)
    first = at
    while first > low and classes[data[first - 1]] & _LOCAL:
        first -= 1
    while first < at and classes[data[first]] & _NOT_FIRST:
        first += 1
    return (first, stop) if first < at else (0, 0)


@numba.njit(nogil=True)
def _worded(data: Any, start: int, first: int) -> bool:
    """Return whether a word for an IP address may stand in the 49 characters before ``first``."""
    for place in range(max(start, first - 49), first):
        low = data[place] | 32
        if data[place] >= 0x80:
            return True
        if place + 1 < first and (
            (low == 105 and data[place + 1] | 32 == 112) or (low == 97 and data[place + 1] | 32 == 100)
        ):
            return True
    return False


@numba.njit(nogil=True)
def _address(data: Any, classes: Any, start: int, end: int, context: bool) -> tuple[int, int, int]:
    """Return what is said of an address of version 4 whose fourth number begins before ``end``, where it begins and ends."""
    first = end
    while first > start and first > end - 48 and (classes[data[first - 1]] & _DIGIT or data[first - 1] == 46):
        first -= 1
    place, leading, second, sound = first, 0, 0, True
    for number in range(4):
        begin, value = place, 0
        while place < begin + 4 and classes[data[place]] & _DIGIT:
            value = 10 * value + data[place] - 48
            place += 1
        if not 1 <= place - begin <= 3:
            return PASSED, 0, 0
        if value > 255 or (data[begin] == 48 and place > begin + 1):
            sound = False
        if number == 0:
            leading = value
        elif number == 1:
            second = value
        if number < 3:
            if data[place] != 46:
                return PASSED, 0, 0
            place += 1
    after = data[place]
    if classes[after] & _LETTER or ((after in (46, 58)) and classes[data[place + 1]] & (_DIGIT | _LETTER)):
        return PASSED, 0, 0
    if not sound or leading == 127 or 224 <= leading < 240:
        return PASSED, 0, 0
    if leading in (0, 10, 100, 169, 172, 192, 198, 203) or leading >= 240:
        # Those of networks within a house count beside a word alone.
        inside = leading == 10 or (leading == 192 and second == 168)
        return (PASSED if inside and not context and not _worded(data, start, first) else READ), 0, 0
    if after == 47 and classes[data[place + 1]] & _DIGIT:
        return PASSED, 0, 0
    back = first - 1
    while back > first - 4 and back >= start and (data[back] in (32, 58, 46, 61)):
        back -= 1
    # The last letter of a word for a version, or what is no ASCII: the reader looks.
    if back >= start and (data[back] >= 0x80 or (data[back] | 32) in (110, 101, 114, 118)):
        return READ, 0, 0
    return ADDRESS, first, place


@numba.njit(nogil=True)
def _joined(data: Any, classes: Any, begin: int, start: int, stop: int) -> bool:
    """Return whether the group before or after belongs to the same number, as the readers say it."""
    if start > begin + 1 and data[start - 1] in (45, 46, 95):
        place = start - 2
        low = max(begin, start - 27)
        while place > low and place > start - 26 and classes[data[place]] & _LETTER:
            place -= 1
        if place >= low and classes[data[place]] & _DIGIT:
            return True
    if data[stop] in (45, 46, 95):
        place = stop + 1
        while place < stop + 17 and classes[data[place]] & _LETTER:
            place += 1
        if classes[data[place]] & _DIGIT:
            return True
    return False


@numba.njit(nogil=True)
def _group(
    data: Any, classes: Any, index: Any, forms: Any, begin: int, start: int, stop: int, worded: bool
) -> bool:  # fmt: skip
    """Return whether a reader must look at the group of letters and digits from ``start`` to ``stop``."""
    length = stop - start
    if length >= _LONGEST:
        return False
    row = 4 * length + (2 if worded else 0)
    low, high = index[row], index[row + 1]
    if low == high or _joined(data, classes, begin, start, stop):
        return False
    for place in range(start, stop):
        if data[place] >= 97 and (place < stop - 1 or data[place] != 120):
            return False
    while low < high:
        fits = True
        for place in range(length):
            byte = data[start + place]
            if byte >= 97:
                byte -= 32
            value = byte - 48 if byte < 58 else byte - 55
            if not (forms[low + place] >> np.uint64(value)) & np.uint64(1):
                fits = False
                break
        if fits:
            return True
        low += length
    return False


@numba.njit(nogil=True)
def _iban(data: Any, classes: Any, lengths: Any, start: int) -> tuple[bool, bool]:
    """Return whether a country has IBANs that begin so, and whether the check digits of this one hold."""
    wanted = lengths[26 * ((data[start] & 0xDF) - 65) + (data[start + 1] & 0xDF) - 65]
    if not wanted:
        return False, False
    kept, place, total, head = 0, start, 0, 0
    while kept < wanted:
        byte = data[place]
        kind = classes[byte]
        if kind & (_DIGIT | _LETTER):
            value = byte - 48 if kind & _DIGIT else (byte & 0xDF) - 55
            if kept < 4:
                head = (head * (10 if value < 10 else 100) + value) % 97
            else:
                total = (total * (10 if value < 10 else 100) + value) % 97
            kept += 1
        elif (byte not in (32, 45)) or not classes[data[place - 1]] & (_DIGIT | _LETTER):
            return True, False
        place += 1
    # Four characters at the head, two letters and two digits: six decimal places.
    return True, (total * (10**6 % 97) + head) % 97 == 1


@numba.njit(nogil=True)
def _number_beside(
    data: Any, classes: Any, begins: Any, ends: Any, count: int, one: int, step: int, hides: bool
) -> int:  # fmt: skip
    """Return 256 when a group with a digit stands on one side of a character, or else how many colons were passed.

    Other such characters on the way are passed over; so are separators before the letters of the group, and after them when what is
    hidden may stand within a word.
    """
    other, place = one + step, begins[one] - 1 if step < 0 else ends[one]
    letters, parts, colons, steps, beyond = 0, 0, 0, 0, False
    while steps < 160:
        steps += 1
        byte = data[place]
        kind = classes[byte]
        if byte >= 0x80:
            if 0 <= other < count and (ends[other] - 1 if step < 0 else begins[other]) == place:
                place = begins[other] - 1 if step < 0 else ends[other]
                other += step
                continue
            return colons
        if kind & _DIGIT:
            return 256
        if kind & _LETTER or byte == 58:
            if byte == 58:
                colons += 1
            letters += 1
            parts = 0
            if letters > 45 or beyond:
                return colons
        elif kind & _PARTS or byte in (43, 95):
            parts += 1
            beyond = letters > 0
            if parts > 3 or (letters and not hides):
                return colons
        else:
            return colons
        place += step
    return 256


@numba.njit(nogil=True)
def _grouped(
    data: Any, classes: Any, begins: Any, ends: Any, count: int, one: int, step: int
) -> tuple[int, bool]:  # fmt: skip
    """Return how many letters and digits may belong to one number on one side of a space, and whether a digit is among them.

    In lower case letters stand in numbers only in x and ext; so the walk ends at any other word.
    """
    other, place = one + step, begins[one] - 1 if step < 0 else ends[one]
    many, held, parts, digit = 0, 0, 0, False
    for _ in range(160):
        byte = data[place]
        kind = classes[byte]
        if byte >= 0x80:
            if 0 <= other < count and (ends[other] - 1 if step < 0 else begins[other]) == place:
                place = begins[other] - 1 if step < 0 else ends[other]
                other += step
                continue
            return many + held, digit
        if kind & _DIGIT:
            many, held, parts, digit = many + held + 1, 0, 0, True
        elif kind & _LETTER:
            if byte >= 97 and byte not in (101, 116, 120):
                return many, digit
            held += 1
            parts = 0
        elif kind & _PARTS or byte in (43, 58, 95):
            many, held = many + held, 0
            parts += 1
            if parts > 3:
                return many, digit
        else:
            return many + held, digit
        place += step
    return 256, True


@numba.njit(nogil=True)
def _at_beside(
    data: Any, classes: Any, begins: Any, ends: Any, count: int, one: int, step: int
) -> bool:  # fmt: skip
    """Return whether the @ of an address may stand on one side of a character, nothing but what addresses hold between."""
    other, place = one + step, begins[one] - 1 if step < 0 else ends[one]
    for _ in range(300):
        byte = data[place]
        if byte >= 0x80:
            if 0 <= other < count and (ends[other] - 1 if step < 0 else begins[other]) == place:
                place = begins[other] - 1 if step < 0 else ends[other]
                other += step
                continue
            return False
        if byte == 64:
            return True
        if not classes[byte] & _LOCAL:
            return False
        place += step
    return True


@numba.njit(nogil=True)
def _matters(
    data: Any, classes: Any, kinds: Any, begins: Any, ends: Any, count: int, one: int, code: int, coded: bool
) -> bool:  # fmt: skip
    """Return whether a character that hides, or stands for a space or hyphen, may make or break an identifier."""
    kind = kinds[code]
    left, right = data[begins[one] - 1], data[ends[one]]
    if not kind & _SPACE and (
        _at_beside(data, classes, begins, ends, count, one, 1)
        or _at_beside(data, classes, begins, ends, count, one, -1)
    ):
        return True
    # Beside something that is no ASCII, nor another trick, nothing is joined or parted.
    if not classes[left] & _SHOWN and not (one > 0 and ends[one - 1] == begins[one]):
        return False
    if not classes[right] & _SHOWN and not (one + 1 < count and begins[one + 1] == ends[one]):
        return False
    # Between two separators what stands for a third makes them too many.
    if kind & (_DASH | _SPACE) and classes[left] & _PARTS and classes[right] & _PARTS:
        return False
    if coded:
        return True
    if kind & _SPACE:
        # A space ends a number as anything else does that is no letter: it matters within one alone, of six or more.
        before, one_digit = _grouped(data, classes, begins, ends, count, one, -1)
        after, other_digit = _grouped(data, classes, begins, ends, count, one, 1)
        return before > 0 and after > 0 and before + after >= 6 and (one_digit or other_digit)
    hides = not kind & _DASH
    return (
        _number_beside(data, classes, begins, ends, count, one, -1, hides)
        + _number_beside(data, classes, begins, ends, count, one, 1, hides)
        >= 2
    )


@numba.njit(nogil=True)
def _code(data: Any, begin: int, end: int) -> int:
    """Return the code point of the character between two places."""
    code = int(data[begin]) & (0xFF >> (end - begin + 1))
    for place in range(begin + 1, end):
        code = code << 6 | (data[place] & 0x3F)
    return code


@compiled(
    types.boolean(
        types.int64,
        _array(types.uint8),
        _array(types.int64),
        _array(types.int64),
        _array(types.int64),
        types.boolean,
        _array(types.uint8),
        _array(types.uint8),
        _array(types.uint8),
        _array(types.int64),
        _array(types.uint64),
        _array(types.uint8),
        types.uint8[::1],
        types.uint8[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
    ),
    _STAMP,
)
def settle(expected: int, data: Any, starts: Any, number: Any, end: Any, context: bool, kinds: Any, classes: Any, asking: Any,
           index: Any, forms: Any, lengths: Any, said: Any, worded: Any, owner: Any, first: Any, last: Any) -> bool:  # fmt: skip
    """Fill in what is said of each spot, whether a word may stand before it, its text, and where what is confirmed begins and ends;
    long, because one pass keeps what was last seen in registers.
    """
    if expected != _STAMP:
        return False
    spots = len(number)
    begins, ends = np.empty(spots, dtype=np.int64), np.empty(spots, dtype=np.int64)
    whose, coded = np.empty(spots, dtype=np.int64), np.zeros(spots, dtype=np.uint8)
    many, text, word, trick, account = 0, 0, -_FAR - 1, -_FAR - 1, -_FAR - 1
    for one in range(spots):
        kind, stop = number[one], end[one]
        while text + 1 < len(starts) and starts[text + 1] <= stop - 1:
            text += 1
        owner[one] = text
        said[one] = PASSED
        if kind == _WORD:
            word = stop
        elif kind <= _BRACKET:
            ends[many] = stop
            begins[many] = stop - (2 if data[stop - 2] >= 0xC0 else 3 if data[stop - 3] >= 0xC0 else 4)
            whose[many] = one
            coded[many] = stop - account <= 96
            many += 1
            if kind == _TRICK:
                trick = stop
            elif kind == _NATIVE:
                said[one] = TRICKY
        elif kind == _NUMBERED:
            said[one] = TRICKY
        else:
            near = context or stop - word <= _NEAR or stop - trick <= _FAR
            worded[one] = near
            begin = starts[text]
            if not near and not asking[kind]:
                continue
            said[one] = READ
            if kind == _GROUP:
                low = stop - 1
                while low > begin and low > stop - 48 and classes[data[low - 1]] & (_DIGIT | _LETTER):
                    low -= 1
                high = stop - 1
                while high < stop + 24 and high < len(data) and classes[data[high]] & (_DIGIT | _LETTER):
                    high += 1
                if not _group(data, classes, index, forms, begin, low, high, near):
                    said[one] = PASSED
            elif kind == _AT:
                first[one], last[one] = _mail(data, classes, begin, stop - 2)
                said[one] = MAIL if first[one] < last[one] else PASSED
            elif kind == _V4:
                said[one], first[one], last[one] = _address(data, classes, begin, stop, context)
            elif kind == _PAIR:
                low = stop
                while low > begin and low > stop - 48 and classes[data[low - 1]] & _HEX:
                    low -= 1
                colons = 0
                for place in range(low, min(stop + 16, len(data))):
                    if not classes[data[place]] & _HEX:
                        break
                    colons += data[place] == 58
                before = data[low - 1]
                if colons < 2 or (low > begin and (classes[before] & (_DIGIT | _LETTER) or before == 46)):
                    said[one] = PASSED
            elif kind == _IBAN:
                known, holds = _iban(data, classes, lengths, stop - 4)
                if known:
                    account = stop
                if not holds:
                    said[one] = PASSED
    for one in range(many):
        spot = whose[one]
        if number[spot] == _TRICK:
            code = _code(data, begins[one], ends[one])
            if _matters(data, classes, kinds, begins, ends, many, one, code, coded[one] != 0):
                said[spot] = TRICKY
    return True
