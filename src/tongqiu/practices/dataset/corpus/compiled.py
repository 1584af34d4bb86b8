"""The compiled pass over the bytes of texts: what `counting` describes, in machine code made once for this processor.

Import this only where numba is installed.
"""

# Types of arrays are given to numba below; the reader's checks of types stop at its door.
# ruff: noqa: ANN401 - as said
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one loop over bytes with its state in registers is what makes it fast
# ruff: noqa: PLR1714, PLR1730, SIM109 - sets and calls cost more than comparisons here
# ruff: noqa: PLR2004 - the bytes of UTF-8 are read more easily where they are used than under names

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types

from tongqiu.practices.dataset.corpus import characters as c
from tongqiu.practices.dataset.corpus.shapes import BANDS, ROWS, SLOTS
from tongqiu.scan.machine import compiled, stamp

_U = np.uint64
CHARACTER = _U(0x9E3779B97F4A7C15)
WORD = _U(0xD6E8FEB86659FD93)
SEQUENCE = _U(0xC2B2AE3D27D4EB4F)
LAST = _U(pow(0xC2B2AE3D27D4EB4F, 5, 1 << 64))
LINE = _U(0xA0761D6478BD642F)
FIRST_MIX = _U(0xFF51AFD7ED558CCD)
SECOND_MIX = _U(0xC4CEB9FE1A85EC53)
ROUND = _U(0xE7037ED1A0B428DB)
WWW = _U((((ord("w") + 1) * 0x9E3779B97F4A7C15 + ord("w") + 1) * 0x9E3779B97F4A7C15 + ord("w") + 1) & ((1 << 64) - 1))
_ONE, _ZERO = _U(1), _U(0)
_FULL = _U((1 << 64) - 1)
_S29, _S32, _S33, _S57 = _U(29), _U(32), _U(33), _U(57)
_VALUE = _U((1 << 57) - 1)
_LOW = _U(255)
_SLOTS, _BANDS, _ROWS = SLOTS, BANDS, ROWS
_SCRIPTS = len(c.COUNTED)
_LATN = c.COUNTED.index("Latn")
_HANS, _HANT = _SCRIPTS - 2, _SCRIPTS - 1
_SORT, _SCRIPT_AT = c.SORT, c.SCRIPT_AT
_LOWER, _UPPER, _SINGLE, _MARK, _DIGIT, _SPACE, _NEWLINE = (
    c.LOWER,
    c.UPPER,
    c.SINGLE,
    c.MARK,
    c.DIGIT,
    c.SPACE,
    c.NEWLINE,
)
_PUNCTUATION, _SYMBOL, _CONTROL, _HIDDEN, _TURNED, _BROKEN = (
    c.PUNCTUATION,
    c.SYMBOL,
    c.CONTROL,
    c.HIDDEN,
    c.TURNED,
    c.BROKEN,
)
_STOP, _FULL_STOP, _CLOSER, _LESS, _MORE, _COLON, _DOT, _RETURN = (
    c.STOP, c.FULL_STOP, c.CLOSER, c.LESS, c.MORE, c.COLON, c.DOT, c.RETURN,
)  # fmt: skip
_SORTS = 32
_KEPT = 4096
_MOST = 2**31 - 1


@numba.njit(inline="always")
def _mix(value: Any) -> Any:
    value ^= value >> _S33
    value *= FIRST_MIX
    value ^= value >> _S29
    value *= SECOND_MIX
    value ^= value >> _S32
    return value


@numba.njit(inline="always")
def _end(value: Any) -> Any:
    value *= WORD
    return value ^ (value >> _S32)


@numba.njit(nogil=True)
def _decode(data: Any, at: int, end: int) -> Any:
    """Return the code point at ``at`` and where the next begins; U+FFFD for a longest part of a character that is not whole."""
    lead = np.int64(data[at])
    low, high = 0x80, 0xBF
    if lead < 0xC2 or lead > 0xF4:
        return 0xFFFD, at + 1
    if lead < 0xE0:
        more, code = 1, lead & 0x1F
    elif lead < 0xF0:
        more, code = 2, lead & 0x0F
        if lead == 0xE0:
            low = 0xA0
        elif lead == 0xED:
            high = 0x9F
    else:
        more, code = 3, lead & 0x07
        if lead == 0xF0:
            low = 0x90
        elif lead == 0xF4:
            high = 0x8F
    at += 1
    for _ in range(more):
        if at >= end:
            return 0xFFFD, at
        byte = np.int64(data[at])
        if byte < low or byte > high:
            return 0xFFFD, at
        code = (code << 6) | (byte & 0x3F)
        low, high = 0x80, 0xBF
        at += 1
    return code, at


@numba.njit(nogil=True)
def _new(table: Any, mask: Any, value: Any) -> bool:
    """Put ``value`` into an open table, and return whether it was not there."""
    if value == _ZERO:
        value = _ONE
    place = value & mask
    while True:
        there = table[place]
        if there == _ZERO:
            table[place] = value
            return True
        if there == value:
            return False
        place = (place + _ONE) & mask


@numba.njit(nogil=True)
def _read(data: Any, start: int, end: int, sorts: Any, folds: Any, words: Any, lines: Any, lengths: Any,
          met: Any, scripts: Any, out: Any) -> None:  # fmt: skip
    """Read one text: word hashes into ``words``, hashes and lengths of lines that have words into ``lines``, counts into the rest.

    ``out``: words, lines kept, newlines, longest line, sentences, links, tags, and whether the text ends in a new line.
    """
    at = start
    spoken, kept, characters, returns = 0, 0, 0, 0
    value, line = _ZERO, _ZERO
    in_word, single = False, False
    line_at, line_words, newlines, longest = 0, 0, 0, 0
    sentences, pending, since = 0, 0, 0
    links, after_scheme, word_at = 0, -1, -2
    tags, in_tag = 0, False
    sort: Any = 0
    code: Any
    while at < end:
        byte = data[at]
        here = at
        if byte < 0x80:
            code = np.int64(byte)
            at += 1
        else:
            code, at = _decode(data, at, end)
        entry = np.int64(sorts[code])
        sort = entry & _SORT
        met[sort] += 1
        characters += 1
        if 1 <= sort <= _DIGIT:
            if pending:
                if pending == 2 and since:
                    sentences += 1
                    since = 0
                pending = 0
            if sort != _DIGIT:
                scripts[(entry >> _SCRIPT_AT) & 63] += 1
                since = 1
            if sort == _SINGLE:
                if in_word:
                    value = _end(value)
                    words[spoken] = value
                    spoken += 1
                    line = line * LINE + value
                value = _ZERO
                scripts[_HANS] += (entry >> 14) & 1
                scripts[_HANT] += entry >> 15
                word_at = here
                in_word, single = True, True
            elif not in_word or (single and sort != _MARK):
                if in_word:
                    value = _end(value)
                    words[spoken] = value
                    spoken += 1
                    line = line * LINE + value
                value = _ZERO
                word_at = here
                in_word, single = True, False
            if code < 0x10000:
                code = np.int64(folds[code])
            value = value * CHARACTER + _U(code + 1)
            if single or byte >= 0x80:
                continue
            # The rest of a word in ASCII, its counts in registers.
            first, capitals, digits = at, 0, 0
            while at < end:
                byte = data[at]
                if byte >= 0x80:
                    break
                sort = np.int64(sorts[byte]) & _SORT
                if sort != _LOWER and sort != _UPPER and sort != _DIGIT:
                    break
                capitals += 1 if sort == _UPPER else 0
                digits += 1 if sort == _DIGIT else 0
                value = value * CHARACTER + _U(folds[byte]) + _ONE
                at += 1
            long = at - first
            characters += long
            met[_LOWER] += long - capitals - digits
            met[_UPPER] += capitals
            met[_DIGIT] += digits
            scripts[_LATN] += long - digits
            if long > digits:
                since = 1
            sort = _LOWER
            continue
        if sort == _HIDDEN or sort == _TURNED:
            continue
        if in_word:
            if sort == _COLON:
                if at + 1 < end and data[at] == 0x2F and data[at + 1] == 0x2F:
                    links += 1
                    after_scheme = at + 2
            elif sort == _DOT and value == WWW and word_at != after_scheme:
                links += 1
            value = _end(value)
            words[spoken] = value
            spoken += 1
            line = line * LINE + value
            in_word, single = False, False
        if sort == _STOP or sort == _DOT:
            if pending == 0:
                pending = 1
        elif sort == _FULL_STOP:
            pending = 2
        elif pending and sort != _CLOSER:
            if since and (pending == 2 or sort == _SPACE or sort == _NEWLINE or sort == _RETURN):
                sentences += 1
                since = 0
            pending = 0
        if sort == _NEWLINE:
            length = characters - returns - line_at - 1
            line_at = characters - returns
            if length > longest:
                longest = length
            if spoken > line_words:
                lines[kept] = line
                lengths[kept] = length
                kept += 1
            line = _ZERO
            line_words = spoken
            newlines += 1
        elif sort == _RETURN:
            returns += 1
        elif sort == _LESS:
            in_tag = False
            if at < end:
                following = data[at]
                in_tag = following == 0x2F or following == 0x21 or 0x61 <= (following | 0x20) <= 0x7A
        elif sort == _MORE:
            if in_tag:
                tags += 1
            in_tag = False
    if in_word:
        value = _end(value)
        words[spoken] = value
        spoken += 1
        line = line * LINE + value
    length = characters - returns - line_at
    if length > longest:
        longest = length
    if spoken > line_words:
        lines[kept] = line
        lengths[kept] = length
        kept += 1
    if since:
        sentences += 1
    out[0], out[1], out[2], out[3], out[4] = spoken, kept, newlines, longest, sentences
    out[5], out[6], out[7] = links, tags, 1 if sort == _NEWLINE else 0


@numba.njit(nogil=True)
def _sequences(words: Any, spoken: int, table: Any, mask: Any, slots: Any, kept: Any) -> tuple[int, int]:
    """Return how many five-word sequences differ and how many words repeat, and fill the slots with the least of each."""
    different, repeated, covered = 0, 0, -1
    slots[:] = _FULL
    value = ((words[0] * SEQUENCE + words[1]) * SEQUENCE + words[2]) * SEQUENCE + words[3]
    before = _ZERO
    for at in range(4, spoken):
        value = value * SEQUENCE + words[at] - before * LAST
        before = words[at - 4]
        mixed = _mix(value)
        if _new(table, mask, mixed):
            if different < _KEPT:
                kept[different] = mixed
            different += 1
            slot = mixed >> _S57
            least = mixed & _VALUE
            slots[slot] = min(least, slots[slot])
        else:
            repeated += min(5, at - covered)
            covered = at
    return different, repeated


@numba.njit(nogil=True)
def _fill(slots: Any, kept: Any, many: int, fresh: Any) -> None:
    """Fill slots that no sequence fell into, by hashing the sequences again, round by round (Dahlgaard et al. 2017)."""
    empty = 0
    for slot in range(_SLOTS):
        if slots[slot] == _FULL:
            empty += 1
    turn = 1
    while empty and turn < _SLOTS:
        fresh[:] = _FULL
        salt = _U(turn) * ROUND
        for one in range(many):
            mixed = _mix(kept[one] + salt)
            slot = mixed >> _S57
            least = mixed & _VALUE
            fresh[slot] = min(least, fresh[slot])
        for slot in range(_SLOTS):
            if slots[slot] == _FULL and fresh[slot] != _FULL:
                slots[slot] = fresh[slot]
                empty -= 1
        turn += 1
    if empty:
        for slot in range(_SLOTS):
            if slots[slot] == _FULL:
                salt = _U(_SLOTS + slot) * ROUND
                least = _VALUE
                for one in range(many):
                    least = min(least, _mix(kept[one] + salt) & _VALUE)
                slots[slot] = least


_READABLE = types.Array(types.uint8, 1, "C", readonly=True)
_STAMP = stamp(globals())
_SIGNATURE = types.boolean(
    types.int64,
    _READABLE,
    types.Array(types.int64, 1, "C", readonly=True),
    types.int64,
    types.Array(types.uint16, 1, "C", readonly=True),
    types.Array(types.uint16, 1, "C", readonly=True),
    types.int32[:, ::1],
    types.int32[:, ::1],
    types.uint64[:, ::1],
    types.uint8[:, ::1],
    types.int32[::1],
)


@compiled(_SIGNATURE, _STAMP)
def run(expected: int, data: Any, offsets: Any, looked: int, sorts: Any, folds: Any, stats: Any, scripts: Any, bands: Any, sketch: Any,
        shingles: Any) -> bool:  # fmt: skip
    """Count every text, in one long function that is compiled whole. Every array must be as :func:`counting.count` makes it; offsets must rise within ``data``."""
    if expected != _STAMP:
        return False
    texts = len(offsets) - 1
    longest = 0
    for text in range(texts):
        longest = max(longest, min(offsets[text + 1] - offsets[text], looked))
    room = longest // 2 + 8
    words = np.empty(room, dtype=np.uint64)
    lines = np.empty(room, dtype=np.uint64)
    lengths = np.empty(room, dtype=np.int64)
    size = 64
    table = np.zeros(size, dtype=np.uint64)
    kept = np.empty(_KEPT, dtype=np.uint64)
    slots = np.empty(_SLOTS, dtype=np.uint64)
    fresh = np.empty(_SLOTS, dtype=np.uint64)
    met = np.zeros(_SORTS, dtype=np.int64)
    heard = np.zeros(_SCRIPTS, dtype=np.int64)
    out = np.zeros(8, dtype=np.int64)
    for text in range(texts):
        start, end = offsets[text], offsets[text + 1]
        stats[text, 0] = min(end - start, _MOST)
        if end - start > looked:
            end = start + looked
            while end > start and (data[end] & 0xC0) == 0x80 and start + looked - end < 3:
                end -= 1
        met[:] = 0
        heard[:] = 0
        _read(data, start, end, sorts, folds, words, lines, lengths, met, heard, out)
        spoken, many = out[0], out[1]
        wanted = 64
        while wanted < 2 * (spoken + many):
            wanted *= 2
        if wanted > size:
            size = wanted
            table = np.zeros(size, dtype=np.uint64)
        else:
            table[:wanted] = _ZERO
        mask = _U(wanted - 1)
        different, repeated, again = 0, 0, 0
        if spoken > 4:
            different, repeated = _sequences(words, spoken, table, mask, slots, kept)
            _fill(slots, kept, min(different, _KEPT), fresh)
            for slot in range(_SLOTS):
                sketch[text, slot] = slots[slot] & _LOW
            for band in range(_BANDS):
                value = _U(band + 1)
                for row in range(_ROWS):
                    value = _mix(value * SEQUENCE + slots[band * _ROWS + row])
                bands[text, band] = value
        if many > 1:
            for line in range(many):
                if not _new(table, mask, _mix(lines[line] + ROUND)):
                    again += lengths[line]
        shingles[text] = different
        for script in range(_SCRIPTS):
            scripts[text, script] = heard[script]
        characters = 0
        for sort in range(_SORTS):
            characters += met[sort]
        stats[text, 1] = characters
        stats[text, 2] = spoken
        stats[text, 3] = out[2] + (1 if end > start and not out[7] else 0)
        stats[text, 4] = out[4]
        stats[text, 5] = met[1] + met[_UPPER] + met[_SINGLE] + met[_MARK]
        stats[text, 6] = met[_DIGIT]
        stats[text, 7] = met[_SPACE] + met[_NEWLINE] + met[_RETURN]
        stats[text, 8] = met[_PUNCTUATION] + met[_STOP] + met[_FULL_STOP] + met[_CLOSER] + met[_COLON] + met[_DOT]
        stats[text, 9] = met[_SYMBOL] + met[_LESS] + met[_MORE]
        stats[text, 10] = met[_UPPER]
        stats[text, 11] = out[3]
        stats[text, 12] = again
        stats[text, 13] = repeated
        stats[text, 14] = out[5]
        stats[text, 15] = out[6]
        stats[text, 16] = met[_CONTROL]
        stats[text, 17] = met[_BROKEN]
        stats[text, 18] = met[_HIDDEN]
        stats[text, 19] = met[_TURNED]
    return True
