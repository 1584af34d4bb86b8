"""Personal data where there are no people: how often something is found in text that holds no identifiers of anybody.

Run ``python -m benchmarks.personal_clean``. Tables of characters, devices, time zones, countries and words, program text and an index
of packages come from packages of Debian (``apt-get download``, nothing is installed; ``--packages DIR`` keeps them); lines
with an at sign, and in the index lines naming a maintainer, are taken out. Digests, versions, prices, books, records of a
machine, tables, Chinese text with numbers and bare runs of digits are generated from a fixed seed. Whatever is found in them is wrong by
construction, except that an address of a network may really stand in program text: those are counted apart.

With ``--peer DIR`` (a virtual environment with presidio-analyzer and presidio-evaluator) presidio's patterns read a tenth of the same
text, and both read fresh sentences: presidio-evaluator's own templates, filled from seeds and locales on which nothing was tuned. With
``--read FILE.toml`` verdicts of a reader on hits in natural text become a precision with an exact interval.
"""

from __future__ import annotations

import argparse
import bz2
import collections
import json
import random
import string
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import personal
from tongqiu.measure.interval import clopper_pearson
from tongqiu.scan.screen import method, schemes, screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 811
_PIECE = 4000
_EACH = 3_000_000
"""Bytes of every generated kind."""
_MOST = 20_000_000
PACKAGES = {
    "unicode-data": ("tables of characters", (".txt", ".bz2")),
    "pci.ids": ("tables of devices", (".ids",)),
    "usb.ids": ("tables of devices", (".ids",)),
    "tzdata": ("tables of time zones", (".tab", ".zi", ".list", "leapseconds")),
    "iso-codes": ("tables of countries", (".json",)),
    "wamerican-huge": ("words", ("-huge",)),
    "wngerman": ("words", ("ngerman",)),
    "libjs-mathjax": ("program text", (".js",)),
    "libpython3.11-stdlib": ("program text", (".py",)),
}
FRESH = ((71, "en_US"), (72, "en_GB"), (73, "en_AU"), (74, "de_DE"))
VERDICTS = ("true", "false", "cannot tell")

READER = """
import json, logging, sys, warnings, collections
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
from presidio_analyzer import RecognizerRegistry
registry = RecognizerRegistry(); registry.load_predefined_recognizers(languages=["en"])
wanted = json.loads(sys.argv[1])
ours = [one for one in registry.get_recognizers(language="en", all_fields=True) if set(wanted) & set(one.supported_entities)]
ours = [one for one in ours if type(one).__name__ != "SpacyRecognizer"]
counts = collections.Counter()
for line in sys.stdin:
    kind, text = json.loads(line)
    for one in ours:
        for hit in one.analyze(text, [w for w in wanted if w in one.supported_entities], None) or ():
            if hit.score > 0: counts[kind + "|" + hit.entity_type] += 1
print(json.dumps(counts))
"""


def _clean(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if "@" not in line and "＠" not in line)


def real(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield kind and text of the files of the packages, downloaded into ``folder`` where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, (kind, ends) in PACKAGES.items():
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        archive = min(folder.glob(f"{package}_*.deb"))
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], check=True, capture_output=True).stdout
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            with tarfile.open(fileobj=file) as tar:
                for member in tar:
                    if member.isfile() and member.name.endswith(ends) and "/doc/" not in member.name:
                        raw = tar.extractfile(member).read()  # type: ignore[union-attr]
                        raw = bz2.decompress(raw) if member.name.endswith(".bz2") else raw
                        yield kind, _clean(raw[:_MOST].decode("utf-8", "replace"))
    done = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True).stdout[:_MOST]
    fields = ("Maintainer:", "Original-Maintainer:", "Homepage:")
    text = _clean(done.decode("utf-8", "replace"))
    yield "index of packages", "\n".join(line for line in text.split("\n") if not line.startswith(fields))


def _made() -> dict[str, Callable[[random.Random], str]]:
    def digits(chance: random.Random, count: int) -> str:
        return "".join(chance.choices(string.digits, k=count))

    def day(chance: random.Random) -> str:
        return f"{chance.randrange(1950, 2030)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"

    def book(chance: random.Random) -> str:
        body = "978" + digits(chance, 9)
        check = -sum(int(one) * (1, 3)[at % 2] for at, one in enumerate(body)) % 10
        return f"ISBN {body}{check}, doi 10.{chance.randrange(1000, 9999)}/s{digits(chance, 5)}-{digits(chance, 3)}-{digits(chance, 5)}, pp. {chance.randrange(900)}-{chance.randrange(900)}."

    def machine(chance: random.Random) -> str:
        clock = f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}.{digits(chance, 6)}"
        return f"{day(chance)}T{clock}Z kernel[{chance.randrange(70000)}]: job {digits(chance, 8)} took {chance.randrange(90000)} us, read {chance.randrange(10**12)} bytes at 0x{chance.randrange(16**12):012x}"

    def price(chance: random.Random) -> str:
        return f"item {digits(chance, 6)}: {chance.choice('$€£¥')}{chance.randrange(10**6):,}.{digits(chance, 2)} x {chance.randrange(100)} = {chance.randrange(10**8) / 100:.2f}, order {digits(chance, 10)} of {day(chance)}"

    def chinese(chance: random.Random) -> str:
        words = (
            "图",
            "表",
            "共",
            "约",
            "第",
            "年产",
            "面积",
            "长度",
            "编号",
            "批次",
            "数值",
            "增长",
            "样本",
            "经费",
            "公里",
            "万元",
            "吨",
        )
        return (
            "，".join(
                f"{chance.choice(words)}{digits(chance, chance.randrange(1, 13))}{chance.choice(words)}"
                for _ in range(4)
            )
            + "。"
        )

    def table(chance: random.Random) -> str:
        return "\t".join(f"{chance.gauss(0, 10 ** chance.randrange(6)):.{chance.randrange(1, 12)}g}" for _ in range(6))

    return {
        "digests and UUIDs": lambda chance: (
            f"{chance.getrandbits(256):064x} {chance.getrandbits(128):032x} {uuid.UUID(int=chance.getrandbits(128), version=4)}"
        ),
        "books and papers": book,
        "records of a machine": machine,
        "prices and orders": price,
        "Chinese with numbers": chinese,
        "tables of measurements": table,
        "versions": lambda chance: (
            f"lib{digits(chance, 2)} (>= {chance.randrange(30)}.{chance.randrange(99)}.{digits(chance, 3)}-{chance.randrange(9)}), 1:{chance.randrange(99)}.{chance.randrange(99)}~rc{chance.randrange(9)}+git{day(chance).replace('-', '')}"
        ),
        "bare runs of 6 to 20 digits": lambda chance: digits(chance, chance.randrange(6, 21)),
    }


def generated() -> Iterator[tuple[str, str]]:
    """Yield kind and text of what is made from the seed."""
    for kind, line in _made().items():
        chance, lines, size = random.Random(f"{SEED} {kind}"), [], 0  # noqa: S311 - a fixed seed, nothing secret
        while size < _EACH:
            lines.append(line(chance))
            size += len(lines[-1].encode()) + 1
        yield kind, "\n".join(lines)


def pieces(folder: Path) -> dict[str, list[str]]:
    """Return the clean text by kind, in pieces of whole lines of about 4,000 characters."""
    out: dict[str, list[str]] = collections.defaultdict(list)
    for source in (real(folder), generated()):
        for kind, text in source:
            part: list[str] = []
            size = 0
            for line in text.split("\n"):
                part.append(line)
                size += len(line) + 1
                if size > _PIECE:
                    out[kind].append("\n".join(part))
                    part, size = [], 0
            out[kind].append("\n".join(part))
    return dict(out)


def per_mb(count: int, size: int) -> dict[str, float | int]:
    """Return a count as a rate for each MB, with its exact 95 % interval (Clopper-Pearson over bytes: Poisson's, in effect)."""
    bounds = clopper_pearson(count, size)
    return {"hits": count, "per_mb": count / size * 1e6, "low": bounds.low * 1e6, "high": bounds.high * 1e6}


def wrong(texts: list[str]) -> dict[str, object]:
    """Return bytes of some clean text and what was found in it by scheme and ground; addresses of networks apart."""
    strings, known = personal.strings_of(texts), schemes()
    found, size = screen(strings), len(strings.data)
    counts = collections.Counter(zip(found.scheme.tolist(), found.ground.tolist(), strict=True))
    rows = {
        f"{known[scheme].code} ({('checked', 'context', 'form')[ground]})": per_mb(count, size)
        for (scheme, ground), count in counts.most_common()
    }
    network = sum(count for (scheme, _), count in counts.items() if known[scheme].code == "ip-address")
    total = counts.total() - network
    return {"bytes": size, "all": per_mb(total, size), "addresses_of_networks": network, "by_scheme": rows}


def precision(path: Path) -> dict[str, object]:
    """Return, of verdicts of a reader, the share that is true by scheme and in all; what cannot be told counts as false."""
    verdicts = tomllib.loads(path.read_text(encoding="utf-8"))["hit"]
    tallies: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for row in verdicts:
        for name in (row["scheme"], "all"):
            tallies[name][row["verdict"]] += 1
    out: dict[str, object] = {}
    for name, tally in sorted(tallies.items()):
        bounds = clopper_pearson(tally["true"], tally.total())
        out[name] = {**{one: tally[one] for one in VERDICTS}, "low": bounds.low, "high": bounds.high}
    return out


def peer_wrong(home: Path, clean: dict[str, list[str]]) -> dict[str, object]:
    """Return what presidio's patterns find in every tenth piece of the clean text, and what is found here in the same."""
    tenth = {kind: texts[::10] for kind, texts in clean.items()}
    lines = "\n".join(json.dumps([kind, text]) for kind, texts in tenth.items() for text in texts)
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "reader.py"
        script.write_text(READER, encoding="utf-8")
        command = [str(home / "bin/python"), str(script), json.dumps(sorted(personal.KINDS))]
        done = subprocess.run(command, check=True, capture_output=True, text=True, input=lines)
    theirs: collections.Counter[str] = collections.Counter()
    for name, count in json.loads(done.stdout.splitlines()[-1]).items():
        theirs[name.split("|")[1]] += count
    texts = [text for each in tenth.values() for text in each]
    strings, known = personal.strings_of(texts), schemes()
    sorts = collections.Counter(known[one].sort for one in screen(strings).scheme.tolist())
    size = len(strings.data)
    table = {
        kind: {"ours": per_mb(sum(sorts[one] for one in kinds), size), "presidio": per_mb(theirs[kind], size)}
        for kind, kinds in personal.KINDS.items()
    }
    return {"bytes": size, "by_kind": table}


def fresh(home: Path) -> dict[str, object]:
    """Return recall of both on sentences from seeds and locales that nothing was tuned on: same templates, new values."""
    out: dict[str, object] = {}
    for seed, locale in FRESH:
        with tempfile.TemporaryDirectory() as scratch:
            script, rows = Path(scratch) / "peer.py", Path(scratch) / "out.jsonl"
            script.write_text(personal.PEER.replace('"en_US"', f'"{locale}"'), encoding="utf-8")
            command = [str(home / "bin/python"), str(script), "3000", str(seed), str(rows)]
            subprocess.run(command, check=True, capture_output=True)
            read = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
        out[f"{locale} seed {seed}"] = personal.beside(read)
    return out


def _say(result: dict[str, object]) -> None:
    for kind, row in result["clean"].items():  # type: ignore[attr-defined]
        every = row["all"]
        print(
            f"{kind:30} {row['bytes'] / 1e6:6.1f} MB  {every['hits']:6} = {every['per_mb']:9.3f} /MB ({every['low']:.3f} to {every['high']:.3f}), networks {row['addresses_of_networks']}"
        )
        for name, one in row["by_scheme"].items():
            print(f"    {name:30} {one['hits']:6}  {one['per_mb']:.3f} /MB ({one['low']:.3f} to {one['high']:.3f})")
    print(json.dumps({key: value for key, value in result.items() if key != "clean"}, indent=1))


def main() -> int:
    """Measure, print and write ``benchmarks/results/personal_clean.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--read", type=Path, default=Path("benchmarks/personal_read.toml"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        clean = pieces(chosen.packages or Path(scratch))
    result: dict[str, object] = {"method": method(), "seed": SEED}
    result["clean"] = {kind: wrong(texts) for kind, texts in clean.items()}
    if chosen.read.is_file():
        result["read"] = precision(chosen.read)
    if chosen.peer is not None:
        result["presidio_on_clean"] = peer_wrong(chosen.peer, clean)
        result["fresh"] = fresh(chosen.peer)
    _say(result)
    Path("benchmarks/results/personal_clean.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
