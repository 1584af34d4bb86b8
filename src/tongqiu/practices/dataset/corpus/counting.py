"""Counting what stands in texts, and a signature by which near copies of one another are found: one pass over the bytes.

**Reading.** Bytes that are not UTF-8 count as U+FFFD, one for each longest part of a character that is not whole (Unicode 15,
section 3.9, as Python's ``errors="replace"``). Of a text longer than :data:`LOOKED` bytes only its beginning is read; ``bytes`` is the whole length.

**Words** are runs of letters, marks and digits; each letter of Han, Kana, Thai, Lao, Khmer and Myanmar, with the marks on it, is a
word by itself. For comparing, letters are put in lower case one by one (``str.lower``), full-width letters and digits are made
narrow, and characters that have no width or turn the direction are passed over; accents stay, and composed and decomposed forms differ.

**Lines** are compared by their words; lines without words repeat nothing. **Sentences** end at a mark (``. ! ? …`` and their kin where a
space or the end follows, ``。！？`` anywhere) after at least one letter, and the rest of a text that has a letter is one more. **Links** are ``://`` right
after a word, and ``www.``; **tags** are ``<`` with a letter, ``/`` or ``!`` after it, up to the next ``>``.

**Signature.** Five-word sequences, each once, fall by the upper seven bits of their hash into one of 128 slots, and each slot
keeps the least of the rest (one-permutation MinHash, Li, Owen and Zhang 2012). Slots that stay empty are filled by hashing the sequences again, round by round
(fast similarity sketching, Dahlgaard, Knudsen and Thorup 2017, algorithm 1), which leaves the estimate of the Jaccard likeness without bias.
"""

from __future__ import annotations

from typing import Final

from tongqiu.practices.dataset.corpus import characters
from tongqiu.practices.dataset.corpus.shapes import BANDS, LOOKED, SLOTS, STATS, Counts, Strings
from tongqiu.scan.machine import COMPILING, can_compile

METHOD: Final = f"dataset.counting@1 (Unicode {characters.UNICODE})"
"""Name and version of the method, for evidence."""


def count(strings: Strings, *, compiled: bool | None = None) -> Counts:
    """Return what is counted of each text. ``compiled`` chooses machine code or Python (None: machine code where numba is).

    :raises ValueError: the offsets do not rise within the data.
    """
    import numpy as np

    data, offsets = sound(strings)
    texts = len(offsets) - 1
    counts = Counts(
        np.zeros((texts, len(STATS)), np.int32),
        np.zeros((texts, BANDS), np.uint64),
        np.zeros((texts, SLOTS), np.uint8),
        np.zeros(texts, np.int32),
        np.zeros((texts, len(characters.COUNTED)), np.int32),
    )
    use = can_compile() if compiled is None else compiled
    if use:
        sorts, folds = characters.tables()
        with COMPILING:
            from tongqiu.practices.dataset.corpus import compiled as machine
        machine.run(
            data,
            offsets,
            LOOKED,
            sorts,
            folds,
            counts.stats,
            counts.scripts,
            counts.bands,
            counts.sketch,
            counts.shingles,
        )
    else:
        from tongqiu.practices.dataset.corpus import interpreted

        for text in range(texts):
            interpreted.run(data[offsets[text] : offsets[text + 1]], LOOKED, counts, text)
    return counts


def sound(strings: Strings) -> Strings:
    """Return ``strings`` as arrays in one piece, once it is sure that no text lies outside the data."""
    import numpy as np

    data = np.ascontiguousarray(strings.data, dtype=np.uint8)
    offsets = np.ascontiguousarray(strings.offsets, dtype=np.int64)
    if not len(offsets) or offsets[0] < 0 or offsets[-1] > len(data) or bool((offsets[1:] < offsets[:-1]).any()):
        raise ValueError("the offsets of texts must rise within their data")
    return Strings(data, offsets)
