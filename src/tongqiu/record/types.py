"""Getting a type ready to be read: what it takes is worked out once, by one thread at a time.

msgspec works out how to read a type when it is first asked to, and shows other threads what is half worked out: two
threads that first read the same type at the same moment can end the process. Whatever may be read by several threads goes
through :func:`ready`.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ready: set[Any] = set()
_working = threading.Lock()


def ready(kind: type[T]) -> type[T]:
    """Return ``kind`` once msgspec knows how to read it and all that it holds; the second call costs one look."""
    if kind not in _ready:
        with _working:
            if kind not in _ready:
                msgspec.msgpack.Decoder(kind)
                _ready.add(kind)
    return kind
