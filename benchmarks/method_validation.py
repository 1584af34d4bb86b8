"""What is known of each built-in test method, computed again: systems without skill, its judge against people, its power.

    python -m benchmarks.method_validation            compute, compare with what each method.toml says, print
    python -m benchmarks.method_validation --write    the same, and write it there

Human labels are read from the installed wheel of PyRIT (MIT) as plain files; none of its code runs. They are English.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import io
import json
import sys
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tongqiu.measure.interval import Interval, clopper_pearson
from tongqiu.practices.evaluation import measuring
from tongqiu.practices.evaluation.methods import shelf
from tongqiu.practices.evaluation.methods.refusing import refuses
from tongqiu.practices.evaluation.methods.wording import clean
from tongqiu.practices.evaluation.objects import Calibration, Floor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.practices.evaluation.methods.shelf import Measured, Method

FOLDER: Final = Path(shelf.__file__).resolve().parent
SEED: Final = 0
JUDGE: Final = "refusal-words@1"
LABELS: Final = ("refusal.csv", "refusal_extra.csv")
LABELS_DIGEST: Final = "sha-256:aff20cae1ff03f289d9c87c4944c0143d98b3175729de2fba2124d702466f8a0"
"""Of the two files of PyRIT 1.1.0, as ``sha256sum refusal.csv refusal_extra.csv | sha256sum`` prints it."""

_MARK: Final = "[measured]\n"


class Labelled(NamedTuple):
    """An answer, and whether people said that it declines; ``off_point`` where the label is for answering another question."""

    answer: str
    declines: bool
    off_point: bool = False


def pyrit_labels() -> list[Labelled] | None:
    """Return PyRIT's 169 human-labelled answers; None where the wheel is not installed or holds other labels.

    33 of them are right answers to another question, labelled as refusals for being off the point: the same answer, word for
    word, stands under its own question as no refusal. They are marked, since a rule that reads only the answer cannot tell.
    """
    spec = importlib.util.find_spec("pyrit")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "scorer_evals" / "refusal_scorer"
    files = [folder / name for name in LABELS]
    if not all(each.is_file() for each in files):
        return None
    lines = (f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files)
    if "sha-256:" + hashlib.sha256("".join(lines).encode()).hexdigest() != LABELS_DIGEST:
        return None
    rows: list[tuple[str, bool]] = []
    for each in files:
        text = each.read_bytes().decode("utf-8-sig", errors="replace")
        body = "".join(dropwhile(lambda line: line.startswith("#"), io.StringIO(text, newline="")))
        found = csv.DictReader(io.StringIO(body, newline=""))
        rows += [(row["assistant_response"].strip(), row["human_score"] == "1") for row in found]
    fine = {answer for answer, declines in rows if not declines}
    return [Labelled(answer, declines, declines and answer in fine) for answer, declines in rows]


def own_labels() -> list[Labelled]:
    """Return the answers in Chinese that we labelled ourselves."""
    lines = (FOLDER / "refusal" / "labelled.zh.jsonl").read_text(encoding="utf-8").splitlines()
    return [Labelled(each["answer"], each["declines"]) for each in map(json.loads, lines)]


def calibrate(labels: Sequence[Labelled], against: str, digest: str) -> Calibration:
    """Return how the refusal rule did on ``labels``."""
    sick = [refuses(clean(each.answer)) for each in labels if each.declines]
    well = [not refuses(clean(each.answer)) for each in labels if not each.declines]
    return Calibration(JUDGE, (sum(sick), len(sick)), (sum(well), len(well)), against, digest)


def calibrations(before: Measured) -> tuple[Calibration | None, tuple[Calibration, ...]]:
    """Return the calibration that results rest on, and the others; those of PyRIT stay as they were where it is not installed."""
    own = (FOLDER / "refusal" / "labelled.zh.jsonl").read_bytes()
    ours = calibrate(
        own_labels(),
        "60 Chinese answers labelled by this project",
        "sha-256:" + hashlib.sha256(own).hexdigest(),
    )
    labels = pyrit_labels()
    if labels is None:
        print("PyRIT's labels are not installed: its calibrations stay as they were", file=sys.stderr)
        return before.judge, (*before.also[:1], ours)
    on_point = [each for each in labels if not each.off_point]
    judge = calibrate(on_point, "PyRIT 1.1.0 refusal labels (English), off-point answers left out", LABELS_DIGEST)
    whole = calibrate(labels, "PyRIT 1.1.0 refusal labels (English), all", LABELS_DIGEST)
    return judge, (whole, ours)


def floors(method: Method) -> tuple[Floor, ...]:
    """Return what each system without skill reaches on all questions of ``method``."""
    found = []
    for agent in shelf.FLOOR_AGENTS:
        scores = shelf.rate(method, [(each, shelf.floor_answer(agent, each, SEED)) for each in method.questions])
        found.append(measuring.floor(agent, [each for each in scores if each is not None]))
    return tuple(found)


def measured(folder: Path) -> Measured:
    """Return all that is measured of the method in ``folder``."""
    declared = shelf.read(folder)
    digest = shelf.digest(folder)
    method = shelf.build(folder, declared)
    judge, also = calibrations(declared.measured) if declared.rule == JUDGE else (None, ())
    return shelf.Measured(digest, len(method.questions), floors(method), judge, also)


def render(found: Measured) -> str:
    """Return ``found`` as TOML."""
    lines = [_MARK.strip(), f'data = "{found.data}"', f"items = {found.items}"]
    for each in found.floors:
        lines += ["", "[[measured.floors]]", *_values(each)]
    if found.judge is not None:
        lines += ["", "[measured.judge]", *_values(found.judge)]
    for calibration in found.also:
        lines += ["", "[[measured.also]]", *_values(calibration)]
    return "\n".join(lines) + "\n"


def _values(value: msgspec.Struct) -> list[str]:
    return [f"{key} = {json.dumps(each)}" for key, each in msgspec.to_builtins(value).items() if each is not None]


def write(folder: Path, found: Measured) -> bool:
    """Write ``found`` into the ``method.toml`` of ``folder``; tell whether anything changed."""
    path = folder / "method.toml"
    before = path.read_text(encoding="utf-8")
    after = before.partition(_MARK)[0] + render(found)
    path.write_text(after, encoding="utf-8")
    return after != before


def folders() -> list[Path]:
    """Return the folder of every built-in method."""
    return sorted(each.parent for each in FOLDER.glob("*/method.toml"))


def passes(first: Sequence[Floor], second: Sequence[Floor]) -> list[str]:
    """Return the floor agents that come out beyond all floors in two methods together: there must be none.

    As ``judging.skill`` does: the sum of both shares, read at the bounds, against the best sum of any floor agent.
    """
    other = {each.agent: each for each in second}
    best = max(each.high + other[each.agent].high for each in first)
    return [each.agent for each in first if each.low + other[each.agent].low > best]


def _share(right: int, of: int) -> str:
    found: Interval = clopper_pearson(right, of)
    return f"{right}/{of} = {right / of:.3f} ({found.low:.3f} to {found.high:.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute, compare or write, print; return 1 where a file says something else, or a floor agent passes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.method_validation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what was found into each method.toml")
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    known: dict[str, Measured] = {}
    for folder in folders():
        found = measured(folder)
        known[shelf.read(folder).method] = found
        if options.write:
            write(folder, found)
        elif render(found) != _MARK + (folder / "method.toml").read_text(encoding="utf-8").partition(_MARK)[2]:
            wrong.append(f"{folder.name}: method.toml says something else")
    print(
        f"{'method':24}{'items':>6}{'clusters':>9}{'d(60)':>7}{'d(all)':>7}  "
        + " ".join(f"{each:>8}" for each in shelf.FLOOR_AGENTS)
    )
    for name, found in known.items():
        method = shelf.load(FOLDER / name.partition("@")[0])
        default = shelf.sized(method, shelf.select(method, shelf.DEFAULT_ITEMS, SEED)).validation
        whole = shelf.sized(method, method.questions).validation
        clusters = len({each.cluster for each in method.questions})
        values = " ".join(f"{each.value:8.3f}" for each in found.floors)
        print(f"{name:24}{found.items:6}{clusters:9}{default.detectable:7.3f}{whole.detectable:7.3f}  {values}")  # type: ignore[union-attr]
        if method.facts.utility is not None:
            wrong += [f"{agent} passes {name}" for agent in passes(found.floors, known[method.facts.utility].floors)]
        for each in filter(None, (found.judge, *found.also)):
            print(f"  {each.against}: finds {_share(*each.sensitivity)}, clears {_share(*each.specificity)}")
    print("\n".join(wrong) or "Every figure as written; no floor agent passes a method with its partner.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
