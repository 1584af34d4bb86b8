"""Many threads read a type for the first time at the same moment, and the process lives."""

from __future__ import annotations

import subprocess
import sys

from tongqiu.record.statement import Content
from tongqiu.record.types import ready

RACE = """
import sys, threading
from typing import Annotated
import msgspec
from tongqiu.record.types import ready

sys.setswitchinterval(1e-6)
for number in range(60):
    inner = "".join(f"    a{i}: 'Annotated[str, msgspec.Meta(max_length={i + 1})] | None' = None\\n" for i in range(20))
    outer = "".join(f"    b{i}: 'list[Inner] | dict[str, Inner]' = []\\n" for i in range(8))
    exec(f"class Inner(msgspec.Struct):\\n{inner}class Outer(msgspec.Struct):\\n{outer}")
    gate, read = threading.Barrier(6), []

    def look():
        gate.wait()
        read.append(msgspec.convert({"b1": [{"a1": "x"}]}, ready(Outer)).b1[0].a1)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert read == ["x"] * 6, read
print("alive")
"""


def test_types_that_many_threads_meet_at_once_are_read() -> None:
    """Without the care that is taken, this ends the interpreter (msgspec 0.22, every time it was tried)."""
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]


def test_what_is_made_ready_is_the_type_itself() -> None:
    assert ready(Content) is Content
    assert ready(ready(Content)) is Content
