"""Who may read a record, carried by the record itself and never widened by what is derived from it.

An audience names its readers, a traffic-light marking (FIRST TLP 2.0) and, while a reply period or embargo runs, the
instant before which only the issuer may read. Every read in the house has a :class:`Principal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tongqiu.record.faults import Malformed, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

Marking = Literal["clear", "green", "amber", "amber+strict", "red"]

_ORDER: tuple[Marking, ...] = ("clear", "green", "amber", "amber+strict", "red")


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Readers, marking and embargo of one record.

    ``readers`` is a sorted tuple of party DIDs and group URNs, or None for everyone. ``marking`` is the TLP 2.0 label;
    anything but ``clear`` needs named readers. ``embargo`` is an RFC 3339 UTC instant: before it, only the issuer reads.
    """

    readers: tuple[str, ...] | None = None
    marking: Marking = "clear"
    embargo: str | None = None

    def __post_init__(self) -> None:
        """Refuse a marking without readers, and readers out of order (one meaning, one encoding)."""
        if self.readers is None:
            if self.marking != "clear":
                raise Malformed(
                    "audience.marking",
                    Text(
                        en="A record marked {marking} must name its readers.",
                        zh="标记为 {marking} 的记录必须列明读者。",
                    ),
                    do=Text(en="Name the readers, or mark it clear.", zh="请列明读者，或改标为 clear。"),
                    marking=self.marking,
                )
        elif self.readers != tuple(sorted(set(self.readers))):
            raise Malformed(
                "audience.order",
                Text(en="Readers must be sorted and named once.", zh="读者须排序且不得重复。"),
                do=Text(en="Build the audience with only_for().", zh="请用 only_for() 构造受众。"),
            )


EVERYONE = Audience()
"""Anyone may read."""


def only_for(readers: Iterable[str], *, marking: Marking = "clear", embargo: str | None = None) -> Audience:
    """Return an audience of just these parties and groups (any order, repeats allowed)."""
    return Audience(tuple(sorted(set(readers))), marking, embargo)


class Principal(msgspec.Struct, frozen=True):
    """Who is asking: a party (DID), the groups it belongs to (URNs) and its roles on this node; empty is a stranger.

    ``person`` is the pseudonym of the human who asks for it (``urn:tongqiu:person:<32 hex>``), for the record of who did
    what; it is no name that an audience could list, and never widens what is read.
    """

    party: str | None = None
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    person: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Return every name under which an audience may list this principal."""
        return self.groups | {self.party} if self.party else self.groups


STRANGER = Principal()
"""Anyone at all: sees only what is for everyone."""


def permits(audience: Audience, issuer: str, principal: Principal, now: str) -> bool:
    """Tell whether ``principal`` may read a record of ``issuer`` with ``audience`` at ``now`` (RFC 3339 UTC).

    The issuer always reads its own records; others read when the embargo has passed and they are named, or everyone is.
    """
    if principal.party is not None and principal.party == issuer:
        return True
    if audience.embargo is not None and now < audience.embargo:
        return False
    return audience.readers is None or not principal.names.isdisjoint(audience.readers)


def meet(audiences: Iterable[Audience]) -> Audience:
    """Return the widest audience that is within every one of ``audiences`` (EVERYONE for none).

    Readers are intersected, the stricter marking and the later embargo win.
    """
    readers: set[str] | None = None
    marking: Marking = "clear"
    embargo: str | None = None
    for each in audiences:
        if each.readers is not None:
            readers = set(each.readers) if readers is None else readers & set(each.readers)
        marking = max(marking, each.marking, key=_ORDER.index)
        if each.embargo is not None and (embargo is None or each.embargo > embargo):
            embargo = each.embargo
    return Audience(None if readers is None else tuple(sorted(readers)), marking, embargo)


def within(inner: Audience, outer: Audience) -> bool:
    """Tell whether everyone who may read under ``inner`` may read under ``outer``, as strictly marked and as late."""
    if outer.readers is not None and (inner.readers is None or not set(inner.readers) <= set(outer.readers)):
        return False
    if _ORDER.index(inner.marking) < _ORDER.index(outer.marking):
        return False
    return outer.embargo is None or (inner.embargo is not None and inner.embargo >= outer.embargo)


def check_derived(derived: Audience, sources: Iterable[Audience], *, where: str = "") -> None:
    """Raise Refused (``audience.wider``) when ``derived`` is wider than the meet of ``sources``."""
    if not within(derived, meet(sources)):
        raise Refused(
            "audience.wider",
            Text(
                en="A record may not have more readers than the records it rests on.",
                zh="记录的读者不得多于它所依据的记录。",
            ),
            do=Text(
                en="Narrow the readers, or have a named person declassify the sources first.",
                zh="请收窄读者，或先由具名人员对来源解密。",
            ),
            where=where,
        )
