"""What an identifier of a person looks like where it stands: one reader for each way of writing, shared by every engine.

An engine only says *where* to look; whether there is an identifier is decided here, so that the slow and plain engine and the
fast one cannot differ. Every pattern has a bounded length, so none can be made to run away.
"""

from __future__ import annotations

import bisect
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from tongqiu.scan import checks
from tongqiu.scan.identifiers import CODE_COUNTRY, COUNTRY_CODES, SCHEMES, Scheme
from tongqiu.scan.layouts import LETTERED, ROOT, Ends, among_codes, formed

Ground = Literal["checked", "context", "form"]
"""Why something counts: check digits hold; a context word stands beside it; its form alone is telling."""

GROUNDS: tuple[Ground, ...] = ("checked", "context", "form")
"""The grounds in the order in which columns of numbers tell them."""

READ: tuple[Scheme, ...] = (
    Scheme("e-mail", "e-mail", "", (), str.isprintable, checked=False),
    Scheme(
        "ip-address",
        "ip-address",
        "",
        (),
        str.isprintable,
        ("ip", "address", "addr", "client ip", "地址"),
        checked=False,
    ),
    Scheme("e164", "phone", "", (), str.isdigit, checked=False),
    Scheme("iban", "bank-account", "", (), checks.iban),
)
"""Schemes that have readers of their own here, because no list of shapes tells them."""

REACH = 48
"""How many characters before a number a context word may begin."""


class Found(NamedTuple):
    """An identifier in plain text: its scheme, where it stands, why it counts, and how sure that is (0: surest)."""

    scheme: str
    sort: str
    country: str
    start: int
    end: int
    ground: Ground
    rank: int


class Seen:
    """A text made plain, and the words that may stand beside a number in it."""

    def __init__(self, plain: str, context: str = "") -> None:
        """Take a plain text and what it stands under."""
        self.plain = plain
        self._lower = ""
        self.column = split_words(context).lower().strip() if context else ""

    def before(self, start: int, count: int) -> str:
        """Return up to ``count`` characters before ``start``, in lower case."""
        if not self._lower:
            self._lower = folded(self.plain)
        return self._lower[max(0, start - count) : start]

    def named(self, scheme: Scheme) -> bool:
        """Return whether what the text stands under (its column) names the scheme."""
        return bool(self.column) and scheme.code in _named_by(self.column)

    def beside(self, scheme: Scheme, start: int) -> bool:
        """Return whether a word of the scheme stands in the 48 characters before, or names the column."""
        if not scheme.words:
            return False
        if self.named(scheme):
            return True
        tail = self.before(start, REACH + 1)
        return _holds(words_of(scheme), tail, 1 if len(tail) > REACH else 0)


def folded(text: str) -> str:
    """Return the text in lower case, character for character (a letter that would become two stays)."""
    lower = text.lower()
    return (
        lower if len(lower) == len(text) else "".join(low if len(low := char.lower()) == 1 else char for char in text)
    )


def split_words(name: str) -> str:
    """Return a column name with camelCase and underscores as separate words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name[:200])


class Words(NamedTuple):
    """The context words of a scheme: any may stand beside it, a whole word if it is in ASCII; ``own`` are those that name a column."""

    any: tuple[str, ...]
    own: frozenset[str]


def words_of(scheme: Scheme) -> Words:
    """Return the context words of ``scheme``."""
    known = _WORDS.get(id(scheme))
    if known is None or known[0] is not scheme:
        # Kept with the scheme itself, so that its number stays its own; a row of words takes long to hash.
        known = _WORDS[id(scheme)] = (scheme, _words_of(scheme))
    return known[1]


_WORDS: dict[int, tuple[Scheme, Words]] = {}


def _words_of(scheme: Scheme) -> Words:
    common = tuple(word for word in scheme.words if not word.endswith("="))
    own = frozenset(word.removesuffix("=") for word in scheme.words)
    return Words(common, own)


def _whole(word: str, text: str, place: int) -> bool:
    """Return whether ``word`` stands in ``text`` at ``place`` or later, a whole word if it is in ASCII."""
    at = text.find(word, place)
    if not word.isascii():
        return at >= 0
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(word) : at + len(word) + 1]
        # A line end written as an escape is a border too.
        opens = not "a" <= before <= "z" or (at > 1 and before in "nrt" and text[at - 2] == "\\")
        if opens and not "a" <= after <= "z":
            return True
        at = text.find(word, at + 1)
    return False


def _holds(words: Words, text: str, place: int) -> bool:
    """Return whether one of the words stands whole in ``text``, at ``place`` or later."""
    return any(_whole(word, text, place) for word in words.any)


@lru_cache(maxsize=256)
def _named_by(column: str) -> frozenset[str]:
    """Return the codes of the schemes that a column of this name holds."""
    known = ((scheme, words_of(scheme)) for scheme in (*SCHEMES, *READ))
    return frozenset(scheme.code for scheme, words in known if column in words.own or _holds(words, column, 0))


# --- plain text ---------------------------------------------------------------------------------------------------------

HIDDEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
"""Characters that are not seen, so that a number with them in between reads as if they were not there."""

DASHES = (*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63)
SPACES = (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)


class _Tricks(NamedTuple):
    search: Callable[[str], object | None]
    table: dict[int, str]


@cache
def tricks() -> _Tricks:
    """Return what finds a character that stands for an ASCII one (any decimal digit, full-width letters, any dash, any
    space), and what each stands for.
    """
    digits = (code for code in range(128, 0x20000) if chr(code).isdecimal())  # none lie above (Unicode 15)
    table = {code: str(unicodedata.decimal(chr(code))) for code in digits}
    wide = (code for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum() or chr(code - 0xFEE0) in "@.+-_/()")
    table.update({code: chr(code - 0xFEE0) for code in wide})
    table.update(dict.fromkeys(DASHES, "-"))
    table.update(dict.fromkeys(SPACES, " "))
    return _Tricks(re.compile("[" + "".join(map(chr, table)) + "]").search, table)


_HIDING = re.compile(f"[{HIDDEN}]").search


def plain_of(text: str) -> tuple[str, list[int]]:
    """Return the text with tricks undone, and for each of its characters the place in ``text`` (empty: the same)."""
    if text.isascii():
        return text, []
    known = tricks()
    same = text.translate(known.table) if known.search(text) is not None else text
    if _HIDING(same) is None:
        return same, []
    places = [index for index, char in enumerate(same) if char not in HIDDEN]
    return "".join(same[index] for index in places), places


def part(char: str) -> bool:
    """Return whether a character would belong to the same word as an ASCII digit."""
    return char.isascii() and char.isalnum()


# --- e-mail -------------------------------------------------------------------------------------------------------------

LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~.-"
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9-])").match
NOT_FIRST = "!#$%&'*+/=?^`{|}~.-"


def email_at(seen: Seen, at: int) -> tuple[Found, ...]:
    """Addresses of RFC 5321 with an ASCII local part and a domain name, around the @ at ``at``; no quoted local parts."""
    text = seen.plain
    domain = _DOMAIN(text, at + 1, at + 256)
    if domain is None or at == 0 or text[at - 1] == ".":
        return ()
    local = text[max(0, at - 64) : at]
    local = local[len(local.rstrip(LOCAL)) :].lstrip(NOT_FIRST)
    if not local:
        return ()
    return (Found("e-mail", "e-mail", "", at - len(local), domain.end(), "form", 1),)


# --- IP addresses -------------------------------------------------------------------------------------------------------

_V4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z]|[.:][0-9A-Za-z])")
_V6 = re.compile(r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}+(?![0-9A-Za-z]|[.:][0-9A-Za-z])")
_VERSION = re.compile(r"(?:version|release|ver|v|版本|版)[ :.=]{0,3}\Z")


def address_at(seen: Seen, start: int) -> Iterator[Found]:
    """IP addresses that can belong to someone: public ones; of version 6 those of global unicast (RFC 4291 section 2.4) and
    any written out in full; any other beside the word for it; no network such as 8.0.0.0/8, no version number.
    """
    text = seen.plain
    match = _V4.match(text, start) or _V6.match(text, start)
    if match is None or (start and (part(text[start - 1]) or text[start - 1] in ".:")):
        return
    if not _public(match[0]) and not (_address(match[0]) and seen.beside(READ[1], start)):
        return
    after = text[match.end() : match.end() + 2]
    network = after[:1] == "/" and after[1:].isascii() and after[1:].isdigit()
    if not network and _VERSION.search(seen.before(start, 12)) is None:
        yield Found("ip-address", "ip-address", "", start, match.end(), "form", 2)


# First numbers of version 4 under which some addresses are not public (IANA special-purpose registry), and 192.
_MIXED = frozenset({"0", "10", "100", "127", "169", "172", "192", "198", "203"})


def _public(text: str) -> bool:
    """Return whether an address as written is a public one."""
    first, _, rest = text.partition(".")
    if rest and first not in _MIXED:
        numbers = text.split(".")
        return int(first) < 224 and all(len(one) == len(str(int(one))) and int(one) < 256 for one in numbers)  # noqa: PLR2004 - multicast; a byte
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if rest:
        return address.is_global and not address.is_multicast
    # The first numbers 2000 to 3fff, four digits; others only with all eight numbers, as no clock or name is written.
    global_unicast = text[0] in "23" and text[4:5] == ":" and address.is_global
    return global_unicast or (text.count(":") == 7 and _LONG_PAIR(text) is not None and not address.is_private)  # noqa: PLR2004 - between eight


_LONG_PAIR = re.compile("[0-9A-Fa-f]{3}:[0-9A-Fa-f]{3}").search


def _address(text: str) -> bool:
    """Return whether this is an address of version 4 that machines have, public or not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == 4 and not (address.is_loopback or address.is_multicast or address.is_unspecified)  # noqa: PLR2004 - as stated


# --- telephone numbers --------------------------------------------------------------------------------------------------

_PLUS = re.compile(r"\+[1-9](?:[ .\-/()]{0,2}[0-9]){6,14}+(?![0-9])")
_FRACTION = re.compile(r"\+[0-9]+\.[0-9]+\Z").match
_OTHERS = re.compile("[^0-9]")


_POSITION = re.compile(r"\+[0-8][0-9][0-5][0-9](?:[0-5][0-9])?-0[0-9]{2}[0-5][0-9](?:[0-5][0-9])?\Z").match


def plus_at(seen: Seen, start: int) -> Iterator[Found]:
    """International telephone numbers (ITU-T E.164): a plus, an assigned country code, at most fifteen digits. Places west of Greenwich, ``+4230-00131``, are none."""
    match = _PLUS.match(seen.plain, start)
    if match is None or _FRACTION(match[0]) is not None or _POSITION(match[0]) is not None:
        return
    digits = _OTHERS.sub("", match[0])
    code = next((digits[:size] for size in (1, 2, 3) if digits[:size] in COUNTRY_CODES), "")
    if not code or len(digits) < 8 or (code == "1" and (len(digits) != 11 or not checks.nanp_phone(digits[1:]))):  # noqa: PLR2004 - shortest with its code; North American
        return
    yield Found("e164", "phone", CODE_COUNTRY.get(code, ""), start, match.end(), "form", 1)


_AMERICAN = re.compile(
    r"([2-9][0-9]{2})(\) ?|[-. ])([2-9][0-9]{2})[-. ]([0-9]{4})((?: ?x| ext\.? ?)[0-9]{1,5})?(?![0-9A-Za-z])"
)
_LEADING = re.compile(r"(?<![0-9A-Za-z])(?:\+?1|001)[-. ]?\(?\Z")
_PHONE = next(scheme for scheme in SCHEMES if scheme.code == "us-phone")


def american_at(seen: Seen, start: int) -> Iterator[Found]:
    """North American telephone numbers with brackets, a leading 1 or an extension; the plain ones are shapes."""
    text = seen.plain
    match = _AMERICAN.match(text, start)
    if match is None or not checks.nanp_phone(match[1] + match[3] + match[4]):
        return
    bracketed = match[2].startswith(")")
    if bracketed != (text[start - 1 : start] == "("):
        return
    first = start - 1 if bracketed else start
    leading = _LEADING.search(text, max(0, start - 6), start)
    if leading is not None:
        first = leading.start()
    elif joined_before(text, first):
        return
    if not (bracketed or leading is not None or match[5]) or joined_after(text, match.end()):
        return
    ground: Ground = "context" if seen.beside(_PHONE, first) else "form"
    yield Found(_PHONE.code, "phone", "US", first, match.end(), ground, 1 if ground == "context" else 3)


_AREA = re.compile(r"\([0-9]{1,4}\) ?[0-9]{2,8}(?:[- ][0-9]{2,6}){0,3}+(?![0-9A-Za-z])")
_NAMED = next(scheme for scheme in SCHEMES if scheme.code == "phone-named")


def bracketed_at(seen: Seen, start: int) -> Iterator[Found]:
    """Telephone number whose area code stands in brackets, beside the word for it; seven to fifteen digits."""
    match = _AREA.match(seen.plain, start)
    if match is None or not 7 <= sum(char.isdigit() for char in match[0]) <= 15:  # noqa: PLR2004 - as stated
        return
    if seen.beside(_NAMED, start) and not joined_after(seen.plain, match.end()):
        yield Found(_NAMED.code, "phone", "", start, match.end(), "context", 4)


# --- IBAN, Hong Kong identity card, a resident number glued to a word --------------------------------------------------


def iban_at(seen: Seen, start: int) -> Iterator[Found]:
    """IBAN at ``start``, single spaces and hyphens between (ISO 13616)."""
    text = seen.plain
    wanted = checks.IBAN_LENGTHS.get(text[start : start + 2].upper())
    if wanted is None:
        return
    kept: list[str] = []
    at = start
    while len(kept) < wanted and at < len(text):
        char = text[at]
        if part(char):
            kept.append(char)
        elif char not in " -" or not kept or not part(text[at - 1]):
            return
        at += 1
    value = "".join(kept).upper()
    if len(kept) == wanted and not part(text[at : at + 1]) and checks.iban(value):
        yield Found("iban", "bank-account", value[:2], start, at, "checked", 0)


_HK = re.compile(r"([A-Z]{1,2}[0-9]{6})\(([0-9A])\)(?![0-9A-Za-z])")


def hong_kong_at(seen: Seen, start: int) -> Iterator[Found]:
    """Hong Kong identity card whose check character stands in brackets."""
    match = _HK.match(seen.plain, start)
    if match is not None and checks.hk_identity(match[1] + match[2]):
        yield Found("hk-identity", "national-identity", "HK", start, match.end(), "checked", 0)


_LETTERS = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{1,12}\Z")


def glued_at(seen: Seen, start: int) -> Iterator[Found]:
    """Chinese resident number that a word of at most twelve letters runs into."""
    text = seen.plain
    if _LETTERS.search(text, max(0, start - 13), start) and checks.cn_resident(text[start : start + 18].upper()):
        yield Found("cn-resident", "national-identity", "CN", start, start + 18, "checked", 0)


# --- identifiers found by shape -----------------------------------------------------------------------------------------

_BACK = re.compile(r"[0-9][A-Za-z]{0,24}\Z")
_AHEAD = re.compile(r"[A-Za-z]{0,16}[0-9]")


def joined_before(text: str, start: int) -> bool:
    """Return whether the group before belongs to the same number: a fraction, a longer code."""
    return start > 1 and text[start - 1] in "-._" and _BACK.search(text, max(0, start - 27), start - 1) is not None


def joined_after(text: str, stop: int) -> bool:
    """Return whether the group after belongs to the same number."""
    return text[stop : stop + 1] in {"-", ".", "_"} and _AHEAD.match(text, stop + 1) is not None


_SEPARATORS = dict.fromkeys(map(ord, "-._/ "))


def shape_at(seen: Seen, ends: Ends, start: int, stop: int) -> Iterator[Found]:
    """Yield what of ``ends`` (schemes, and whether each needs its word) the groups from ``start`` to ``stop`` are."""
    if joined_before(seen.plain, start) or joined_after(seen.plain, stop):
        return
    compact = seen.plain[start:stop].translate(_SEPARATORS)
    upper = compact.upper()
    # Lower-case letters mean a hash or a name; only the check letter x is commonly written so.
    if compact != upper and compact[:-1] + "X" != upper:
        return
    for scheme, needs_word in _possible(seen, ends, start):
        if not formed(scheme, upper):
            continue
        try:
            holds = scheme.check(upper)
        except (ValueError, IndexError):
            holds = False
        if not holds:
            continue
        beside = seen.beside(scheme, start)
        if not beside and (needs_word or among_codes(seen.plain, start, stop)):
            continue
        ground: Ground = "checked" if scheme.checked else "context" if beside else "form"
        rank = {"checked": 1, "context": 2, "form": 3}[ground] - (1 if beside else 0)
        if scheme.code in {"passport", "phone-named"}:
            rank = 4
        yield Found(scheme.code, scheme.sort, scheme.country, start, stop, ground, rank)


class _Sorted(NamedTuple):
    free: Ends
    words: tuple[str, ...]


_SORTED: dict[int, _Sorted] = {}


def _possible(seen: Seen, ends: Ends, start: int) -> Ends:
    """Return those of ``ends`` that need no word, or all if any word of theirs stands in the characters before."""
    known = _SORTED.get(id(ends))
    if known is None:
        # Lists of schemes are made once and live as long as the program; a race makes the same entry twice.
        words = {word for scheme, needs_word in ends if needs_word for word in words_of(scheme).any}
        known = _Sorted([one for one in ends if not one[1]], tuple(sorted(words)))
        _SORTED[id(ends)] = known
    if len(known.free) == len(ends) or seen.column:
        return ends
    tail = seen.before(start, REACH + 1)
    return ends if tail and any(word in tail for word in known.words) else known.free


# A group of letters before digits, or a single character after them: what every lettered layout holds.
_LETTERS_APART = re.compile(r"[A-Z][- ][0-9]{2}|[0-9][- ][0-9A-Za-z](?![0-9A-Za-z])|[XYZ]-[0-9]").search
_TOKEN = re.compile(r"[0-9][0-9A-Za-z]*+")


def _tokens(text: str) -> list[tuple[int, int]]:
    """Return the groups of ASCII letters and digits that hold a digit and begin with at most sixteen letters."""
    tokens = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        low = max(0, start - 17)
        while start > low and part(text[start - 1]):
            start -= 1
        if start > low or not low:
            tokens.append((start, end))
    return tokens


def shapes(seen: Seen) -> Iterator[Found]:
    """Yield identifiers found at each group of letters and digits, alone or with the groups after it."""
    text = seen.plain
    tokens = _tokens(text)
    for index, (start, end) in enumerate(tokens):
        node = ROOT.following.get(("", end - start))
        last = index
        while node is not None:
            stop = tokens[last][1]
            if node.ends:
                yield from shape_at(seen, node.ends, start, stop)
            last += 1
            if last == len(tokens) or tokens[last][0] != stop + 1:
                break
            node = node.following.get((text[stop], tokens[last][1] - tokens[last][0]))
    for pattern, length, ends in LETTERED if _LETTERS_APART(text) is not None else ():
        for match in pattern.finditer(text):
            yield from shape_at(seen, ends, match.start(), match.start() + length)


def apart(found: list[Found]) -> list[Found]:
    """Return the surest of those that overlap: check digits beside a context word first, then the longer."""
    kept: list[Found] = []
    starts: list[int] = []
    for one in sorted(found, key=lambda item: (item.rank, item.start - item.end, item.start, item.scheme)):
        place = bisect.bisect_left(starts, one.start)
        free = (place == 0 or kept[place - 1].end <= one.start) and (place == len(kept) or kept[place].start >= one.end)
        if free:
            starts.insert(place, one.start)
            kept.insert(place, one)
    return kept
