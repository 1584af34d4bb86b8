"""Four processes write one log at once, each half of what another writes too, and one is killed: one root, nothing lost.

``python -m benchmarks.writers_ledger`` prints the figures; ``bench_ledger`` adds them to its own by ``add(report)``. Each
process opens the same store, hands in its statements in groups of any size, and prints the place of each as soon as it is
durable; :func:`judged` compares what all of them printed with the log as it then is.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.ledger.log import Log, Submission, check_in
from tongqiu.ledger.sequencer import Sequencer
from tongqiu.seal import keyfile
from tongqiu.seal.statement import seal_statement
from tongqiu.store.house import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report import Report
    from tongqiu.ledger.log import Sealed

ORIGIN = "bench.example/writers"
PARTY, LOG_KEY = keyfile.from_seed(b"p" * 32), keyfile.from_seed(b"l" * 32)
WRITERS = 4
_WAIT = 300


class Written(NamedTuple):
    """What came of it: entries in the log, how often a place was told, of these again, and the seconds it took."""

    entries: int
    told: int
    repeated: int
    seconds: float


def items(writer: int, each: int) -> list[Sealed]:
    """Return the statements of one writer: half its own, half the next one's; the same every time."""
    names = [f"{writer}.{number}" for number in range(each // 2)]
    names += [f"{(writer + 1) % WRITERS}.{number}" for number in range(each // 2)]
    random.Random(writer).shuffle(names)  # noqa: S311 - an order, no secret
    return [_sealed(name) for name in names]


def _sealed(name: str) -> Sealed:
    salt = name.encode().ljust(32, b".")
    data = seal_statement(b"", salt, signer=PARTY, issuer=PARTY.public.did, subject=f"urn:x:{name}")
    return check_in(data, PARTY.public)


def write(folder: Path, writer: int, each: int) -> None:
    """Be one of the writers: wait for a line, hand in everything, and print each place once it is durable."""
    chance = random.Random(f"{writer} groups")  # noqa: S311 - sizes, no secret
    given = items(writer, each)
    with open_store(folder, create=True) as store, Sequencer(Log(store.backend, LOG_KEY, ORIGIN)) as sequencer:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        while given:
            # A dozen people at once, each with a few records, some of them twice.
            answers = []
            for _ in range(12):
                size = chance.choice((1, 1, 2, 7))
                group, given = given[:size], given[size:]
                if group:
                    answers += [sequencer.submit(Submission(tuple(group))) for _ in range(chance.choice((1, 1, 2)))]
            lines = [f"{place.index} {place.entry.hex()}\n" for answer in answers for place in answer.result()]
            sys.stdout.write("".join(lines))
            sys.stdout.flush()


def together(folder: Path, each: int, *, writers: int = WRITERS, kill: int | None = None) -> Written:
    """Let so many processes write at once, kill the one numbered ``kill`` in the middle, and judge what is left.

    Raises AssertionError naming the first promise that was broken.
    """
    command = [sys.executable, "-m", "benchmarks.writers_ledger", str(folder)]
    running = [
        subprocess.Popen(
            [*command, str(number), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        for number in range(writers)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    first = ""
    if kill is not None:
        chosen = running[kill]
        assert chosen.stdout is not None
        first = chosen.stdout.readline()
        chosen.send_signal(signal.SIGKILL)
    printed = [process.communicate(timeout=_WAIT)[0] for process in running]
    seconds = time.perf_counter() - began
    for number, process in enumerate(running):
        assert process.returncode == (-signal.SIGKILL if number == kill else 0), f"writer {number} failed"
    if kill is not None:
        printed[kill] = first + printed[kill]
    return judged(folder, [items(number, each) for number in range(writers)], printed, kill)._replace(seconds=seconds)


def judged(folder: Path, given: Sequence[Sequence[Sealed]], printed: Sequence[str], killed: int | None) -> Written:
    """Check one root, every told place, every entry once, and that all of whoever lived is there."""
    with open_store(folder, create=False) as store:
        head = Log(store.backend, LOG_KEY, ORIGIN).audit()
        entries = store.backend.entries(0, head.size)
    assert len(set(entries)) == head.size, "an entry stands twice"
    places = {entry.hex(): index for index, entry in enumerate(entries)}
    # A line that a kill cut short was told to nobody.
    told = [line.split(" ") for text in printed for line in text.split("\n")[:-1]]
    for index, entry in told:
        assert places.get(entry) == int(index), f"told {index} for {entry}, found {places.get(entry)}"
    alive = {item.entry.hex() for number, each in enumerate(given) if number != killed for item in each}
    assert alive <= places.keys(), "a statement of a writer that lived is not there"
    every = {item.entry.hex() for each in given for item in each}
    assert places.keys() - every == {entries[0].hex()}, "the log has what nobody handed in"
    return Written(head.size - 1, len(told), len(told) - len({entry for _, entry in told}), 0.0)


def add(report: Report, each: int = 4000) -> None:
    """Add the rows: one process alone, four at once, and four of which one is killed."""
    with tempfile.TemporaryDirectory() as folder:
        alone = together(Path(folder, "one"), each, writers=1)
        four = together(Path(folder, "four"), each)
        killed = together(Path(folder, "killed"), each, kill=2)
    rate = alone.entries / alone.seconds
    report.add("one process, groups of 1 to 7, durable", rate, "1/s")
    report.add(
        "four processes, one root, half of it handed in twice",
        four.told / four.seconds,
        "1/s",
        against=("one process", alone.told / alone.seconds),
    )
    report.add("  places told", four.told, "places", against=("entries", four.entries))
    report.add("  told for what another had logged, same place", four.repeated, "places")
    report.add("  and one killed: entries that re-derive, none lost", killed.entries, "entries")


def main() -> None:
    """Be a writer when a folder, a number and a count are given; otherwise print the figures."""
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
        return
    from benchmarks.report import Report

    report = Report("writers")
    add(report)
    print(report.table())


if __name__ == "__main__":
    main()
