"""Work that goes on when nobody watches: an assessment in a process of its own, its progress kept in the store.

``python -I -m tongqiu.node.work HOME JOB`` is that process; :func:`detach` starts it and returns at once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tongqiu.node import assess as main_job
from tongqiu.node import passports
from tongqiu.node.node import open_node
from tongqiu.record.faults import Fault, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.node.node import Node
    from tongqiu.store.jobs import Jobs


class JobWatch:
    """A watch that keeps progress in the store, and stops the work when somebody asked for that."""

    def __init__(self, jobs: Jobs, name: str) -> None:
        """Keep the progress of the job ``name``."""
        self._jobs, self._name = jobs, name
        self._all, self._over = 1.0, 0.0
        self._parts: dict[str, float] = {}

    def planned(self, runs: Sequence[str], unchanged: Sequence[str]) -> None:
        """Note how much there is to do."""
        self._all = float(max(1, len(runs)))
        self._note(", ".join(unchanged[:1]))

    def progress(self, run: str, done: float, total: float | None) -> None:
        """Note how far a run is."""
        if total:
            self._parts[run] = min(1.0, done / total)
        self._note(run)

    def ended(self, run: str, fault: Fault | None) -> None:
        """Note that a run ended."""
        del fault
        self._parts.pop(run, None)
        self._over = min(self._all, self._over + 1)
        self._note(run)

    def _note(self, note: str) -> None:
        done = min(self._all, self._over + sum(self._parts.values()))
        if self._jobs.progress(self._name, done, self._all, note):
            raise Refused(
                "job.cancelled",
                Text(en="The work was stopped on request.", zh="工作已按请求停止。"),
                do=Text(en="Start it again; what was done is kept.", zh="可重新开始；已完成的部分均已保存。"),
            )


def detach(node: Node, folder: Path, *, out: Path | None, ran_by: str, withhold: Sequence[str]) -> str:
    """Start an assessment of ``folder`` in a process of its own and return the job's name."""
    arguments = {
        "folder": str(folder.resolve()),
        "out": str((out or folder / ".tongqiu").resolve()),
        "ran_by": ran_by,
        "withhold": list(withhold),
    }
    name = node.store.jobs.create("assess", arguments, node.me)
    subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-I", "-m", "tongqiu.node.work", str(node.home.path.resolve()), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return name


def main() -> None:
    """Do the one job that the arguments of this process name."""
    work(Path(sys.argv[1]), sys.argv[2])


def work(home: Path, name: str) -> None:
    """Do the job ``name`` of the node at ``home``: assess, write the evidence file, note how it ended."""
    with open_node(home) as node:
        jobs = node.store.jobs
        jobs.start(name)
        arguments = jobs.get(name).args
        try:
            outcome = main_job.assess(
                node, Path(arguments["folder"]), watch=JobWatch(jobs, name), ran_by=arguments["ran_by"]
            )
            out = Path(arguments["out"])
            out.mkdir(parents=True, exist_ok=True)
            draft = out / ".passport.tqp.draft"
            draft.write_bytes(passports.export(node, outcome.system, withhold=arguments["withhold"]))
            draft.replace(out / "passport.tqp")
        except Fault as fault:
            if fault.code == "job.cancelled":
                jobs.stopped(name)
            else:
                jobs.fail(name, fault)
            return
        failed = [[run, fault.code] for run, fault in outcome.failed]
        jobs.finish(name, {"done": list(outcome.done), "unchanged": list(outcome.unchanged), "failed": failed})


if __name__ == "__main__":
    main()
