"""The shapes of identifiers turned into what engines look for: a tree of group lengths, and one pattern of bytes each.

A *layout* is one shape of a scheme with what may stand at each place. Every layout has one length, so that where it ends says
where it began.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from tongqiu.scan.identifiers import SCHEMES, Scheme

_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = frozenset("0123456789")
_CLASSES = {"9": _DIGITS, "A": frozenset(_ALNUM[10:]), "X": frozenset(_ALNUM)}

Place = frozenset[str]


class Layout(NamedTuple):
    """One way of writing: separators (the first is empty) and, for each group, what may stand at its places."""

    separators: tuple[str, ...]
    groups: tuple[tuple[Place, ...], ...]

    @property
    def length(self) -> int:
        """Characters in all, separators counted."""
        return sum(map(len, self.groups)) + len(self.separators) - 1

    @property
    def pattern(self) -> str:
        """The layout as a regular expression over ASCII, without its borders."""
        out = []
        for separator, group in zip(self.separators, self.groups, strict=True):
            out.append("[- ]" if separator == "_" else re.escape(separator))
            out += [
                _written(place, last=group is self.groups[-1] and index == len(group) - 1)
                for index, place in enumerate(group)
            ]
        return "".join(out)

    @property
    def counted(self) -> bool:
        """Whether every group is sure to hold a digit, so that groups of letters and digits lead to it."""
        return all(any(place <= _DIGITS for place in group) for group in self.groups)


def _written(place: Place, *, last: bool) -> str:
    """Return one place as a class of characters; a last X may be written in lower case."""
    if place == _DIGITS:
        return "[0-9]"
    chars = place | {"x"} if last and "X" in place else place
    return "[" + "".join(sorted(chars)) + "]"


def _places(form: str) -> tuple[Place, ...]:
    """Return what may stand at each place of a form."""
    out: list[Place] = []
    for atom, times in re.findall(r"(\[[^\]]+\]|[9AX])(?:\{([0-9]+)\})?", form):
        place = _CLASSES.get(atom) or frozenset(char for char in _ALNUM if re.fullmatch(atom, char))
        out += [place] * int(times or 1)
    return tuple(out)


def caught(layout: Layout) -> bool:
    """Return whether every single group so written holds five digits before its end or a letter, or a letter before two digits.

    These few short patterns stand for nearly every group of letters and digits: fast engines look for them alone.
    """
    if len(layout.groups) > 1:
        return False
    (group,) = layout.groups
    digits = [place <= _DIGITS for place in group]
    letters = [not place & _DIGITS for place in group]
    return any(
        all(digits[at : at + 5]) and (at + 6 == len(group) or letters[at + 5]) for at in range(len(group) - 5)
    ) or any(letters[at] and all(digits[at + 1 : at + 3]) for at in range(len(group) - 2))


def layouts(scheme: Scheme) -> list[tuple[Layout, bool]]:
    """Return every layout of ``scheme``, and whether it counts beside a word of the scheme alone."""
    forms = [_places(form) for form in scheme.form.split("|")] if scheme.form else []
    found = []
    for shape in scheme.shapes:
        written = re.findall(r"([-._/ ]?)([0-9]+)", shape.removeprefix("?"))
        sizes = [int(size) for _, size in written]
        fitting = [form for form in forms if len(form) == sum(sizes)] if forms else [(_DIGITS,) * sum(sizes)]
        for form in fitting:
            ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
            groups = tuple(form[end - size : end] for end, size in zip(ends, sizes, strict=True))
            found.append((Layout(tuple(separator for separator, _ in written), groups), shape.startswith("?")))
    return found


@cache
def _form(written: str) -> re.Pattern[str]:
    forms = ("".join(_written(place, last=False) for place in _places(form)) for form in written.split("|"))
    return re.compile("|".join(forms))


def formed(scheme: Scheme, upper: str) -> bool:
    """Return whether letters and digits (separators left out) have the form of ``scheme``."""
    return _form(scheme.form).fullmatch(upper) is not None if scheme.form else upper.isdigit()


def numeric(scheme: Scheme, digits: int) -> bool:
    """Return whether so many digits and nothing else can have the form of ``scheme``."""
    forms = [_places(form) for form in scheme.form.split("|")] if scheme.form else []
    return not forms or any(len(form) == digits and all(place & _DIGITS for place in form) for form in forms)


class Node:
    """What may end, and what may follow, after groups of these lengths."""

    __slots__ = ("ends", "following")

    def __init__(self) -> None:
        """Begin without any layout."""
        self.ends: list[tuple[Scheme, bool]] = []
        self.following: dict[tuple[str, int], Node] = {}


Ends = list[tuple[Scheme, bool]]


def _tree() -> tuple[Node, list[tuple[re.Pattern[str], int, Ends]]]:
    """Return the tree of counted layouts, and a pattern for each of the others with its length and schemes."""
    root, lettered = Node(), list[tuple[re.Pattern[str], int, Ends]]()
    for scheme in SCHEMES:
        for layout, needs_word in layouts(scheme):
            if not layout.counted:
                # The first place outside, so that the search runs from one to the next; a look ahead, so that matches may overlap.
                first = _written(layout.groups[0][0], last=False)
                pattern = re.compile(f"{first}(?<![0-9A-Za-z].)(?<=(?={layout.pattern}(?![0-9A-Za-z])).)", re.DOTALL)
                lettered.append((pattern, layout.length, [(scheme, needs_word)]))
                continue
            nodes = [root]
            for separator, group in zip(layout.separators, layout.groups, strict=True):
                choices = ("-", " ") if separator == "_" else (separator,)
                nodes = [
                    node.following.setdefault((choice, len(group)), Node()) for node in nodes for choice in choices
                ]
            for node in nodes:
                if (scheme, needs_word) not in node.ends:
                    node.ends.append((scheme, needs_word))
    return root, lettered


ROOT, LETTERED = _tree()


_FOURS = re.compile(r"[0-9]{4}(?: [0-9]{4})+\Z")
_CODE = r"(?:00[0-9A-F]{2}|(?=[0-9]{0,3}[A-F])[0-9A-F]{4})"
_CODE_BEFORE = re.compile(rf"(?<![0-9A-Za-z]){_CODE} \Z")
_CODE_AFTER = re.compile(rf" {_CODE}(?![0-9A-Za-z])")


def among_codes(text: str, start: int, stop: int) -> bool:
    """Return whether groups of four digits stand in a row of numbers of base 16, as code points do: ``0028 2680 0029 2681 005B``.

    The number beside them must begin with 00 or hold a letter: a year, or the month and year in which a card ends, does neither.
    """
    if _FOURS.match(text[start:stop]) is None:
        return False
    return bool(_CODE_BEFORE.search(text[max(0, start - 6) : start]) or _CODE_AFTER.match(text[stop : stop + 6]))
