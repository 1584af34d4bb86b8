"""The fingerprint of bytes and of a folder: published vectors, a tree worked by hand, and every name refused."""

from __future__ import annotations

import hashlib
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record.digest import Digest, of_bytes, of_stream, of_tree
from tongqiu.record.faults import Malformed

# FIPS 180-4 examples published by NIST: the empty message, "abc", and the 448-bit message.
NIST = [
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
]


@pytest.mark.parametrize(("data", "expected"), NIST)
def test_published_vectors(data: bytes, expected: str) -> None:
    assert of_bytes(data).hex == expected
    assert str(of_bytes(data)) == f"sha-256:{expected}"
    assert of_stream(io.BytesIO(data)) == (of_bytes(data), len(data))


def test_a_stream_is_read_to_its_end_from_where_it_stands() -> None:
    data = bytes(range(256)) * 10_000
    stream = io.BytesIO(data)
    stream.read(7)
    assert of_stream(stream) == (of_bytes(data[7:]), len(data) - 7)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["sha-256", "tree-1"]))
def test_the_written_form_is_read_back(value: bytes, algorithm: str) -> None:
    digest = Digest(value, algorithm)
    assert Digest.parse(str(digest)) == digest


GOOD = "sha-256:" + "ab" * 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab" * 32,
        GOOD.upper(),
        "sha-256:" + "AB" * 32,
        GOOD[:-1],
        GOOD + "0",
        GOOD + "\n",
        " " + GOOD,
        GOOD.replace("sha-256", "sha256"),
        GOOD.replace("sha-256", "md5"),
        GOOD.replace("a", "g"),
        GOOD.replace("ab", "\u0661\u0662", 1),  # digits of another script
        "x" * 10_000,
    ],
)
def test_no_other_form_is_read(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        Digest.parse(text, where="a.toml:1")
    assert caught.value.code == "digest.form"
    assert caught.value.where == "a.toml:1"
    assert len(str(caught.value)) < 200


A, B = of_bytes(b"a"), of_bytes(b"bb")


def test_a_tree_worked_by_hand() -> None:
    written = (
        b"tongqiu tree/1\n"
        b"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 1 a.txt\n"
        b"3b64db95cb55c763391c707108489ae18b4112d783300de38e033b4c98c3deaf 2 b/\xe6\xb0\xb4.csv\n"
    )
    tree = of_tree([("b/\u6c34.csv", B, 2), ("a.txt", A, 1)])
    assert tree.value == hashlib.sha256(written).digest()
    assert str(tree) == "tree-1:745190e047f9b0c9f00d41fdbba88f5a912fe719c0e84bd5693dc2b54cdf0cb9"


def test_an_empty_tree() -> None:
    assert of_tree([]).value == hashlib.sha256(b"tongqiu tree/1\n").digest()


def test_order_is_that_of_the_bytes_not_of_the_letters() -> None:
    # In UTF-8 U+FF5E comes before U+10000; in UTF-16 it comes after.
    names = ["B", "a", "a/b", "a-b", "\uff5e", "\U00010000"]
    lines = b"".join(f"{A.hex} 1 {name}\n".encode() for name in ["B", "a", "a-b", "a/b", "\uff5e", "\U00010000"])
    assert of_tree((name, A, 1) for name in names).value == hashlib.sha256(b"tongqiu tree/1\n" + lines).digest()


def test_names_are_normalised() -> None:
    composed, decomposed = "\u00e9.txt", "e\u0301.txt"
    assert composed != decomposed
    assert of_tree([(composed, A, 1)]) == of_tree([(decomposed, A, 1)])
    with pytest.raises(Malformed) as caught:
        of_tree([(composed, A, 1), (decomposed, B, 2)])
    assert caught.value.code == "tree.twice"


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\nb", "a\x00", "a\x7fb", "\t", "a\udc80b"],
)
def test_a_name_that_could_mean_two_things_is_refused(path: str) -> None:
    with pytest.raises(Malformed) as caught:
        of_tree([("fine", A, 1), (path, B, 2)])
    assert caught.value.code == "tree.path"
    assert str(caught.value).isprintable()


def test_a_chinese_name_is_shown_as_it_is_written() -> None:
    with pytest.raises(Malformed) as caught:
        of_tree([("数据/\n", A, 1)])
    assert "数据/\\n" in caught.value.what.zh


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda name: name not in {".", ".."}
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
trees = st.lists(
    st.tuples(paths, st.binary(max_size=4)),
    max_size=6,
    unique_by=lambda file: unicodedata.normalize("NFC", file[0]),
)


@given(trees)
def test_order_of_arrival_does_not_matter(files: list[tuple[str, bytes]]) -> None:
    listed = [(path, of_bytes(data), len(data)) for path, data in files]
    assert of_tree(listed) == of_tree(reversed(listed))


@given(trees, trees)
def test_different_trees_have_different_digests(left: list[tuple[str, bytes]], right: list[tuple[str, bytes]]) -> None:
    def digest(files: list[tuple[str, bytes]]) -> Digest:
        return of_tree((path, of_bytes(data), len(data)) for path, data in files)

    def content(files: list[tuple[str, bytes]]) -> dict[str, bytes]:
        return {unicodedata.normalize("NFC", path): data for path, data in files}

    assert (digest(left) == digest(right)) == (content(left) == content(right))
