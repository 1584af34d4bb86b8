"""One corpus, one answer: in threads, in Daft, on a cluster that loses a machine, and after a kill in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.practices.dataset.corpus import papers
from tongqiu.practices.dataset.corpus import auditing, engine, source
from tongqiu.practices.dataset.corpus.bodies import Audit
from tongqiu.practices.dataset.corpus.digest import digest_of
from tongqiu.practices.dataset.corpus.engine import Outcome
from tongqiu.practices.dataset.corpus.source import Keys, Plan
from tongqiu.practices.dataset.corpus_kinds import AUDIT, evidence, holds
from tongqiu.practices.dataset.corpus_views import corpora
from tongqiu.record.faults import Missing, Refused

KEYS = Keys(source="source", time="time")


def looked(folder: Path, kept: Path, how: str = "here") -> tuple[Outcome, Plan, Audit]:
    plan = source.plan(folder, KEYS)
    outcome = engine.run(plan, KEYS, kept=kept, engine=how)
    return outcome, plan, auditing.audit(outcome, plan, engine=how)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    papers.write(folder)
    return folder


@pytest.fixture(scope="module")
def here(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Plan, Audit]:
    return looked(corpus, tmp_path_factory.mktemp("kept"))


def test_an_audit_says_what_is_in_the_corpus(here: tuple[Outcome, Plan, Audit]) -> None:
    _, _, body = here
    assert list(holds(body)) == []
    assert body.documents == 240
    assert body.lost == 6
    assert [trouble.code for trouble in body.troubles] == ["corpus.record"]
    assert {(place.file, place.record) for place in body.troubles[0].places} == {(file.path, 4) for file in body.files}
    assert {each.language for each in body.tongues} >= {"en", "zh"}
    assert body.years == (2015, 2020)
    sources = {each.value for each in body.slices if each.by == "source"}
    assert sources == {"site0.example", "site1.example", "site2.example"}
    assert {each.value: each.documents for each in body.slices if each.by == "split"} == {"test": 40, "train": 200}
    assert body.duplicates.exact > 10
    assert body.duplicates.near > 5
    assert body.distinct.value == 240 - body.duplicates.exact
    assert {(leak.tested, leak.among) for leak in body.duplicates.leaks} >= {("test", "train")}
    emails = next(each for each in body.personal if each.sort == "e-mail")
    assert emails.documents >= 30
    assert len(list(evidence(body))) >= 13
    assert AUDIT.read(AUDIT.write(body)) == body


def test_no_value_of_a_person_is_recorded_or_kept(here: tuple[Outcome, Plan, Audit], corpus: Path) -> None:
    outcome, plan, body = here
    del corpus
    name = papers.CANARY.partition("@")[0].encode()
    assert name not in msgspec.json.encode(body)
    assert name not in outcome.summary.encode()
    del plan


def test_places_are_records_of_files(here: tuple[Outcome, Plan, Audit], corpus: Path) -> None:
    _, _, body = here
    for cluster in body.duplicates.clusters:
        if cluster.kind == "exact":
            found = set()
            for place in cluster.places:
                line = (corpus / place.file).read_text("utf-8").split("\n")[place.record - 1]
                found.add(json.loads(line)["text"])
            assert len(found) == 1


def test_daft_gives_the_same_digest(here: tuple[Outcome, Plan, Audit], corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("daft")
    outcome, _, body = here
    other, _, told = looked(corpus, tmp_path, "daft")
    assert other.digest == outcome.digest
    assert told.digest == body.digest
    assert told.means.engine == "daft"


def test_a_second_run_takes_up_what_is_there(here: tuple[Outcome, Plan, Audit], corpus: Path, tmp_path: Path) -> None:
    outcome, _, body = here
    looked(corpus, tmp_path)
    pieces = sorted((tmp_path / "pieces").glob("*.piece"))
    assert len(pieces) == 6
    pieces[0].unlink()
    pieces[1].write_bytes(pieces[1].read_bytes()[:-1])
    before = {path: path.stat().st_mtime_ns for path in pieces[2:]}
    again, _, told = looked(corpus, tmp_path)
    assert again.resumed == 5
    assert {path: path.stat().st_mtime_ns for path in pieces[2:]} == before
    assert (again.digest, told.digest) == (outcome.digest, body.digest)


def test_what_was_kept_of_other_files_is_let_go(corpus: Path, tmp_path: Path) -> None:
    papers.write(tmp_path, files=1, documents=20)
    kept = tmp_path / "kept"
    first, _, _ = looked(tmp_path, kept)
    papers.write(tmp_path, files=1, documents=21, seed=2)
    second, _, body = looked(tmp_path, kept)
    assert (first.resumed, second.resumed) == (0, 0)
    assert body.documents == 21
    del corpus


def test_progress_ends_at_the_whole(corpus: Path, tmp_path: Path) -> None:
    steps: list[tuple[float, float | None]] = []
    plan = source.plan(corpus, KEYS)
    engine.run(plan, KEYS, kept=tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1:] == [(plan.size, plan.size)]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_an_engine_nobody_knows_and_a_column_that_is_nowhere(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"corpus\.engine"):
        engine.run(source.plan(corpus, KEYS), KEYS, kept=tmp_path, engine="cloud")
    (tmp_path / "a.csv").write_text("id,words\n1,x\n")
    with pytest.raises(Missing, match=r"dataset\.column"):
        engine.run(source.plan(tmp_path / "a.csv", Keys()), Keys(), kept=tmp_path / "kept")


def test_impossible_numbers_are_named(here: tuple[Outcome, Plan, Audit]) -> None:
    _, _, body = here

    def named(**changes: object) -> set[str]:
        changed = msgspec.structs.replace(body, **changes)
        return set(holds(msgspec.structs.replace(changed, digest=digest_of(changed))))

    assert set(holds(msgspec.structs.replace(body, words=body.words + 1))) == {"digest"}
    assert named(empty=1000) == {"empty"}
    assert named(files=()) == {"files"}
    assert "tongues" in named(tongues=body.tongues[1:])
    assert "slices.source" in named(slices=tuple(each for each in body.slices if each.value != "site1.example"))
    assert "duplicates" in named(duplicates=msgspec.structs.replace(body.duplicates, exact=999))
    assert "personal" in named(personal_documents=0)
    spread = msgspec.structs.replace(body.spreads[0], values=tuple(reversed(body.spreads[0].values)))
    assert "spreads.bytes" in named(spreads=(spread,))


_RUN = """
import sys
from pathlib import Path
from tests.practices.dataset.corpus.test_engine import looked
outcome, _, body = looked(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
print(outcome.digest, body.digest, outcome.resumed)
"""


@pytest.mark.system
def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    papers.write(tmp_path / "data", files=24, documents=60)
    command = [sys.executable, "-c", _RUN, str(tmp_path / "data"), str(tmp_path / "kept"), "here"]
    where = Path(__file__).parents[4]
    child = subprocess.Popen(command, cwd=where, env=os.environ | {"PYTHONPATH": str(where)})
    pieces = tmp_path / "kept" / "pieces"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(pieces.glob("*.piece"))) < 5:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    there = {path: path.stat().st_mtime_ns for path in pieces.glob("*.piece")}
    assert 5 <= len(there) < 24
    said = subprocess.run(
        command, cwd=where, env=os.environ | {"PYTHONPATH": str(where)}, check=True, capture_output=True
    )
    digest, whole, resumed = said.stdout.decode().split()[-3:]
    assert int(resumed) == len(there)
    assert {path: path.stat().st_mtime_ns for path in there} == there
    outcome, _, body = looked(tmp_path / "data", tmp_path / "other")
    assert (outcome.digest, body.digest) == (digest, whole)


_CLUSTER = """
import sys, threading, time
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from tests.practices.dataset.corpus.test_engine import looked
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 10**8})
nodes = [cluster.add_node(num_cpus=1, object_store_memory=10**8) for _ in range(2)]
ray.init(address=cluster.address, log_to_driver=False)
kept = Path(sys.argv[2])
lost = []
def kill():
    while len(list((kept / "pieces").glob("*.piece"))) < 3:
        time.sleep(0.02)
    cluster.remove_node(nodes[1], allow_graceful=False)
    lost.append(len(list((kept / "pieces").glob("*.piece"))))
killing = threading.Thread(target=kill, daemon=True)
killing.start()
outcome, _, body = looked(Path(sys.argv[1]), kept, "ray:" + cluster.address)
killing.join()
# The head node notices a lost machine after a while.
until = time.monotonic() + 60
while (alive := sum(node["Alive"] for node in ray.nodes())) != 2 and time.monotonic() < until:
    time.sleep(0.1)
# Ray writes on standard output as well, whenever it likes.
told = (outcome.digest, body.digest, body.means.engine, alive, lost[0], outcome.pieces)
Path(sys.argv[3]).write_text(" ".join(map(str, told)))
"""


@pytest.mark.system
def test_a_cluster_that_loses_a_machine_gives_the_same_digest(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    papers.write(tmp_path / "data", files=24, documents=60)
    where = Path(__file__).parents[4]
    command = [sys.executable, "-c", _CLUSTER, str(tmp_path / "data"), str(tmp_path / "kept"), str(tmp_path / "told")]
    said = subprocess.run(
        command, cwd=where, env=os.environ | {"PYTHONPATH": str(where)}, capture_output=True, timeout=600, check=False
    )
    assert said.returncode == 0, said.stderr.decode()[-3000:]
    digest, whole, how, alive, lost, pieces = (tmp_path / "told").read_text().split()
    assert (how, alive) == ("ray", "2")
    assert int(lost) < int(pieces) == 24
    outcome, _, body = looked(tmp_path / "data", tmp_path / "here")
    assert (outcome.digest, body.digest) == (digest, whole)


def test_the_registry_has_one_row_an_audit(here: tuple[Outcome, Plan, Audit]) -> None:
    from tests.practices.dataset.corpus.statements import statement

    _, _, body = here
    (row,) = corpora(statement(body))
    assert row.values["documents"] == 240
    assert row.values["digest"] == body.digest
