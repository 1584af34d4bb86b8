"""The main job on a small real folder: it finds, skips, replaces, withdraws, resumes, and survives every bad input."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from tongqiu.node import passports
from tongqiu.node.assess import assess
from tongqiu.node.node import open_node
from tongqiu.node.runs import ChildRunner
from tongqiu.record import core
from tongqiu.record.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tongqiu.node import Node
    from tongqiu.node.assess import Outcome


def _findings(outcome: Outcome) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for statement in outcome.standing:
        for each in statement.content.findings:
            found.setdefault(each.verdict, set()).add(each.code)
    return found


def _fault(outcome: Outcome, run: str) -> Fault:
    (found,) = [fault for name, fault in outcome.failed if name.startswith(run)]
    assert found.what.zh != found.what.en
    assert found.do.zh
    return found


@pytest.fixture
def outcome(node: Node, folder: Path) -> Outcome:
    return assess(node, folder)


def test_every_practice_that_applies_leaves_records(node: Node, outcome: Outcome) -> None:
    assert outcome.failed == ()
    kinds = {each.kind.partition(".")[0] for each in outcome.standing}
    assert {"core", "dataset", "evaluation", "supply", "grading"} <= kinds
    assert all(each.issuer == node.me for each in outcome.standing)


def test_the_second_time_nothing_is_repeated_and_nothing_is_logged(node: Node, folder: Path, outcome: Outcome) -> None:
    size = node.store.backend.head().size
    again = assess(node, folder)
    assert again.done == ()
    assert len(again.unchanged) == len(outcome.done)
    assert node.store.backend.head().size == size
    assert [each.entry for each in again.standing] == [each.entry for each in outcome.standing]


def test_changed_data_replaces_what_rested_on_it_and_nothing_else(node: Node, folder: Path, outcome: Outcome) -> None:
    table = folder / "cases.csv"
    table.write_text(table.read_text() + "400,a,yes,yes\n")
    again = assess(node, folder)
    assert any(name.startswith("evaluation.") for name in again.done)
    assert any(name.startswith("supply.licences: program") for name in again.unchanged)
    before = {each.entry: each for each in outcome.standing}
    now = {each.entry for each in again.standing}
    gone = [each for entry, each in before.items() if entry not in now]
    assert {each.kind for each in gone} >= {"evaluation.result/1", "dataset.profile/1", core.COMPOSITION.name}
    counts = [each.evidence for each in (statement.content for statement in again.standing) if each.evidence]
    assert any(item.n == 401 for evidence in counts for item in evidence)
    assert not any(item.n == 400 for evidence in counts for item in evidence)


@pytest.mark.system
def test_going_back_to_the_first_data_says_the_first_things_again(node: Node, folder: Path, outcome: Outcome) -> None:
    table = folder / "cases.csv"
    first = table.read_bytes()
    table.write_bytes(first + b"400,a,yes,yes\n")
    assess(node, folder)
    table.write_bytes(first)
    back = assess(node, folder)
    assert [(each.kind, each.body) for each in back.standing if each.kind == "evaluation.result/1"] == [
        (each.kind, each.body) for each in outcome.standing if each.kind == "evaluation.result/1"
    ]


def test_what_is_no_longer_declared_no_longer_stands(node: Node, folder: Path, outcome: Outcome) -> None:
    del outcome
    manifest = folder / "tongqiu.toml"
    manifest.write_text(manifest.read_text().replace('sensitive = ["group"]\n', "").replace('label = "label"\n', ""))
    again = assess(node, folder)
    assert not any(each.kind == "evaluation.fairness/1" for each in again.standing)


def test_rebuilt_registries_equal_the_live_ones(node: Node, outcome: Outcome) -> None:
    del outcome
    for name in node.practices.views:
        before = node.registry.digest(name)
        node.registry.rebuild(name)
        assert node.registry.digest(name) == before


def test_a_walk_from_a_verdict_ends_at_measurements(node: Node, outcome: Outcome) -> None:
    verdict = next(each for each in outcome.standing if each.kind == "evaluation.verdict/1")
    walked = node.desk(node.owner).explain(verdict.entry)
    assert walked.asked
    assert {each.statement.kind for each in walked.why} >= {"evaluation.result/1"}
    assert all(not each.why for each in walked.why)


# --- bad input -------------------------------------------------------------------------------------------------------


def _with_table(folder: Path, data: bytes) -> None:
    (folder / "cases.csv").write_bytes(data)


def test_an_empty_table_is_named_and_the_rest_goes_on(node: Node, folder: Path) -> None:
    _with_table(folder, b"")
    outcome = assess(node, folder)
    assert _fault(outcome, "dataset.profile").code == "table.empty"
    assert any(name.startswith("supply.licences: program") for name in outcome.done)
    recorded = next(each for each in outcome.standing if each.kind == core.ASSESSMENT.name)
    assert "table.empty" in {each["code"] for each in recorded.body["failed"]}


def test_a_line_without_end_is_refused_without_keeping_it_in_memory(node: Node, folder: Path) -> None:
    # tests/scan feeds five gigabytes; here the whole flow meets one line of 400 MB.
    with (folder / "cases.csv").open("wb") as file:
        file.write(b"id,label\n1,")
        for _ in range(400):
            file.write(b"x" * (1 << 20))
    outcome = assess(node, folder)
    assert {fault.code for name, fault in outcome.failed if name.startswith("dataset.")} == {"table.line"}


def test_one_class_only_gives_no_measure_that_needs_two(node: Node, folder: Path) -> None:
    _with_table(folder, b"id,group,label,decision\n" + b"".join(b"%d,a,yes,yes\n" % n for n in range(50)))
    outcome = assess(node, folder)
    found = [each for each in outcome.standing if each.kind.startswith("evaluation.")]
    assert outcome.failed or not any(
        item.measure.startswith("evaluation.") and item.value is not None and "negative-rate" in item.measure
        for each in found
        for item in each.content.evidence
    )
    assert "unmet" not in {finding.verdict for each in found for finding in each.content.findings}


def test_a_group_of_three_is_too_few_to_judge(node: Node, folder: Path) -> None:
    table = folder / "cases.csv"
    table.write_text(table.read_text() + "".join(f"9{n},tiny,yes,no\n" for n in range(3)))
    outcome = assess(node, folder)
    assert outcome.failed == ()
    shown = [item for each in outcome.standing for item in each.content.evidence if "tiny" in item.group.values()]
    assert all(item.value is None for item in shown)


def _model(folder: Path, name: str) -> None:
    manifest = folder / "tongqiu.toml"
    manifest.write_text(
        manifest.read_text() + f'\n[[model]]\nname = "m"\npath = "{name}"\ntask = "binary-classification"\n'
    )


def test_a_pickle_is_never_opened(node: Node, folder: Path, tmp_path: Path) -> None:
    proof = tmp_path / "was-executed"
    (folder / "m.pkl").write_bytes(b"cos\nsystem\n(S'touch %s'\ntR." % str(proof).encode())
    _model(folder, "m.pkl")
    outcome = assess(node, folder)
    assert not proof.exists()
    unmet = [
        each
        for statement in outcome.standing
        if statement.kind.startswith("supply.")
        for each in statement.content.findings
        if each.verdict == "unmet" and statement.subject.name == "m"
    ]
    assert unmet


def test_a_zip_bomb_is_not_unpacked(node: Node, folder: Path) -> None:
    with zipfile.ZipFile(folder / "m.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("archive/data.pkl", b"\0" * (200 << 20))
    _model(folder, "m.pt")
    with gzip.open(folder / "cases.csv.gz", "wb") as packed:
        packed.write(b"a,b\n" + b"0" * (300 << 20))
    manifest = folder / "tongqiu.toml"
    manifest.write_text(manifest.read_text().replace('path = "cases.csv"', 'path = "cases.csv.gz"'))
    outcome = assess(node, folder)
    assert {fault.code for name, fault in outcome.failed if name.startswith("dataset.")} <= {"table.bomb", "table.line"}
    assert any(name.startswith("dataset.") for name, _ in outcome.failed)


def test_a_loop_of_links_in_a_code_folder_does_not_stop_anything(node: Node, folder: Path) -> None:
    (folder / "code" / "again").symlink_to(folder / "code")
    (folder / "code" / "self").symlink_to("self")
    assert assess(node, folder).failed == ()


def test_a_run_that_dies_is_named_and_others_are_kept(node: Node, folder: Path) -> None:
    class Deadly(ChildRunner):
        """Kills the children of one probe as soon as they report progress or begin."""

        def run(self, planned, progress):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            from tongqiu.record.faults import Refused
            from tongqiu.record.text import Text

            for ended in super().run(planned, progress):
                if ended.planned.name.startswith("dataset."):
                    fault = Refused("run.ended", Text(en="killed", zh="被终止"), do=Text(en="again", zh="重试"))
                    yield ended._replace(said=(), fault=fault)
                else:
                    yield ended

    outcome = assess(node, folder, runner=Deadly())
    assert {fault.code for _, fault in outcome.failed} == {"run.ended"}
    again = assess(node, folder)
    assert again.failed == ()
    assert {name.partition(":")[0] for name in again.done} & {"dataset.profile"}
    assert not any(name.startswith("supply.licences") for name in again.done)


# --- kill and resume -------------------------------------------------------------------------------------------------

_DRIVER = """
import sys
from pathlib import Path
from tongqiu.node.node import open_node
from tongqiu.node.assess import assess
with open_node(Path(sys.argv[1])) as node:
    assess(node, Path(sys.argv[2]))
"""


@pytest.mark.system
@pytest.mark.parametrize("after", [0.6, 1.0, 1.4, 1.9, 2.5])
def test_a_kill_at_any_moment_loses_nothing_and_shows_nothing_half_written(
    tmp_path: Path, folder: Path, after: float
) -> None:
    home = tmp_path / "home"
    open_node(home, create=True, name="Lab").close()
    process = subprocess.Popen([sys.executable, "-c", _DRIVER, str(home), str(folder)], start_new_session=True)
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with open_node(home) as node:
        head = node.log.audit()
        kept = {each.entry for each in node.store.statements(limit=10_000, principal=node.owner, now=node.now)}
        for entry in kept:
            node.log.receipt(node.statement(entry).index)
        outcome = assess(node, folder)
        assert outcome.failed == ()
        assert node.store.backend.head().size >= head.size
        for entry in kept:
            assert node.statement(entry).entry == entry
        for name in node.practices.views:
            live = node.registry.digest(name)
            node.registry.rebuild(name)
            assert node.registry.digest(name) == live
        found = passports.verify(
            passports.export(node, outcome.system),
            policy=passports.own_policy(node.home),
            practices=node.practices,
            now=node.now,
        )
        assert found.sound
