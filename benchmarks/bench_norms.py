"""Law as data: rows checked against the primary text, golden cases, agreement, and how fast systems are graded.

Times are CPU times of this process. Grading reads truth tables and never calls the expression engine (CEL); its two
limits are measured in the same run: the bare look-up of every table, and the raw evaluation of every compiled condition.
"""

from __future__ import annotations

import cProfile
import datetime
import pstats
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.report import Report, Sense
    from tongqiu.norms.grading import Book

ROOT = Path(__file__).parent.parent
DAY = datetime.date(2026, 11, 23)
FOUR = ("eu-ai-act", "cn-generative-ai", "kr-ai-basic-act", "tongqiu-common")
SYSTEMS = 50
RATE = 170
"""Systems a second under four packs: a register of 10,000 is graded anew within a minute."""


def run(report: Report) -> None:
    """Measure coverage, golden cases and agreement, then loading, grading, asking, and the documents that go out."""
    sys.path.insert(0, str(ROOT))  # the golden cases live with the tests
    _rows(report)
    _golden(report)
    _agreement(report)
    from tongqiu.norms.library import book, shipped

    names = [name for name in FOUR if name in shipped()]
    report.add("graded packs in this run", len(names), "packs")
    books = [book(name) for name in names]
    _loading(report, names)
    _grading(report, books)
    _growth(report, books)
    _asking(report, books)
    _oscal(report)


# --- what the packs hold ---------------------------------------------------------------------------------------------


def _rows(report: Report) -> None:
    from tongqiu.norms.library import book, shipped

    asked = checked = 0
    for name in shipped():
        rows = book(name).pack.requirements
        done = sum(each.checked for each in rows)
        if rows:
            report.add(f"requirements, {name}", len(rows), "rows")
            report.add(f"checked against the primary text, {name}", 100 * done / len(rows), "%")
        asked, checked = asked + len(rows), checked + done
    report.add("requirements, all packs", asked, "rows")
    report.add("checked against the primary text, all packs", 100 * checked / asked, "%")


def _golden(report: Report) -> None:
    from tests.norms.test_eu_ai_act import CASES
    from tests.norms.test_golden import judged

    found = judged()
    total = len(found) + len(CASES)
    settled = [each for each in found if each.outcome in {"passed", "failed"}]
    regulators = sum(each.case.published_by == "regulator" for each in found)
    passed = sum(each.outcome == "passed" for each in settled)
    report.add("golden cases (with those of the EU recitals)", total, "cases", bar=("at least", 150))
    report.add("golden cases published by regulators", 100 * regulators / total, "%", bar=("at least", 50))
    report.add("undisputed golden cases passed", 100 * passed / len(settled), "%", bar=("at least", 100))
    report.add("golden cases disputed", sum(each.outcome == "disputed" for each in found), "cases")
    report.add("golden cases that wait for a pack", sum(each.outcome == "waiting" for each in found), "cases")


def _agreement(report: Report) -> None:
    """Add Cohen's kappa of every blind reading of the crosswalks, and how often both agree where either sees a relation."""
    from benchmarks.norms_agreement import readings

    for found in readings():
        report.add(f"the same answer, {found.name} ({found.plain.n} pairs)", 100 * found.plain.agreed, "%")
        related = sum(found.related)
        if related:
            share = 100 * found.related.same / related
            report.add(f"the same where a reader sees a relation, {found.name} ({related} pairs)", share, "%")
        for name, kappa in (("kappa", found.plain), ("kappa, linear weights", found.linear)):
            if kappa.value is None or kappa.low is None or kappa.high is None:
                continue
            for end, value in (("", kappa.value), (", low end of 95 %", kappa.low), (", high end of 95 %", kappa.high)):
                report.add(f"{name} of two readers, {found.name}{end}", value, "kappa")


# --- how fast --------------------------------------------------------------------------------------------------------


def _loading(report: Report, names: Sequence[str]) -> None:
    """Add the time to read the packs from bytes, and the share of it that the expression engine takes."""
    from tongqiu.norms.grading import open_book
    from tongqiu.norms.library import raw

    profile = cProfile.Profile()
    took = _cpu(lambda: [open_book(raw(name)) for name in names])
    profile.enable()
    for name in names:
        open_book(raw(name))
    profile.disable()
    report.add("reading the graded packs, conditions worked out", 1000 * took, "ms")
    report.add("CEL's share of reading", 100 * _share(profile), "%")


def _grading(report: Report, books: Sequence[Book]) -> None:
    """Add systems graded per second beside the two limits, and CEL's share of grading."""
    full, partly = _systems(books, SYSTEMS)
    grade = _grader(books)
    grade(full[:5])
    took = _cpu(lambda: grade(full))
    lookup = _cpu(_lookup(books, full))
    evaluated = _cpu(_evaluated(books, full))
    rate = SYSTEMS / took
    report.add(
        "systems graded, every question answered",
        rate,
        "per second",
        against=("bare look-up of every table", SYSTEMS / lookup),
        bar=("at least", RATE),
    )
    report.add(
        "the same beside evaluating every condition",
        rate,
        "per second",
        against=("raw CEL evaluation", SYSTEMS / evaluated),
    )
    profile = cProfile.Profile()
    profile.enable()
    grade(full)
    profile.disable()
    report.add("CEL's share of grading", 100 * _share(profile), "%", bar=("at most", 0))
    for name, share in _places(profile):
        report.add(f"share of grading, {name}", 100 * share, "%")
    took = _cpu(lambda: grade(partly))
    report.add("systems graded, up to five answers missing in each pack", SYSTEMS / took, "per second")
    for book in books:
        one = _cpu(lambda book=book: book.grade({}, as_of=DAY))  # type: ignore[misc]
        report.add(f"one system with no answer at all, {book.pack.id}", 1000 * one, "ms")


def _growth(report: Report, books: Sequence[Book]) -> None:
    """Add the time per system at 1x, 10x and 100x as many: medians of nine, three and one; no system comes twice."""
    runs = {1: 9, 10: 3, 100: 1}
    full, _ = _systems(books, SYSTEMS + sum(10 * times * count for times, count in runs.items()))
    grade = _grader(books)
    grade(full[:SYSTEMS])
    first, start = 0.0, SYSTEMS
    for times, count in runs.items():
        took = []
        for _ in range(count):
            batch = full[start : start + 10 * times]
            start += len(batch)
            took.append(_cpu(lambda batch=batch: grade(batch)) / len(batch))  # type: ignore[misc]
        middle = statistics.median(took)
        first = first or middle
        bar: tuple[Sense, float] | None = ("at most", 1.5) if times > 1 else None
        report.add(f"time per system, {times}x ({10 * times} systems), beside 1x", middle / first, "times", bar=bar)


def _asking(report: Report, books: Sequence[Book]) -> None:
    from tongqiu.norms.asking import Awaited, next_questions

    _, partly = _systems(books, 100)
    systems = [
        Awaited(system=f"urn:{number}", facts={key: value for part in each for key, value in part.items()})
        for number, each in enumerate(partly)
    ]
    took = _cpu(lambda: next_questions(systems, books, as_of=DAY))
    report.add("what to ask next over 100 systems", 1000 * took, "ms")
    fresh = [Awaited(system=f"urn:{number}", facts={}) for number in range(100)]
    took = _cpu(lambda: next_questions(fresh, books, as_of=DAY))
    report.add("what to ask next over 100 systems with no answer", 1000 * took, "ms")


def _systems(books: Sequence[Book], count: int) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """Return ``count`` drawn systems, each a table of answers for every pack: all answered, and some left out."""
    from tests.norms.test_laws_of_shipped_packs import full, part

    answered = [[full(book, seed) for book in books] for seed in range(count)]
    missing = [
        [part(book, facts, seed) for book, facts in zip(books, each, strict=True)] for seed, each in enumerate(answered)
    ]
    return answered, missing


def _grader(books: Sequence[Book]) -> Callable[[list[list[dict[str, Any]]]], None]:
    def grade(systems: list[list[dict[str, Any]]]) -> None:
        for each in systems:
            for book, facts in zip(books, each, strict=True):
                book.grade(facts, as_of=DAY)

    return grade


def _lookup(books: Sequence[Book], systems: list[list[dict[str, Any]]]) -> Callable[[], None]:
    """Return the least that grading could do: one cell of every table, and the gravest place of those that hold."""
    ready = []
    for each in systems:
        for book, facts in zip(books, each, strict=True):
            seen = book.questions.ruled(book.settle(facts))
            places = {key: book.facts[key].values.index(value) for key, value in seen.items()}
            rules = [(book.pack.scale(rule.scale).place(rule.grade), book.tables[rule.id]) for rule in book.pack.rules]
            ready.append((places, rules))

    def look() -> None:
        for places, rules in ready:
            gravest = 0
            for place, table in rules:
                cell = 0
                for fact, size in zip(table.facts, table.sizes, strict=True):
                    cell = cell * size + places[fact]
                if table.cells[cell] and place > gravest:
                    gravest = place

    return look


def _evaluated(books: Sequence[Book], systems: list[list[dict[str, Any]]]) -> Callable[[], None]:
    """Return the evaluation of every compiled condition on every system, the answers being laid out beforehand."""
    import cel

    programs = {book.pack.id: [cel.compile(rule.when) for rule in book.pack.rules] for book in books}
    ready = []
    for each in systems:
        for book, facts in zip(books, each, strict=True):
            seen: dict[str, Any] = {fact.key: False for fact in book.pack.facts if fact.type == "bool"}
            seen |= book.questions.ruled(book.settle(facts))
            tree: dict[str, Any] = {}
            for key, value in seen.items():
                *branch, leaf = key.split(".")
                node = tree
                for part in branch:
                    node = node.setdefault(part, {})
                node[leaf] = value
            ready.append((programs[book.pack.id], tree))

    def evaluate() -> None:
        for conditions, tree in ready:
            for program in conditions:
                program.execute(tree)

    return evaluate


def _cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _share(profile: cProfile.Profile) -> float:
    """Return the share of the profiled time that was spent compiling and running expressions (CEL) itself."""
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(row[2] for row in stats.values())
    inside = sum(row[2] for (_, _, name), row in stats.items() if "cel." in name or "builtins.Program" in name)
    return inside / total if total else 0.0


def _places(profile: cProfile.Profile) -> list[tuple[str, float]]:
    """Return the three rooms of the norms package in which grading spends most time, with their shares."""
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(row[2] for row in stats.values())
    files: dict[str, float] = {}
    for (file, _, _), row in stats.items():
        if "/tongqiu/norms/" in file:
            files[Path(file).name] = files.get(Path(file).name, 0.0) + row[2]
    return [(name, spent / total) for name, spent in sorted(files.items(), key=lambda each: -each[1])[:3]]


# --- what goes out ---------------------------------------------------------------------------------------------------


def _oscal(report: Report) -> None:
    """Add how many OSCAL documents compliance-trestle accepts: a catalog and a profile of every pack, every crosswalk."""
    try:
        from tests.norms.test_oscal import judged
    except ImportError:  # without compliance-trestle, a library for tests, nobody judges them
        return
    from tongqiu.norms.crosswalks.shelf import load, shipped, shipped_pack
    from tongqiu.norms.library import shipped as packs
    from tongqiu.norms.oscal.catalog import write_catalog, write_profile
    from tongqiu.norms.oscal.mapping import write_mapping

    held = [pack for pack in map(shipped_pack, packs()) if pack.requirements]
    written = [write(pack) for pack in held for write in (write_catalog, write_profile)]
    walks = [load(name) for name in shipped()]
    written += [write_mapping(each, shipped_pack(each.from_), shipped_pack(each.to)) for each in walks]
    valid = 0
    for data in written:
        try:
            judged(data)
        except (AssertionError, ValueError):
            continue
        valid += 1
    report.add("OSCAL documents written", len(written), "documents")
    report.add("OSCAL documents valid (compliance-trestle)", 100 * valid / len(written), "%", bar=("at least", 100))
