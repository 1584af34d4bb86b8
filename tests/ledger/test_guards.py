"""The list of guards that `python -m benchmarks.mutations` takes away is up to date, and taking one away is noticed."""

from __future__ import annotations

import pytest

from benchmarks import mutations


@pytest.mark.parametrize("guard", mutations.GUARDS, ids=lambda guard: guard.name)
def test_every_guard_stands_where_the_list_says(guard: mutations.Guard) -> None:
    source = (mutations.ROOT / "src" / "tongqiu" / guard.file).read_text(encoding="utf-8")
    assert source.count(guard.text) == 1
    changed = source.replace(guard.text, guard.instead)
    assert changed != source
    compile(changed, guard.file, "exec")
    assert all((mutations.ROOT / test).is_file() for test in guard.tests)


@pytest.mark.system
def test_a_guard_is_noticed_and_what_nobody_keeps_is_alive(capsys: pytest.CaptureFixture[str]) -> None:
    (kept,) = (guard for guard in mutations.GUARDS if guard.name == "quorum of witnesses")
    idle = kept._replace(name="a word that guards nothing", text="A witness counts once,", instead="A witness counts,")
    assert mutations.judge([kept, idle]) == [idle.name]
    said = capsys.readouterr().out
    assert f"killed {kept.name}" in said
    assert f"ALIVE  {idle.name}" in said
