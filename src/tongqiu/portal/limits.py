"""How often one caller may ask: an allowance that fills up again with time, for each address and each person."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 20_000


class Rate(NamedTuple):
    """So many requests at once (``burst``), and so many a second in the long run."""

    burst: float
    a_second: float


READING = Rate(300, 30)
WRITING = Rate(60, 2)
ENTERING = Rate(20, 0.1)
"""Trying to sign in: secrets have 256 bits, so this is there to keep a log readable and a processor free."""


class Allowance:
    """The allowances of many callers under one rate; the longest silent are forgotten first."""

    def __init__(self, rate: Rate, *, most: int = _MOST, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``rate`` to each of up to ``most`` callers; ``clock`` gives seconds."""
        self._rate, self._most, self._clock = rate, most, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, who: str) -> int:
        """Use one of ``who``'s requests and return 0, or return in how many whole seconds there is one again."""
        with self._lock:
            now = self._clock()
            left, at = self._held.pop(who, (self._rate.burst, now))
            left = min(self._rate.burst, left + (now - at) * self._rate.a_second)
            wait = 0 if left >= 1 else math.ceil((1 - left) / self._rate.a_second)
            self._held[who] = (left if wait else left - 1, now)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return wait


class Limits:
    """The allowances of one site."""

    def __init__(self, *, reading: Rate = READING, writing: Rate = WRITING, entering: Rate = ENTERING) -> None:
        """Allow so much of each."""
        self._reading, self._writing, self._entering = Allowance(reading), Allowance(writing), Allowance(entering)

    def wait(self, method: str, path: str, who: str) -> int:
        """Use one request of ``who`` and return 0, or in how many seconds there is one again."""
        if method not in {"GET", "HEAD"} and path.startswith("/sign-in"):
            return self._entering.wait(who)
        return (self._reading if method in {"GET", "HEAD"} else self._writing).wait(who)


def caller(host: str) -> str:
    """Return under what name an address is counted: of IPv6 the /64, which one household holds as a whole."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
