"""The audit of a batch of texts: the same answer for each text, whatever stands beside it and wherever it is worked out.

Nothing outside the texts is read or written. Most of the work leaves the interpreter free for other threads.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.practices.dataset.corpus import counting, lists, tongues
from tongqiu.practices.dataset.corpus.shapes import Audited, Strings
from tongqiu.scan.screen import screen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Engines(NamedTuple):
    """With what a batch is audited: the engines that tell languages, and machine code or Python for counting.

    None stands for the best that is installed.
    """

    languages: tongues.Engines | None = None
    compiled: bool | None = None


def audit_batch(strings: Strings, *, engines: Engines | None = None) -> Audited:
    """Return what is seen of each text of a batch. It may be called from many threads at once.

    :raises ValueError: the offsets do not rise within the data.
    """
    use = engines or Engines()
    strings = counting.sound(strings)
    counts = counting.count(strings, compiled=use.compiled)
    heard = tongues.hear(strings, counts.scripts, use.languages, compiled=use.compiled)
    return Audited(
        hash=_hashes(strings),
        bands=counts.bands,
        sketch=counts.sketch,
        shingles=counts.shingles,
        language=heard.language,
        script=heard.script,
        heard=heard.heard,
        stats=counts.stats,
        hits=screen(strings),
        terms=lists.meet(strings, compiled=use.compiled),
    )


def prepare() -> None:
    """Make ready what takes longest to make, so that it is there by the time the first batch is counted."""
    import numpy as np

    screen(Strings(np.zeros(1, np.uint8), np.array([0, 1], np.int64)))


def method(engines: Engines | None = None) -> str:
    """Return names and versions of all that has a say in the answer, for evidence."""
    use = engines or Engines()
    return f"{counting.METHOD}; {tongues.method(use.languages)}; {lists.METHOD}; BLAKE2b-128"


def _hashes(strings: Strings) -> NDArray[np.uint8]:
    """Return BLAKE2b-128 (RFC 7693) of each text's bytes."""
    import numpy as np

    data = strings.data.data
    blake = hashlib.blake2b
    places = pairwise(strings.offsets.tolist())
    found = b"".join([blake(data[start:end], digest_size=16).digest() for start, end in places])
    return np.frombuffer(found, np.uint8).reshape(-1, 16)
