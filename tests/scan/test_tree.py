"""A folder of a stranger: every ordinary file found in one order, nothing outside it ever read."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import unicodedata
from pathlib import Path

import pytest

from tongqiu.record import digest
from tongqiu.record.faults import Malformed, Missing
from tongqiu.scan import tree

SPEC = Path(__file__).parents[2] / "docs" / "spec" / "tree-digest.md"


def _folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def _codes(found: tree.Tree) -> list[tuple[str, str]]:
    return [(item.path, item.code) for item in found.oddities]


def test_files_come_in_bytewise_order_of_their_paths(tmp_path: Path) -> None:
    _folder(tmp_path, {"b": b"", "a/z": b"1", "a-b": b"22", "中": b"333", "a.b": b""})
    found = tree.walk(tmp_path)
    assert [file.path for file in found.files] == ["a-b", "a.b", "a/z", "b", "中"]
    assert found.size == 6
    assert found.oddities == ()


def test_our_own_output_and_caches_are_not_content(tmp_path: Path) -> None:
    _folder(tmp_path, {"x": b"1", ".git/config": b"", ".tongqiu/log": b"", "p/__pycache__/m.pyc": b"", ".venv/a": b""})
    assert [file.path for file in tree.walk(tmp_path).files] == ["x"]


def test_links_are_never_followed_out_and_loops_end(tmp_path: Path) -> None:
    outside = _folder(tmp_path / "outside", {"secret": b"s"})
    root = _folder(tmp_path / "root", {"data/a": b"1"})
    (root / "inside").symlink_to(root / "data" / "a")
    (root / "leaves").symlink_to(outside / "secret")
    (root / "leaves-folder").symlink_to("../outside")
    (root / "me").symlink_to("me")
    (root / "up").symlink_to("..")
    (root / "data" / "round").symlink_to(root)
    (root / "nothing").symlink_to("absent")
    found = tree.walk(root)
    assert [(file.path, file.size) for file in found.files] == [("data/a", 1), ("inside", 1)]
    assert _codes(found) == [
        ("data/round", "tree.link-folder"),
        ("leaves", "tree.link-outside"),
        ("leaves-folder", "tree.link-outside"),
        ("me", "tree.link-loop"),
        ("nothing", "tree.link-broken"),
        ("up", "tree.link-outside"),
    ]


def test_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert _codes(tree.walk(tmp_path)) == [("pipe", "tree.special"), ("s", "tree.special")]
    with pytest.raises(Malformed) as caught:
        tree.open_regular(tmp_path / "pipe")
    assert caught.value.code == "path.special"


def test_names_that_are_not_text_are_left_out_and_shown_escaped(tmp_path: Path) -> None:
    for name in (b"ok", b"bad\xff", b"new\nline"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    found = tree.walk(tmp_path)
    assert [file.path for file in found.files] == ["ok"]
    assert [item.code for item in found.oddities] == ["tree.name", "tree.name"]
    assert all("\n" not in item.what.en and item.what.en.isprintable() for item in found.oddities)


def test_two_spellings_of_one_name_are_told(tmp_path: Path) -> None:
    composed = "é"
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, composed)).write_bytes(form.encode())
    found = tree.walk(tmp_path)
    assert len(found.files) == 1
    assert [item.code for item in found.oddities] == ["tree.twice"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (tree.Limits(entries=3), "tree.count"),
        (tree.Limits(depth=1), "tree.depth"),
        (tree.Limits(size=4), "tree.size"),
    ],
)
def test_too_much_is_refused(tmp_path: Path, limits: tree.Limits, code: str) -> None:
    _folder(tmp_path, {"a/b/c": b"12345", "d": b""})
    tree.walk(tmp_path, limits=tree.Limits(entries=4, depth=2, size=5))
    with pytest.raises(Malformed) as caught:
        tree.walk(tmp_path, limits=limits)
    assert caught.value.code == code


def test_a_root_must_be_a_folder_that_exists(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Missing):
        tree.walk(tmp_path / "absent")
    with pytest.raises(Malformed) as caught:
        tree.walk(tmp_path / "file")
    assert caught.value.code == "path.folder"


def test_the_digest_counts_names_and_bytes_only(tmp_path: Path) -> None:
    one = _folder(tmp_path / "one", {"a": b"1", "b/c": b"2"})
    (one / "link").symlink_to("a")
    two = tmp_path / "two"
    shutil.copytree(one, two)  # links resolved
    (two / "a").chmod(0o600)
    os.utime(two / "a", (0, 0))
    (two / ".git").mkdir()
    (two / "empty").mkdir()
    calls: list[tuple[int, int]] = []
    first, _ = tree.tree_digest(one, progress=lambda done, total: calls.append((done, total)))
    assert first == tree.tree_digest(two)[0]
    assert calls[-1] == (3, 3)
    (two / "a").write_bytes(b"9")
    assert first != tree.tree_digest(two)[0]
    (two / "a").write_bytes(b"1")
    (two / "a").rename(two / "A")
    assert first != tree.tree_digest(two)[0]


def test_the_specification_holds_the_bytes_we_compute(tmp_path: Path) -> None:
    page = SPEC.read_text(encoding="utf-8")
    blocks = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    listing = blocks[0].encode()
    files = {"README.md": b"hello\n", "data/a.csv": b"x,y\n1,2\n", "data/é.txt": b""}
    _folder(tmp_path, files)
    expected = b"tongqiu tree/1\n" + b"".join(
        f"{hashlib.sha256(data).hexdigest()} {len(data)} {name}\n".encode()
        for name, data in sorted(files.items(), key=lambda item: item[0].encode())
    )
    assert listing == expected
    found = tree.tree_digest(tmp_path)[0]
    assert str(found) == blocks[1].strip()
    assert found == digest.Digest(hashlib.sha256(expected).digest(), "tree-1")
    assert str(digest.of_tree([])) == blocks[2].strip()


def test_a_manifest_path_stays_inside(tmp_path: Path) -> None:
    root = _folder(tmp_path / "root", {"data/a.csv": b"1"})
    _folder(tmp_path, {"secret": b"", "rooted/x": b""})
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "out-missing").symlink_to(tmp_path / "no-such-thing")
    (root / "in").symlink_to("data")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    real = root.resolve()
    assert tree.resolve(root, "data/a.csv") == real / "data" / "a.csv"
    assert tree.resolve(root, "in/a.csv") == real / "data" / "a.csv"
    assert tree.resolve(root, "data/../data") == real / "data"
    assert tree.resolve(root, ".") == real
    wrong = {
        "../secret": "path.outside",
        "../rooted/x": "path.outside",
        "data/../../secret": "path.outside",
        "/etc/passwd": "path.outside",
        "C:/x": "path.outside",
        "\\\\host\\share": "path.outside",
        "out": "path.outside",
        "out-missing": "path.outside",
        "loop": "path.loop",
        "pipe": "path.special",
        "": "path.form",
        "a\0b": "path.form",
        "a\nb": "path.form",
    }
    for name, code in wrong.items():
        with pytest.raises(Malformed) as caught:
            tree.resolve(root, name, where="tongqiu.toml:3")
        assert caught.value.code == code, name
        assert caught.value.where == "tongqiu.toml:3"
    for name in ("absent", "data/a.csv/x", "absent/../data"):
        with pytest.raises((Missing, Malformed)) as missing:
            tree.resolve(root, name)
        assert missing.value.code == "path.missing", name


def test_a_folder_swapped_for_a_link_is_not_entered(tmp_path: Path) -> None:
    outside = _folder(tmp_path / "outside", {"a": b"secret"})
    root = _folder(tmp_path / "root", {"d/a": b"1"})
    named = tree.resolve(root, "d/a")
    shutil.rmtree(root / "d")
    (root / "d").symlink_to(outside)
    with pytest.raises((Malformed, Missing)):
        tree.open_regular(named, inside=root)
    with pytest.raises(Malformed) as caught:
        tree.open_regular(outside / "a", inside=root)
    assert caught.value.code == "path.outside"


def test_open_regular_reads_and_refuses(tmp_path: Path) -> None:
    _folder(tmp_path, {"a": b"1"})
    (tmp_path / "l").symlink_to("a")
    with tree.open_regular(tmp_path / "a") as stream:
        assert stream.read() == b"1"
    for name, code in {"l": "path.special", "absent": "path.missing", ".": "path.special"}.items():
        with pytest.raises((Malformed, Missing)) as caught:
            tree.open_regular(tmp_path / name)
        assert caught.value.code == code
