"""A small method of sums in two languages, models that answer it, and the world a run is lent, over a real journal."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tongqiu.node.gate import Consent, Gate
from tongqiu.node.gate import Question as Sent
from tongqiu.node.world import LentWorld
from tongqiu.practice import Spend
from tongqiu.practices.evaluation.language import runner
from tongqiu.practices.evaluation.language.models import Pins
from tongqiu.practices.evaluation.methods.shelf import Method, Question
from tongqiu.practices.evaluation.objects import Estimator, SystemIdentity, TestMethod
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tongqiu.practice import Reply, World

SYSTEM = SystemIdentity("name-and-date", "summer", "2026-11-01T00:00:00.000Z")
NEEDS = ("endpoint", "journal", "tree", "scratch", "clock", "progress")


def _right(question: Question, answer: str) -> float | None:
    if answer == "pass":
        return None
    return float(str(question.target["right"]) in answer)


def sums(clusters: int = 12, *, withheld: bool = False, together: bool = False) -> Method:
    """Return a method that asks sums, each in English and in Chinese."""
    questions = tuple(
        Question(
            id=f"sum-{number:02}.{language}",
            cluster=f"sum-{number:02}",
            language=language,
            slice="small" if number % 2 else "large",
            messages=(("system", "Answer with a number."), ("user", f"{asks} {number} + {1000 + number}")),
            target={"right": str(1000 + 2 * number), "constant": "1000", "random": ("1", "2")},
        )
        for number in range(clusters)
        for language, asks in (("en", "What is"), ("zh", "等于多少："))
    )
    facts = TestMethod(
        method="sums@1",
        title=Text(en="Sums", zh="加法"),
        about=Text(en="Share of sums that are right.", zh="算对的比例。"),
        measurand="sums.right",
        better="higher",
        classes=("language-model",),
        languages=("en", "zh"),
        data="sha-256:" + "c" * 64,
        items=len(questions),
        pins={"temperature": 0.0, "max_tokens": 16},
        estimator=Estimator("clustered-mean", cluster_key="cluster"),
        withheld=withheld,
    )
    return Method(facts, questions, _right, (lambda rows: tuple(_right(*row) for row in rows)) if together else None)


def adds(messages: tuple[tuple[str, str], ...]) -> str:
    """Answer a sum rightly."""
    one, _, other = messages[-1][1].rpartition(" + ")
    return str(int(one.split()[-1]) + int(other))


def job(method: Method, **changes: object) -> runner.Job:
    """Return the job to run all of ``method``."""
    return runner.Job(method, SYSTEM, Pins(16), 0)._replace(**changes)  # type: ignore[arg-type]


class Way:
    """The way to a service, straight through the node's gate."""

    def __init__(self, url: str, consent: Consent, questions: int = 1000) -> None:
        self.gate = Gate(Spend(url, questions, 10**7), consent)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}) -> Reply:
        """Ask through the gate."""
        return self.gate.ask(Sent(0, method, path, body, dict(headers)))


def lend(place: Path, way: Way | None = None, progress: list[float] | None = None) -> World:
    """Return a world with a fresh scratch folder, and the journal that stands in ``place``."""
    seen = progress if progress is not None else []
    world = LentWorld(
        NEEDS,
        folder=place,
        reads=(),
        scratch=Path(tempfile.mkdtemp(dir=place)),
        report=lambda done, _total: seen.append(done),
        endpoint=way,
        journal=place / "run.journal",
    )
    return cast("World", world)


def close(world: World) -> None:
    """Let go of the journal, as the end of the process would."""
    world.journal.close()  # type: ignore[attr-defined]
