"""The manifest: every mistake a person can make in it is named with its line and a way to mend it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tongqiu.node import core, discovery, home, manifest, propose
from tongqiu.record.faults import Fault, Malformed, Missing

if TYPE_CHECKING:
    from pathlib import Path

PRACTICES = discovery.discover(core=core.PRACTICE)
HEAD = '[system]\nname = "S"\n'


def _read(folder: Path, text: str | bytes) -> manifest.Manifest:
    folder.mkdir(exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    (folder / "tongqiu.toml").write_bytes(data)
    return manifest.read(folder, PRACTICES)


def test_a_missing_manifest_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        manifest.read(tmp_path, PRACTICES)
    assert caught.value.code == "manifest.missing"
    assert "tongqiu init" in caught.value.explain("en")
    assert "tongqiu init" in caught.value.explain("zh")


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ('[system]\nname = "S\n', "manifest.syntax", "tongqiu.toml:2"),
        (HEAD + 'purpse = "x"\n', "manifest.unknown-key", "tongqiu.toml:3"),
        (HEAD + '[[modle]]\nname = "m"\n', "manifest.unknown-key", "tongqiu.toml:3"),
        (HEAD + '[[data]]\nname = "d"\nsensitve = []\n', "manifest.unknown-key", "tongqiu.toml:5"),
        (HEAD + '[[data]]\nname = "d"\npath = "no.csv"\n', "path.missing", "tongqiu.toml:5"),
        (HEAD + '[[data]]\nname = "d"\npath = "../out.csv"\n', "path.outside", "tongqiu.toml:5"),
        (HEAD + '[[data]]\nname = "d"\npath = "/etc/passwd"\n', "path.outside", "tongqiu.toml:5"),
        (HEAD + '[[data]]\nname = "d"\nsensitive = "a"\n', "manifest.value", "tongqiu.toml:5"),
        (HEAD + '[data]\nname = "d"\n', "manifest.table", "tongqiu.toml:3"),
        ('data = ["d"]\n' + HEAD, "manifest.table", "tongqiu.toml:1"),
        (HEAD + '[[code]]\nname = "c"\n' * 1001, "manifest.table", "tongqiu.toml:3"),
        ('[system]\npurpose = "p"\n', "manifest.name", "tongqiu.toml:1"),
        (HEAD + '[[data]]\npath = "x"\n', "manifest.name", "tongqiu.toml:3"),
        ('[[data]]\nname = "d"\n', "manifest.system", "tongqiu.toml"),
        ('[[system]]\nname = "d"\n', "manifest.table", "tongqiu.toml:1"),
        (HEAD + "facts = 3\n", "manifest.unknown-key", "tongqiu.toml:3"),
        ("facts = 3\n" + HEAD, "manifest.table", "tongqiu.toml:1"),
        ('[system]\nname = "S"\nid = "not an id"\n', "subject.id", "tongqiu.toml:3"),
        (HEAD + '[[data]]\nname = "d"\n[[data]]\nname = "d"\n', "manifest.twice", "tongqiu.toml"),
        (HEAD + "[facts]\nx = " + "1" * 5000 + "\n", "manifest.syntax", "tongqiu.toml"),
        (HEAD + "[facts]\nx = " + "[" * 3000 + "]" * 3000 + "\n", "manifest.syntax", "tongqiu.toml"),
        (HEAD + f'purpose = "{"p" * 2001}"\n', "manifest.value", "tongqiu.toml:3"),
        (HEAD + f'[[data]]\nname = "{"n" * 201}"\n', "manifest.value", "tongqiu.toml:4"),
        (HEAD + '[[data]]\nname = ""\n', "manifest.value", "tongqiu.toml:4"),
        ('[system]\nname = " "\n', "manifest.value", "tongqiu.toml:2"),
        (HEAD + '[[data]]\nname = "\\u001b[31mRED"\n', "manifest.value", "tongqiu.toml:4"),
        (HEAD + '[[data]]\nname = "a\\u202eb"\n', "manifest.value", "tongqiu.toml:4"),
        (HEAD + '[[data]]\nname = "two\\nlines"\n', "manifest.value", "tongqiu.toml:4"),
        (HEAD + '[[code]]\nname = "c"\nid = "urn:ab:\\u0007"\n', "manifest.value", "tongqiu.toml:5"),
        (HEAD + '[[code]]\nname = "c"\npurl = "pkg:pypi/x@1\\u009b2J"\n', "manifest.value", "tongqiu.toml:5"),
        (HEAD + 'purpose = "\\u001b[2J"\n', "manifest.value", "tongqiu.toml:3"),
        (HEAD + 'id = "urn:ab:x"\n[[code]]\nname = "c"\nid = "urn:ab:x"\n', "manifest.twice", "tongqiu.toml"),
        (b"\xff\xfe[system]", "manifest.encoding", "tongqiu.toml"),
        (b"#" * (1 << 20) + b"##", "manifest.size", "tongqiu.toml"),
    ],
)
def test_each_mistake_has_its_code_its_place_and_words_in_both_languages(
    tmp_path: Path, text: str | bytes, code: str, where: str
) -> None:
    with pytest.raises(Fault) as caught:
        _read(tmp_path / "f", text)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert caught.value.do.zh
    assert caught.value.do.en


def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        _read(tmp_path / "f", HEAD + '[[data]]\nname = "d"\nsensitve = []\n')
    assert "sensitive" in caught.value.do.en
    assert "sensitive" in caught.value.do.zh


@pytest.mark.parametrize("path", [".tongqiu", "sub/.tongqiu", ".tongqiu/a.csv"])
def test_what_assessments_wrote_is_no_part(tmp_path: Path, path: str) -> None:
    file = tmp_path / "f" / (path if path.endswith(".csv") else f"{path}/a.csv")
    file.parent.mkdir(parents=True)
    file.write_text("a\n1\n")
    with pytest.raises(Malformed) as caught:
        _read(tmp_path / "f", HEAD + f'[[data]]\nname = "d"\npath = "{path}"\n')
    assert (caught.value.code, caught.value.where) == ("manifest.output", "tongqiu.toml:5")


def test_a_purpose_may_have_lines_and_chinese_spaces(tmp_path: Path) -> None:
    target = _read(tmp_path / "f", '[system]\nname = "甲　乙"\npurpose = """one\n\ttwo"""\n').target
    assert (target.subject.name, target.declared["purpose"]) == ("甲　乙", "one\n\ttwo")


def test_a_proposal_from_hostile_columns_can_be_read(tmp_path: Path) -> None:
    place = tmp_path / "f"
    place.mkdir()
    (place / ("n" * 240 + ".csv")).write_text('"a\x1b[31m","b\rname = ""x"""\n1,2\n')
    text = propose.write(propose.look(place), propose.Answers("S"))
    assert "\x1b" not in text
    assert [part.subject.name for part in _read(place, text).target.parts] == ["n" * 190]


@pytest.mark.parametrize(
    ("name", "sort", "code"),
    [
        ("n" * 201, "unstated", "home.name"),
        ("", "unstated", "home.name"),
        (" ", "unstated", "home.name"),
        ("\x1b[31mred", "unstated", "home.name"),
        ("two\nlines", "unstated", "home.name"),
        ("Lab", "ministry", "home.sort"),
    ],
)
def test_a_party_that_could_never_speak_gets_no_home(tmp_path: Path, name: str, sort: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        home.create(tmp_path / "home", name=name, sort=sort)
    assert caught.value.code == code
    assert not (tmp_path / "home").exists()
    assert home.create(tmp_path / "home", name="n" * 200, sort="laboratory").settings.sort == "laboratory"


def test_a_loop_of_links_is_named(tmp_path: Path) -> None:
    place = tmp_path / "f"
    place.mkdir()
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    with pytest.raises(Malformed) as caught:
        _read(place, HEAD + '[[data]]\nname = "d"\npath = "a"\n')
    assert caught.value.code == "path.loop"


def test_parts_get_identifiers_and_digests(tmp_path: Path) -> None:
    place = tmp_path / "f"
    (place / "src").mkdir(parents=True)
    (place / "src" / "x.py").write_text("pass\n")
    (place / "d.csv").write_text("a\n1\n")
    text = HEAD + '[[data]]\nname = "数据"\npath = "d.csv"\n[[code]]\nname = "c"\npath = "src"\npurl = "pkg:pypi/x@1"\n'
    target = _read(place, text).target
    data, code = target.parts
    assert data.subject.digest == "sha-256:" + hashlib.sha256(b"a\n1\n").hexdigest()
    assert (code.subject.digest or "").startswith("tree-1:")
    assert code.subject.id == "pkg:pypi/x@1"
    assert data.subject.id.startswith("urn:tongqiu:system:s:data:")
    assert target.of("software") == (code,)


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (tmp_path / "tongqiu.toml").write_text(HEAD + '[[code]]\nname = "a"\n[[code]]\nname = "b"\n')
    manifest.read(tmp_path, PRACTICES, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
