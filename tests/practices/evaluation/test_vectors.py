"""Released kinds keep their shape: every example body still reads, and no schema has changed under its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tongqiu.practice import load
from tongqiu.practices import evaluation

FOLDER = Path(evaluation.__file__).parent / "vectors"
KINDS = {kind.name: kind for kind in evaluation.PRACTICE.kinds}


def test_every_schema_is_pinned_and_unchanged() -> None:
    pinned = json.loads((FOLDER / "schemas.json").read_text(encoding="utf-8"))
    assert pinned == {name: kind.schema_digest for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_has_an_example_that_reads_and_writes_to_itself(name: str) -> None:
    examples = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    mine = [each["body"] for each in examples if each.get("kind") == name]
    assert mine
    for body in mine:
        kind = KINDS[name]
        assert json.loads(json.dumps(kind.write(kind.read(body)))) == body


def test_every_reference_of_the_practice_leads_somewhere() -> None:
    practice = evaluation.PRACTICE
    refs = [ref for probe in practice.probes for ref in (probe.plan, probe.observe)]
    refs += [each.assess for each in practice.assessors] + [each.rows for each in practice.views]
    assert all(callable(load(ref)) for ref in refs)
