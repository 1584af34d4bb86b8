"""Machine code made from Python for this processor, where numba is installed, and kept on disk between processes.

What is compiled is kept beside the file it is written in, or else in the user's own cache folder, and where neither can be
written it is compiled again in every process. Import numba only where :func:`can_compile` says that it is there.
"""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, Final

COMPILING: Final = Lock()
"""Held while machine code is made, so that threads that start together make it once."""


@cache
def can_compile() -> bool:
    """Return whether numba is installed (extra ``data``); without it the same is done in Python, slower."""
    return importlib.util.find_spec("numba") is not None


def stamp(constants: dict[str, Any]) -> int:
    """Return a number that stands for all numbers among a module's names: they are frozen into the machine code made from it."""
    import numpy as np

    told = sorted(
        (name, str(value)) for name, value in constants.items() if isinstance(value, (int, float, np.integer))
    )
    return zlib.crc32(repr(told).encode())


def compiled(signature: Any, expected: int) -> Callable[[Callable[..., bool]], Callable[..., None]]:  # noqa: ANN401 - numba's signature
    """Return a decorator that makes machine code, kept on disk where some folder can be written.

    numba takes kept code up again when the source file is the same, though numbers that the file imports may have changed since. So what is
    made answers False to a stamp other than its own, and is then made anew.
    """
    import numba

    def decorate(function: Callable[..., bool]) -> Callable[..., None]:
        fresh = numba.njit(signature, nogil=True)
        try:
            made = numba.njit(signature, cache=True, nogil=True)(function)
        except (RuntimeError, OSError):
            # Neither the folder of the package nor the user's cache folder can be written.
            made = fresh(function)

        def call(*arguments: Any) -> None:  # noqa: ANN401 - whatever the function takes
            nonlocal made
            if not made(expected, *arguments):
                made = fresh(function)
                made(expected, *arguments)

        return call

    return decorate
