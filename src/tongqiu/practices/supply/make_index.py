"""Making the index of licence fingerprints from the licence texts of a ScanCode wheel.

Run by the people who maintain this folder, never by a node::

    pip download --no-deps scancode-toolkit==32.5.0
    python -m tongqiu.practices.supply.make_index scancode_toolkit-32.5.0-cp311-none-any.whl
    python -m tongqiu.practices.supply.make_index --measure scancode_toolkit-32.5.0-cp311-none-any.whl

The second form writes nothing; it says how many of the texts the shipped index recognises, whole and damaged.
The texts are read, fingerprinted and forgotten; only 40-bit hashes, ids and names are written. The data set
("ScanCode licence data", AboutCode and others) is under CC-BY-4.0; ``README.md`` gives the attribution.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.practices.supply import fingerprint
from tongqiu.practices.supply.fingerprint import Header, Known
from tongqiu.practices.supply.kinds import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "licensedcode/data/licenses/"

BESIDES = frozenset(
    {
        # Licences of models and of data that SPDX does not list.
        "apple-ml-ferret-2023",
        "bigcode-open-rail-m-v1",
        "bigscience-open-rail-m",
        "bigscience-open-rail-m2",
        "bigscience-rail-1.0",
        "deepseek-la-1.0",
        "exaone-ai-model-1.1-nc",
        "fair-ai-public-1.0",
        "fair-ai-public-1.0-sd",
        "falcon-2-11b-1.0",
        "flux-1-nc",
        "gemma-pup-2024-02-21",
        "gemma-tou-2024-04-01",
        "gemma-tou-2025-03-24",
        "gretelai-sal-1.0",
        "llama-2-license-2023",
        "llama-3.1-license-2024",
        "llama-3.2-license-2024",
        "llama-3.3-license-2024",
        "llama-4-cla-2025",
        "llama-4-license-2025",
        "llama-license-2023",
        "moonshot-ai-modified-mit-2025",
        "mov-ai-1.0",
        "mulanpsl-1.0-en",
        "mulanpsl-2.0-en",
        "mulanpubl-1.0",
        "mulanpubl-2.0",
        "nvidia-model-training-2025",
        "nvidia-open-model-2025-04-28",
        "openmdw-1.0",
        "qwen-2024",
        "responsible-ai-source-1.0",
        "responsible-ai-source-1.1",
        "salesforce-ai-aup-2025",
        "salesforce-ai-ethics-2025",
        "stability-ai-community-2024",
        "stability-ai-nc-2023-12-06",
        "tencent-hunyuan-3d-2.0-cla",
        "tongyi-qianwen-2023",
        # Terms often added to an open licence, which then is no longer that licence.
        "commons-clause",
        "elastic-license-v2",
    }
)
"""Names in the source of the texts that are taken although they have no SPDX id."""

_END = "END OF TERMS AND CONDITIONS"
_PARTS = re.compile(r"---\n(.*?)\n---\n?(.*)", re.DOTALL)
_FIELD = re.compile(r"^(\w+): (.*)$", re.MULTILINE)
_SAME = {"mulanpsl-1.0-en": "MulanPSL-1.0", "mulanpsl-2.0-en": "MulanPSL-2.0", "openmdw-1.0": "OpenMDW-1.0"}
"""Texts that are on the SPDX list (3.29) though the source does not say so: two translations and a later entry."""


class Entry(NamedTuple):
    """One text on its way into the index."""

    id: str
    name: str
    category: str
    exception: bool
    hashes: set[int]


def entries(key: str, text: str) -> list[Entry]:
    """Return what the source file ``key`` (front matter and text) gives: nothing where it is not taken, and a second
    entry without the appendix where the text says where its terms end.
    """
    parts = _PARTS.match(text)
    if parts is None:
        return []
    fields = dict(_FIELD.findall(parts[1]))
    spdx = _SAME.get(key) or fields.get("spdx_license_key", "")
    listed = bool(spdx) and not spdx.startswith("LicenseRef-")
    if (not listed and key not in BESIDES) or fields.get("is_deprecated") == "yes":
        return []
    if "-invariants-" in spdx:
        return []  # one text under several ids: whether there are invariant sections is said elsewhere
    terms, end, _ = parts[2].partition(_END)
    texts = (parts[2], terms) if end else (parts[2],)
    exception = fields.get("is_exception") == "yes"
    made = [
        Entry(spdx or f"LicenseRef-scancode-{key}", fields["name"], fields["category"], exception, hashes)
        for hashes in map(fingerprint.fingerprints, texts)
    ]
    return [each for each in made if len(each.hashes) >= fingerprint.LEAST]


def build(wheel: Path) -> bytes:
    """Return the index file made from the licence texts in ``wheel``; the same wheel gives the same bytes."""
    found = [made for key, text in texts_of(wheel) for made in entries(key, text)]
    found.sort(key=lambda each: (each.id, len(each.hashes), each.name))
    kept = [fingerprint.thin(each.hashes, fingerprint.scale_for(len(each.hashes))) for each in found]
    texts = tuple(
        Known(
            id=each.id,
            name=each.name,
            category=each.category,
            runs=len(each.hashes),
            kept=len(some),
            scale=fingerprint.scale_for(len(each.hashes)),
            exception=each.exception,
        )
        for each, some in zip(found, kept, strict=True)
    )
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return fingerprint.write(Header(f"{wheel.name} sha-256:{digest}", "CC-BY-4.0", texts), kept)


def texts_of(wheel: Path) -> Iterator[tuple[str, str]]:
    """Yield the key and the whole file (front matter and text) of every licence in ``wheel``, by key."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith(FOLDER) and name.endswith(".LICENSE"):
                yield name[len(FOLDER) : -len(".LICENSE")], archive.read(name).decode()


def measure(wheel: Path, damage: float) -> tuple[int, int, int]:
    """Return how many texts there are, how many are named rightly first, and how many of those count as whole, when
    the share ``damage`` of their words is replaced at random (the same each time).
    """
    draw = random.Random(1)  # noqa: S311 - damage, not a secret
    texts = right = whole = 0
    for key, text in texts_of(wheel):
        made = entries(key, text)
        parts = _PARTS.match(text)
        if made and parts:
            damaged = re.sub(r"\S+", lambda word: "zzyx" if draw.random() < damage else word[0], parts[2])
            found = fingerprint.recognise(damaged).matches[:1]
            texts += 1
            right += any(made[0].id in (each.id, *each.alternatives) for each in found)
            whole += any(each.score >= WHOLE for each in found)
    return texts, right, whole


def main(arguments: list[str]) -> int:
    """Write ``fingerprints.bin`` beside this file and print its digest, or measure it."""
    if arguments[0] == "--measure":
        for damage in (0.0, 0.01, 0.03, 0.05, 0.08):
            texts, right, whole = measure(Path(arguments[1]), damage)
            sys.stdout.write(f"{damage:4.0%} of words replaced: {right} of {texts} named rightly, {whole} as whole\n")
        return 0
    data = build(Path(arguments[0]))
    Path(__file__).with_name("fingerprints.bin").write_bytes(data)
    known = fingerprint.read(data).header.texts
    sys.stdout.write(f"{len(known)} texts, {len(data)} bytes, sha-256:{hashlib.sha256(data).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
