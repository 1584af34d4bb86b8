"""The door through which an engine starts: limits first, then the engine's module.

``python -I -m tongqiu.node.jail MEGABYTES SECONDS MODULE [ARG ...]``
"""

from __future__ import annotations

import runpy
import sys

from tongqiu.node.world import confine


def main() -> None:
    """Confine this process and become the module that was named."""
    megabytes, seconds, module = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    confine(megabytes, seconds, network=False)
    sys.argv = [module, *sys.argv[4:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
