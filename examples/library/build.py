# SPDX-License-Identifier: Apache-2.0
"""Build the library example in a folder of your choice: an installed open-source package and its manifest.

    python examples/library/build.py FOLDER [PACKAGE]

Copies the files of PACKAGE (``license-expression`` unless you name another) from this Python's own environment, as the
installer recorded them, with its licence files and description. Nothing is downloaded and nothing of it is run.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import sys
from pathlib import Path, PurePosixPath

DEFAULT = "license-expression"


def build(folder: Path, package: str = DEFAULT) -> Path:
    """Write the example below ``folder`` (which must be new or empty) and return the folder.

    Raises importlib.metadata.PackageNotFoundError for a package that is not installed and FileExistsError for a folder
    that holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    found = importlib.metadata.distribution(package)
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    version = found.version
    source = folder / "src"
    source.mkdir(parents=True)
    for file in found.files or ():
        place = PurePosixPath(file.as_posix())
        # Commands, caches and what the installer itself wrote are no part of the package.
        if ".." in place.parts or "__pycache__" in place.parts or place.name in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}:
            continue
        target = source / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(file.locate()), target)
    purpose = found.metadata["Summary"] or f"the package {name}"
    (folder / "tongqiu.toml").write_text(manifest(name, version, purpose), encoding="utf-8")
    return folder


def manifest(name: str, version: str, purpose: str) -> str:
    """Return the manifest: one system, its code, and no facts of use, because a library is used by others."""
    quoted = json.dumps  # a JSON string is a TOML string
    return f"""# An open-source package, assessed as software. 作为软件评测的开源包。
[system]
name = {quoted(name)}
purpose = {quoted(purpose, ensure_ascii=False)}
version = {quoted(version)}

[[code]]
name = {quoted(name + " package")}
path = "src/"
purl = {quoted(f"pkg:pypi/{name}@{version}")}
version = {quoted(version)}

[facts]
"""


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.stdout.write(f"{build(Path(sys.argv[1]), *sys.argv[2:])}\n")
