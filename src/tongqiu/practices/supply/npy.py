"""Reading the head of a NumPy array file strictly; arrays of Python objects are pickles and are refused.

The format: NumPy, ``numpy.lib.format`` (NEP 1), versions 1.0 to 3.0.
"""

from __future__ import annotations

import ast
import math
import re
from typing import TYPE_CHECKING

from tongqiu.practices.supply.window import Window, malformed, refused

if TYPE_CHECKING:
    from tongqiu.record.shapes import Scalar

MAGIC = b"\x93NUMPY"
MAX_HEADER = 65_536
_PLAIN = re.compile(r"[<>|=]?([?biufcmMSUV])(\d{0,6})(\[[\w/]{1,12}\])?\Z")
_WIDE = 4


def read(window: Window, *, whole: bool = True) -> dict[str, Scalar]:
    """Return the element type and the number of elements.

    ``whole`` checks that the data fill the file. Raises Malformed (``weights.npy``) for a head of another form and
    Refused (``weights.npy-object``) where the array holds Python objects.
    """
    major = window.number(6, 1)
    if major not in (1, 2, 3):
        raise _fault("version")
    width = 2 if major == 1 else 4
    length = window.number(8, width)
    if length > MAX_HEADER:
        raise _fault("length")
    try:
        header = ast.literal_eval(window.read(8 + width, length).decode("utf-8" if major == 3 else "latin-1").strip())  # noqa: PLR2004 - NEP 1
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise _fault(type(error).__name__) from error
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise _fault("keys")
    shape = header["shape"]
    if not isinstance(shape, tuple) or not all(type(each) is int and 0 <= each < 1 << 48 for each in shape):
        raise _fault("shape")
    item = _item(header["descr"], 0)
    elements = math.prod(shape)
    if whole and elements * item != window.size - 8 - width - length:
        raise _fault("size")
    return {"types": str(header["descr"])[:80], "parameters": elements}


def _item(descr: object, depth: int) -> int:
    """Return the bytes of one element of type ``descr``; structured types are lists of fields."""
    if isinstance(descr, str):
        plain = _PLAIN.match(descr)
        if plain is None:
            if re.fullmatch(r"[<>|=]?O\d*", descr):
                raise refused(
                    "npy-object",
                    "The array holds Python objects, which run code when they are loaded.",
                    "该数组含有 Python 对象，加载时会执行代码。",
                )
            raise _fault("type")
        size = int(plain[2] or (1 if plain[1] in "?b" else 0))
        return size * _WIDE if plain[1] == "U" else size
    if isinstance(descr, list) and depth < 8:  # noqa: PLR2004 - nobody nests deeper
        return sum(_field(each, depth) for each in descr)
    raise _fault("type")


def _field(field: object, depth: int) -> int:
    if not isinstance(field, tuple) or len(field) not in (2, 3):
        raise _fault("field")
    shape = field[2] if len(field) == 3 else ()  # noqa: PLR2004 - name, type, shape
    shape = (shape,) if type(shape) is int else shape
    if not isinstance(shape, tuple) or not all(type(each) is int and 0 <= each < 1 << 32 for each in shape):
        raise _fault("field")
    return _item(field[1], depth + 1) * math.prod(shape)


def _fault(detail: str) -> Exception:
    return malformed(
        "npy",
        "The head of the NumPy file cannot be read ({detail}).",
        "无法读取 NumPy 文件头（{detail}）。",
        detail=detail,
    )
