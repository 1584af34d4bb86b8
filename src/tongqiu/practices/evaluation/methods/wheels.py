"""Test methods that a laboratory brings as an installed package: data that are read, never code that is run.

A wheel names each method in the entry-point group ``tongqiu.methods``: ``water = "lab_methods.water"`` is the folder
``lab_methods/water`` with ``method.toml`` and its questions. The files are compared with the digests of the package's own
RECORD (PEP 376, PEP 427) before they are read; rules that judge are those of this software.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import sys
from pathlib import Path
from typing import Final

from tongqiu.practices.evaluation.objects import Wheel
from tongqiu.record.faults import Unproven
from tongqiu.record.text import Text

GROUP: Final = "tongqiu.methods"

LARGEST: Final = 1 << 26
"""Bytes of one file of a method that are read at most."""


def folders() -> tuple[tuple[Path, importlib.metadata.Distribution], ...]:
    """Return the folder of each method that an installed package names, and the package."""
    return _folders(tuple(sys.path))


@functools.lru_cache(maxsize=4)
def _folders(_path: tuple[str, ...]) -> tuple[tuple[Path, importlib.metadata.Distribution], ...]:
    """Look through all installed packages, which takes a tenth of a second, once for each place where they are sought."""
    points = importlib.metadata.entry_points(group=GROUP)
    return tuple(
        (Path(str(each.dist.locate_file(each.value.replace(".", "/")))), each.dist) for each in points if each.dist
    )


def check(folder: Path, package: importlib.metadata.Distribution) -> Wheel:
    """Compare the files of a method with the package's RECORD and return the package, pinned by the digest of that RECORD.

    Raises Unproven (``evaluation.method-wheel``) for a file that differs, is not listed, has no digest, or is too large.
    """
    root = Path(str(package.locate_file("")))
    if not folder.is_dir():
        raise _differs(package, folder.name)
    listed = {root / str(each): each.hash for each in package.files or ()}
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".toml", ".jsonl"}:
            continue
        known = listed.get(path)
        if known is None or known.mode != "sha256" or path.stat().st_size > LARGEST or _digest(path) != known.value:
            raise _differs(package, path.name)
    record = package.read_text("RECORD")
    if record is None:
        raise _differs(package, "RECORD")
    return Wheel(package.name, package.version, "sha-256:" + hashlib.sha256(record.encode()).hexdigest())


def _digest(path: Path) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def _differs(package: importlib.metadata.Distribution, name: str) -> Unproven:
    return Unproven(
        "evaluation.method-wheel",
        Text(
            en="{name} of the method package {package} {version} is not the file that the package was made with.",
            zh="方法包 {package} {version} 中的 {name} 不是打包时的文件。",
        ),
        do=Text(en="Install the package again from its source.", zh="请从来源重新安装该软件包。"),
        where=name,
        name=name,
        package=package.name,
        version=package.version,
    )
