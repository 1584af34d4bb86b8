"""The manifest: every mistake a person can make in it is named with its line and a way to mend it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tongqiu.node import core, discovery, manifest
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
        (HEAD + '[[data]]\npath = "x"\n', "manifest.name", "tongqiu.toml:3"),
        ('[[data]]\nname = "d"\n', "manifest.system", "tongqiu.toml"),
        ('[[system]]\nname = "d"\n', "manifest.table", "tongqiu.toml:1"),
        (HEAD + "facts = 3\n", "manifest.unknown-key", "tongqiu.toml:3"),
        ("facts = 3\n" + HEAD, "manifest.table", "tongqiu.toml:1"),
        ('[system]\nname = "S"\nid = "not an id"\n', "subject.id", "tongqiu.toml:3"),
        (HEAD + '[[data]]\nname = "d"\n[[data]]\nname = "d"\n', "manifest.twice", "tongqiu.toml"),
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
