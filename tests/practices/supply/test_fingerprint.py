"""Licence texts are recognised however they are wrapped, told apart, and never guessed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import random
import re
import textwrap
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.practices.supply import fingerprint, make_index
from tongqiu.record.faults import Unproven

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")


def text_of(package: str) -> str:
    """Return the first licence text that an installed package ships."""
    files = importlib.metadata.files(package) or []
    found = next(file for file in files if re.search(r"LICENSE", file.name))
    return found.read_text(encoding="utf-8")


def best(text: str) -> tuple[str, float]:
    match = fingerprint.recognise(text).matches[0]
    return match.id, match.score


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        ("msgspec", "BSD-3-Clause"),
        ("sqlalchemy", "MIT"),
        ("cbor2", "MIT"),
        ("starlette", "BSD-3-Clause"),
        ("jinja2", "BSD-3-Clause"),
        ("boolean.py", "BSD-2-Clause"),
        ("license-expression", "Apache-2.0"),
        ("cyclopts", "Apache-2.0"),
        ("typing_extensions", "Python-2.0.1"),
    ],
)
def test_texts_that_real_packages_ship(package: str, licence: str) -> None:
    files = importlib.metadata.files(package) or []
    texts = [file for file in files if re.search(r"LICENSE", file.name)]
    found = {match.id for file in texts for match in fingerprint.recognise(file.read_text(encoding="utf-8")).matches}
    assert licence in found


def test_the_index_is_broad_and_holds_no_text() -> None:
    index = fingerprint.index()
    ids = {text.id for text in index.header.texts}
    assert len(ids) > 700
    assert {"MIT", "GPL-3.0-only", "CC-BY-4.0", "ODbL-1.0", "CDLA-Permissive-2.0", "MulanPSL-2.0", "OpenMDW-1.0"} <= ids
    models = [one for one in ids if re.search(r"llama|rail|gemma|qwen|deepseek|falcon|stability|exaone|hunyuan", one)]
    assert len(models) >= 20
    assert index.header.source_licence == "CC-BY-4.0"
    assert len(index.hashes) == len(index.owners) == sum(text.kept for text in index.header.texts)
    assert (index.hashes[1:] >= index.hashes[:-1]).all()


def test_wrapping_case_bullets_and_holder_do_not_count() -> None:
    text = text_of("msgspec")
    other = re.sub(r"Copyright.*", "Copyright (c) 1999, Somebody Else", text.upper())
    other = "\n".join("# " + line for line in textwrap.wrap(other.replace("1. ", "* "), 47))
    assert best(other)[0] == "BSD-3-Clause"


def test_two_clauses_are_not_three() -> None:
    three = text_of("msgspec")
    two = re.sub(r"3\. Neither the name.*?permission\.\s", "", three, flags=re.DOTALL)
    assert two != three
    assert best(two)[0] == "BSD-2-Clause"
    assert [match.id for match in fingerprint.recognise(three).matches] == ["BSD-3-Clause"]


def test_several_texts_in_one_file_and_what_is_foreign() -> None:
    both = text_of("msgspec") + "\n\n" + text_of("sqlalchemy")
    assert {match.id for match in fingerprint.recognise(both).matches} == {"BSD-3-Clause", "MIT"}
    rider = " ".join(f"clause{number} forbids whatever{number}" for number in range(200))
    reading = fingerprint.recognise(text_of("sqlalchemy") + rider)
    assert reading.matches[0].id == "MIT"
    assert reading.foreign > 0.5


def test_gnu_texts_do_not_say_whether_later_versions_count() -> None:
    gnu = [text for text in fingerprint.index().header.texts if text.id == "GPL-3.0-only"]
    assert gnu
    assert fingerprint._match(gnu[0], gnu[0].kept).alternatives == ("GPL-3.0-or-later",)  # noqa: SLF001 - the text is not at hand


def test_an_altered_text_scores_less_than_whole() -> None:
    draw = random.Random(7)  # noqa: S311 - the same damage each time
    words = ["xyzzy" if draw.random() < 0.05 else word for word in APACHE.split()]
    name, score = best(" ".join(words))
    assert name == "Apache-2.0"
    assert 0.6 <= score < 0.9


@pytest.mark.parametrize(
    "text", ["", "hello", "word " * 10_000, "© " * 5_000, "\n" * 100_000, "neither the name of " * 5_000]
)
def test_what_is_no_licence_is_not_guessed(text: str) -> None:
    assert fingerprint.recognise(text).matches == ()


@given(st.text(max_size=400))
def test_no_text_is_guessed_from_noise(text: str) -> None:
    assert fingerprint.recognise(text).matches == ()


@given(st.lists(st.sets(st.integers(0, 2**fingerprint.BITS - 1), max_size=20), min_size=1, max_size=5))
def test_the_index_file_reads_back(kept: list[set[int]]) -> None:
    texts = tuple(
        fingerprint.Known(id=f"X-{number}", name="x", category="c", runs=len(some), kept=len(some), scale=1)
        for number, some in enumerate(kept)
    )
    index = fingerprint.read(fingerprint.write(fingerprint.Header("s", "l", texts), kept))
    assert index.header.texts == texts
    again: list[set[int]] = [set() for _ in kept]
    for value, owner in zip(index.hashes.tolist(), index.owners.tolist(), strict=True):
        again[owner].add(value)
    assert again == kept


@pytest.mark.parametrize("data", [b"", fingerprint.MAGIC, fingerprint.MAGIC + b"\xff\xff\xff\xff{}", b"PK" * 40])
def test_a_broken_index_is_not_trusted(data: bytes) -> None:
    with pytest.raises(Unproven, match=r"licence\.index"):
        fingerprint.read(data)


def test_the_shipped_index_is_the_released_one() -> None:
    shipped = Path(fingerprint.__file__).with_name("fingerprints.bin").read_bytes()
    assert "sha-256:" + hashlib.sha256(shipped).hexdigest() == fingerprint.INDEX_DIGEST


def test_the_index_is_made_the_same_each_time(tmp_path: Path) -> None:
    wheel = tmp_path / "texts.whl"
    words = " ".join(f"word{number}" for number in range(400))
    front = "---\nkey: a\nname: A\ncategory: Permissive\nspdx_license_key: {}\n---\n{}"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(make_index.FOLDER + "a.LICENSE", front.format("A-1.0", words))
        archive.writestr(make_index.FOLDER + "short.LICENSE", front.format("B-1.0", "too short"))
        archive.writestr(
            make_index.FOLDER + "gone.LICENSE", "---\nis_deprecated: yes\nspdx_license_key: C\n---\n" + words
        )
        archive.writestr(make_index.FOLDER + "odd.LICENSE", words)
    data = make_index.build(wheel)
    assert data == make_index.build(wheel)
    index = fingerprint.read(data)
    assert [text.id for text in index.header.texts] == ["A-1.0"]
    assert fingerprint.recognise(words, index).matches[0].score == 1.0
    assert make_index.measure(wheel, 0.0) == (1, 0, 0)  # the shipped index does not know it, and does not guess
