"""Where in a mass of bytes to look for identifiers: every pattern at once, in one pass that knows no languages.

A *spot* is the end of something that one of the readers should look at. Spots are more than there are identifiers, never fewer.
All patterns see bytes, so a border stands between a Chinese character and a digit; all are bounded, none can run away.
"""

from __future__ import annotations

import queue
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tongqiu.scan import readers
from tongqiu.scan.identifiers import SCHEMES
from tongqiu.scan.layouts import Ends, caught, layouts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRICK, NATIVE, BRACKET, NUMBERED, WORD, GROUP, AT = range(7)
"""Numbers of the patterns that are none of one identifier: characters that hide, or stand for a space or hyphen; those that stand
for others; full-width brackets, and where one may belong to a number; context words; groups of letters and digits; and the @ of
addresses.
"""

V4, PAIR, IBAN = 7, 9, 14
"""Numbers of patterns that the compiled part knows: addresses of version 4, a pair of numbers of version 6, IBANs."""

MARKS: Final = (TRICK, NATIVE, BRACKET, AT)
"""Patterns that the compiled part finds faster, one character or three each."""

NEAR: Final = 4 * (readers.REACH + 1) + 64
"""Bytes before a number within which its word ends, no hidden character between."""

FAR: Final = 512
"""Bytes before a number in which a hidden character may have pushed its word further away."""

Reader = Callable[[readers.Seen, int], "Any"]


class Pattern(NamedTuple):
    """One pattern over bytes, and what to do at a spot of it.

    ``back`` bytes before the end it began, or (-1) the reader steps back over ``over``. ``ends`` are the schemes of a shape, ``read`` the
    reader of anything else. ``length`` is that of a shape.
    """

    regex: str
    back: int
    read: Reader | None = None
    ends: Ends = []  # noqa: RUF012 - never changed
    length: int = 0
    over: bytes = b""


BRACKETS: Final = (0xFF08, 0xFF09)

_EDGE = "[^0-9A-Za-z]"
_HEX = b"0123456789abcdefABCDEF:"


def _one_of(codes: list[int]) -> str:
    """Return a pattern over UTF-8 bytes for any of these characters."""
    return "(?:" + "|".join(_bytes(chr(code)) for code in sorted(codes)) + ")"


def _bytes(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


@cache
def _lowered() -> dict[str, list[str]]:
    """Return, for each character, all that become it in lower case."""
    out: dict[str, list[str]] = {}
    for code in range(0x1E944):
        char = chr(code)
        low = char.lower() if not 0xD800 <= code < 0xE000 else char  # noqa: PLR2004 - surrogates
        if len(low) == 1 and low != char:
            out.setdefault(low, []).append(char)
    return out


def _word(word: str) -> str:
    """Return a pattern over bytes for a context word in any case; whole words in ASCII."""
    out = []
    for char in word:
        choices = [char, *_lowered().get(char, ())]
        out.append(_bytes(char) if len(choices) == 1 else "(?:" + "|".join(map(_bytes, choices)) + ")")
    return f"(?:[^A-Za-z]|\\\\[nrt]){''.join(out)}[^A-Za-z]" if word.isascii() else "".join(out)


def _special() -> list[Pattern]:
    return [
        Pattern(rf"[{re.escape(readers.LOCAL)}]@[A-Za-z0-9]", 2, readers.email_at),
        Pattern(
            r"[^0-9A-Za-z.:][0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", -1, readers.address_at, over=b"0123456789."
        ),
        Pattern(r"[^0-9A-Za-z.:][23][0-9A-Fa-f]{3}:[0-9A-Fa-f]{0,4}:", -1, readers.address_at, over=_HEX),
        Pattern(r"[0-9A-Fa-f]{3}:[0-9A-Fa-f]{3}", -1, readers.address_at, over=_HEX),
        Pattern(r"\([0-9]{1,4}\) ?[0-9]{2}", -1, readers.bracketed_at, over=b"0123456789) "),
        Pattern(
            r"(?:[^0-9A-Za-z+]|\\[nrt])\+[1-9](?:[ .\-/()]{0,2}[0-9]){6}", -1, readers.plus_at, over=b"0123456789 .-/()"
        ),
        Pattern(rf"{_EDGE}[2-9][0-9]{{2}}[-. )][2-9][0-9]{{2}}[-. ][0-9]{{4}}", 12, readers.american_at),
        Pattern(rf"{_EDGE}[2-9][0-9]{{2}}\) [2-9][0-9]{{2}}[-. ][0-9]{{4}}", 13, readers.american_at),
        Pattern(rf"{_EDGE}[A-Za-z]{{2}}[0-9]{{2}}", 4, readers.iban_at),
        Pattern(rf"{_EDGE}[A-Z][0-9]{{6}}\([0-9A]\)", 10, readers.hong_kong_at),
        Pattern(rf"{_EDGE}[A-Z]{{2}}[0-9]{{6}}\([0-9A]\)", 11, readers.hong_kong_at),
        Pattern(rf"[A-Za-z][0-9]{{17}}[0-9Xx]{_EDGE}", 19, readers.glued_at),
    ]


def _shapes() -> list[Pattern]:
    """Return one pattern for each way of writing, with all schemes that are so written."""
    together: dict[str, tuple[int, Ends]] = {}
    for scheme in SCHEMES:
        for layout, needs_word in layouts(scheme):
            if caught(layout):
                continue
            _, ends = together.setdefault(layout.pattern, (layout.length, []))
            if (scheme, needs_word) not in ends:
                ends.append((scheme, needs_word))
    return [
        Pattern(f"{_EDGE}{body}{_EDGE}", length + 1, None, ends, length) for body, (length, ends) in together.items()
    ]


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return every pattern; its place is its number. The first six are none of one identifier."""
    table = readers.tricks().table
    undone = [code for code in table if code not in {*readers.DASHES, *readers.SPACES}]
    # Full-width brackets stand in most Chinese text; they matter within a telephone number or identity card alone.
    native = [code for code in undone if code not in BRACKETS]
    hiding = [ord(char) for char in readers.HIDDEN] + [*readers.DASHES, *readers.SPACES]
    numbered = r"[0-9]\xef\xbc\x89[ ]?[0-9]{2}|[0-9]{3}\xef\xbc\x89[ ]?[2-9]|[0-9]{6}\xef\xbc\x88|\+[1-9][0-9 .\-/()]{0,20}\xef\xbc[\x88\x89]"
    return (
        Pattern(_one_of(hiding), 0),
        Pattern(_one_of(native), 0),
        Pattern(_one_of(list(BRACKETS)), 0),
        Pattern(numbered, 0),
        Pattern("|".join(sorted({_word(word) for word in words()})), 0),
        Pattern(f"[0-9]{{5}}[0-9Xx]{_EDGE}|[A-Z][0-9]{{2}}|[0-9]{{5}}[A-Z]", 0),
        *_special(),
        *_shapes(),
    )


def words() -> set[str]:
    """Return every word that may stand beside an identifier."""
    return {word for scheme in SCHEMES for word in scheme.words if not word.endswith("=")}


@cache
def groups() -> dict[int, Ends]:
    """Return, by length, the schemes that a single group of letters and digits may be."""
    out: dict[int, Ends] = {}
    for scheme in SCHEMES:
        for layout, needs_word in layouts(scheme):
            if caught(layout) and (scheme, needs_word) not in out.setdefault(layout.length, []):
                out[layout.length].append((scheme, needs_word))
    return out


class Spots(NamedTuple):
    """Where to look: the number of the pattern (int64) and the end in the buffer (int64), ordered by end."""

    pattern: NDArray[np.int64]
    end: NDArray[np.int64]


BITS: Final = 12
"""Bits below the end of a match in which its pattern stands."""


class Hyperscan:
    """All patterns in one automaton, but for those that machine code finds where it is used. Scratch memory is lent to one scan at
    a time, whatever thread it runs in.
    """

    name = "hyperscan"

    def __init__(self, marks: Callable[[bytes], NDArray[np.int64]] | None = None) -> None:
        """Compile the patterns, but for those of :data:`MARKS` where ``marks`` finds their spots (in one number each, ends above)."""
        import hyperscan

        expressions: list[bytes] = []
        ids: list[int] = []
        self._marks = marks
        for number, pattern in enumerate(patterns()):
            if marks is not None and number in MARKS:
                continue
            # One long alternative of words is beyond the library's limit; many short ones are no slower.
            for written in sorted(map(_word, words())) if number == WORD else [pattern.regex]:
                expressions.append(written.encode("latin-1"))
                ids.append(number)
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = [hyperscan.HS_FLAG_DOTALL] * len(ids)
        database.compile(expressions=expressions, ids=ids, elements=len(ids), flags=flags)
        self._database = database
        self._new: Callable[[], Any] = lambda: hyperscan.Scratch(database)
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def spots(self, buffer: bytes) -> Spots:
        """Return where to look in ``buffer``."""
        import numpy as np

        try:
            scratch = self._free.get_nowait()
        except queue.Empty:
            scratch = self._new()
        seen: list[int] = []
        add = seen.append

        def met(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            add(end << BITS | number)

        try:
            self._database.scan(buffer, match_event_handler=met, scratch=scratch)
        finally:
            self._free.put(scratch)
        both = np.array(seen, dtype=np.int64)
        if self._marks is not None:
            both = np.concatenate((both, self._marks(buffer)))
        both.sort()
        return Spots(both & ((1 << BITS) - 1), both >> BITS)


@cache
def asking() -> NDArray[np.bool_]:
    """Return, by number of pattern, whether it is read whatever stands beside it."""
    import numpy as np

    return np.array(
        [
            number >= GROUP and (bool(pattern.read) or number == GROUP or any(not needs for _, needs in pattern.ends))
            for number, pattern in enumerate(patterns())
        ]
    )


@cache
def sieve() -> Any:  # noqa: ANN401 - google-re2 is published without types
    """Return google-re2's one pattern for a text that may hold anything: coarse, and quick to say no."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    wide = _one_of([code for code in readers.tricks().table if code not in {*readers.DASHES, *readers.SPACES}])
    between = r"[ \-./():]{0,2}"
    number = f"[0-9]{between}[0-9A-Za-z\\x80-\\xff]"
    return re2.compile(f"@|{number}|{wide}".encode("latin-1"), options)
