"""The list of the desk's guards, which `python -m benchmarks.desk_guards` takes away one by one, is up to date."""

from __future__ import annotations

import pytest

from benchmarks import desk_guards, mutations


@pytest.mark.parametrize("guard", desk_guards.GUARDS, ids=lambda guard: guard.name)
def test_every_guard_stands_where_the_list_says(guard: mutations.Guard) -> None:
    source = (mutations.ROOT / "src" / "tongqiu" / guard.file).read_text(encoding="utf-8")
    assert source.count(guard.text) == 1
    compile(source.replace(guard.text, guard.instead), guard.file, "exec")
    assert all((mutations.ROOT / test).is_file() for test in guard.tests)
