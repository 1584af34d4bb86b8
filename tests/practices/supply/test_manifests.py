"""What packages say of themselves is read as data, with limits; nothing is run, nothing is guessed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.practices.supply import expressions, manifests
from tongqiu.practices.supply.manifests import Dependency
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

# --- expressions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal", "ids"),
    [
        ("MIT", "MIT", ("MIT",)),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT", ("Apache-2.0", "MIT")),
        ("GPL-2.0+", "GPL-2.0-or-later", ("GPL-2.0-or-later",)),
        ("LicenseRef-Ours AND MIT", "LicenseRef-Ours AND MIT", ("LicenseRef-Ours", "MIT")),
        ("OpenMDW-1.0", "OpenMDW-1.0", ("OpenMDW-1.0",)),
        (
            "GPL-2.0-or-later WITH Classpath-exception-2.0",
            "GPL-2.0-or-later WITH Classpath-exception-2.0",
            ("Classpath-exception-2.0", "GPL-2.0-or-later"),
        ),
    ],
)
def test_expressions_are_read_to_one_form(text: str, normal: str, ids: tuple[str, ...]) -> None:
    assert expressions.read(text) == expressions.Expression(normal, ids)


@pytest.mark.parametrize(
    "text", ["", " ", "MIT AND", "(MIT", "MIT MIT", "FOO-1.0", "BSD", "MIT WITH MIT", "(" * 400, "A" * 501, "OR"]
)
def test_what_is_no_expression_is_said_in_words(text: str) -> None:
    wrong = expressions.read(text)
    assert isinstance(wrong, Text)
    assert wrong.en
    assert wrong.zh


@given(st.text(max_size=200))
def test_no_text_makes_reading_raise(text: str) -> None:
    assert isinstance(expressions.read(text), expressions.Expression | Text)


def test_every_id_of_the_spdx_list_is_read() -> None:
    found = importlib.util.find_spec("cyclonedx.schema")
    assert found is not None
    assert found.origin is not None
    schema = next(Path(found.origin).parent.glob("_res/spdx*.json"))
    for each in json.loads(schema.read_text(encoding="utf-8"))["enum"]:
        if each != "GPL-2.0-with-bison-exception":  # deprecated since SPDX 2.0
            alone, beside = expressions.read(each), expressions.read(f"GPL-2.0-only WITH {each}")
            assert isinstance(alone, expressions.Expression) or isinstance(beside, expressions.Expression), each


def test_plain_words_are_read_only_where_they_mean_one_licence() -> None:
    assert expressions.plain("The MIT License") == expressions.read("MIT")
    assert expressions.plain("MIT/Apache-2.0") == expressions.read("MIT OR Apache-2.0")
    assert expressions.plain("BSD") is None
    assert expressions.plain("GPL") is None
    for meaning in (*expressions.PLAIN.values(), *expressions.CLASSIFIERS.values()):
        assert isinstance(expressions.read(meaning), expressions.Expression)


# --- declared licences ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("pyproject.toml", '[project]\nlicense = "Apache-2.0"', ["Apache-2.0"]),
        ("pyproject.toml", '[project]\nlicense = {text = "MIT License"}', ["MIT"]),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}', []),
        ("pyproject.toml", '[tool.poetry]\nlicense = "MIT"', ["MIT"]),
        ("pyproject.toml", '[project]\nclassifiers = ["License :: OSI Approved :: MIT License", "X :: Y"]', ["MIT"]),
        ("a/setup.cfg", "[metadata]\nlicense = BSD-3-Clause\n", ["BSD-3-Clause"]),
        ("package.json", '{"license": "(MIT OR Apache-2.0)"}', ["MIT OR Apache-2.0"]),
        ("package.json", '{"license": {"type": "MIT"}, "licenses": [{"type": "ISC"}, 3]}', ["MIT", "ISC"]),
        ("x.dist-info/METADATA", "Name: x\nLicense-Expression: MIT\nLicense: some\n\nLicense: body", ["MIT", ""]),
        ("PKG-INFO", "Classifier: License :: OSI Approved :: Apache Software License\n", ["Apache-2.0"]),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"', ["MIT OR Apache-2.0"]),
        ("CITATION.cff", "title: x\nlicense: CC-BY-4.0 # note\n", ["CC-BY-4.0"]),
        ("README.md", "---\nlicense: apache-2.0\ntags:\n- x\n---\n# Model", ["Apache-2.0"]),
        ("README.md", "---\nlicense:\n- mit\n- 'cc-by-4.0'\n---\n", ["MIT", "CC-BY-4.0"]),
        ("README.md", "---\nlicense: llama3.1\n---\n", [""]),
        ("README.md", "# no front matter\nlicense: mit\n", []),
    ],
)
def test_declared_licences(path: str, content: str, expected: list[str]) -> None:
    assert manifests.describes(path)
    assert [each.expression for each in manifests.declared(path, content.encode())] == expected


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("pyproject.toml", b"not toml ]["),
        ("pyproject.toml", b"\xff\xfe"),
        ("pyproject.toml", b"a = " + b"[" * 100_000),
        ("package.json", b"[]"),
        ("package.json", b"[" * 200_000),
        ("setup.cfg", b"[metadata]\nlicense = a\nlicense = b\n"),
        ("setup.cfg", b"no section"),
    ],
)
def test_a_broken_description_is_malformed(path: str, content: bytes) -> None:
    with pytest.raises(Malformed, match=r"supply\.manifest"):
        manifests.declared(path, content)


# --- dependencies -----------------------------------------------------------------------------------------------------


def names(path: str, content: str) -> list[tuple[str, str, str]]:
    assert manifests.locks(path)
    return [(each.ecosystem, each.name, each.version) for each in manifests.dependencies(path, content.encode())]


def test_requirement_files() -> None:
    text = """# comment
-r other.txt
--index-url https://example.org
Foo_Bar[extra] == 1.2.3 ; python_version < "4"  # why
baz>=2
loose==1.*
spaced
https://example.org/x.whl
here @ https://example.org/y.whl
hashed==1.0 \\
    --hash=sha256:%s \\
    --hash=sha256:%s
""" % ("a" * 64, "b" * 64)  # noqa: UP031 - braces stand in requirement files
    found = {each.name: each for each in manifests.dependencies("dev-requirements.txt", text.encode())}
    assert {name: each.version for name, each in found.items()} == {
        "foo-bar": "1.2.3",
        "baz": "",
        "loose": "",
        "spaced": "",
        "here": "",
        "hashed": "1.0",
    }
    assert found["hashed"].hashes == ("a" * 64, "b" * 64)


def test_lock_files() -> None:
    poetry = '[[package]]\nname = "a"\nversion = "1"\nfiles = [{file = "f", hash = "sha256:' + "c" * 64 + '"}]'
    assert manifests.dependencies("poetry.lock", poetry.encode()) == (
        Dependency("pypi", "a", "1", ("c" * 64,), "poetry.lock"),
    )
    uv = '[[package]]\nname = "me"\nversion = "1"\nsource = {editable = "."}\n[[package]]\nname = "b"\nversion = "2"'
    assert names("uv.lock", uv) == [("pypi", "b", "2")]
    assert names("pylock.toml", '[[packages]]\nname = "c"\nversion = "3"') == [("pypi", "c", "3")]
    cargo = '[[package]]\nname = "me"\nversion = "1"\n[[package]]\nname = "d"\nversion = "4"\nsource = "registry+x"'
    assert names("Cargo.lock", cargo) == [("cargo", "d", "4")]
    npm = {"lockfileVersion": 3, "packages": {"": {"name": "me"}, "node_modules/@s/e": {"version": "5.0.0"}}}
    assert names("package-lock.json", json.dumps(npm)) == [("npm", "@s/e", "5.0.0")]
    assert names("package-lock.json", '{"dependencies": {"f": {"version": "6.0.0"}}}') == [("npm", "f", "6.0.0")]
    assert names("package.json", '{"dependencies": {"g": "^1.0.0"}}') == [("npm", "g", "")]
    assert names("pyproject.toml", '[project]\ndependencies = ["h>=1", "i==2"]') == [
        ("pypi", "h", ""),
        ("pypi", "i", "2"),
    ]


def test_extras_of_a_package_are_optional() -> None:
    found = manifests.dependencies("METADATA", b'Requires-Dist: a>=1\nRequires-Dist: b ; extra == "dev"\n\n')
    assert [(each.name, each.optional) for each in found] == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("poetry.lock", b'[[package]]\nname = "../../x"\nversion = "1"'),
        ("poetry.lock", b'package = ["x"]'),
        ("package-lock.json", b'{"packages": {"node_modules/../x y": {"version": "1.0.0"}}}'),
        ("requirements.txt", b"\xff"),
        ("requirements.txt", b"".join(b"p%d\n" % number for number in range(20_001))),
    ],
)
def test_a_hostile_lock_file_is_malformed(path: str, content: bytes) -> None:
    with pytest.raises(Malformed, match=r"supply\.manifest"):
        manifests.dependencies(path, content)


@given(st.text(max_size=300))
def test_no_requirement_file_makes_reading_raise(text: str) -> None:
    for each in manifests.dependencies("requirements.txt", text.encode()):
        assert each.name


def test_a_pin_wins_over_a_mention() -> None:
    pinned, loose = Dependency("pypi", "a", "1", ("x",), "uv.lock"), Dependency("pypi", "a", "", (), "pyproject.toml")
    assert manifests.merge([loose, pinned]) == manifests.merge([pinned, loose]) == (pinned,)
    assert manifests.merge([loose, loose]) == (loose,)
    optional = pinned._replace(optional=True, source="z")
    assert not manifests.merge([optional, pinned])[0].optional
