"""A folder's licences: headers with their line, texts with their state, declarations, and whose work it is."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from tongqiu.practices.supply import survey
from tongqiu.practices.supply.kinds import Licences, licences_hold
from tongqiu.scan import tree

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")


def of(folder: Path, files: dict[str, str | bytes]) -> Licences:
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    body = survey.survey(tree.walk(folder))
    assert list(licences_hold(body)) == []
    return body


@pytest.mark.parametrize(
    "line",
    [
        "# SPDX-License-Identifier: MIT",
        "// SPDX-License-Identifier: MIT",
        "/* SPDX-License-Identifier: MIT */",
        " * SPDX-License-Identifier:  MIT",
        "<!-- SPDX-License-Identifier: MIT -->",
        "# SPDX-License-Identifier: MIT\r",
        "-- SPDX-License-Identifier:\tMIT",
    ],
)
def test_headers_in_every_comment_style(tmp_path: Path, line: str) -> None:
    body = of(tmp_path, {"a.py": f"#!/usr/bin/env python\n{line}\nx = 1\n", "b.py": "x = 2\n"})
    assert (body.sources, body.headed) == (2, 1)
    assert [(each.expression, each.files) for each in body.headers] == [("MIT", 1)]


def test_a_bad_header_is_named_with_its_line(tmp_path: Path) -> None:
    body = of(
        tmp_path, {"d/a.c": "\n\n// SPDX-License-Identifier: FOO-9\n", "b.py": "# SPDX-License-Identifier: MIT AND\n"}
    )
    assert [(each.where, each.says) for each in body.bad_headers] == [("b.py:1", "MIT AND"), ("d/a.c:3", "FOO-9")]
    assert body.headed == 0


def test_a_tag_in_a_string_or_to_be_ignored_is_no_header(tmp_path: Path) -> None:
    text = 'x = "SPDX-License-Identifier: GPL-3.0-only"\n# REUSE-IgnoreStart\n# SPDX-License-Identifier: FOO\n# REUSE-IgnoreEnd\n'
    body = of(tmp_path, {"a.py": text})
    assert (body.headed, body.bad_headers) == (0, ())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LICENSE", True),
        ("LICENCE.txt", True),
        ("LICENSE-APACHE", True),
        ("COPYING.LESSER", True),
        ("UNLICENSE", True),
        ("NOTICE", True),
        ("LICENSES/MIT.txt", True),
        ("x/apache-2.0.LICENSE", True),
        ("EULA.md", True),
        ("license.py", False),
        ("licenses.json", False),
        ("licensing_of_cats.txt", False),
        ("README.md", False),
    ],
)
def test_files_named_like_licences(name: str, *, expected: bool) -> None:
    assert survey.is_licence(name) is expected


def test_texts_by_state_and_whose_they_are(tmp_path: Path) -> None:
    words = APACHE.split()
    altered = " ".join("xyzzy" if number % 20 == 0 else word for number, word in enumerate(words))
    body = of(
        tmp_path,
        {
            "LICENSE": APACHE,
            "COPYING": altered,
            "EULA.txt": "You may look at this on Tuesdays. " * 9,
            "NOTICE": "This product includes software developed by others.",
            "node_modules/x/LICENSE": APACHE,
            "LICENSE-BIG": b"a " * (1 << 20),
        },
    )
    found = {each.path: each for each in body.texts}
    assert {path: each.state for path, each in found.items()} == {
        "LICENSE": "recognised",
        "COPYING": "altered",
        "EULA.txt": "unknown",
        "NOTICE": "notice",
        "node_modules/x/LICENSE": "recognised",
        "LICENSE-BIG": "unknown",
    }
    assert found["LICENSE"].matches[0].id == found["COPYING"].matches[0].id == "Apache-2.0"
    assert [path for path, each in found.items() if each.third_party] == ["node_modules/x/LICENSE"]


def test_declarations_of_others_are_not_ours(tmp_path: Path) -> None:
    body = of(tmp_path, {"package.json": '{"license": "MIT"}', "node_modules/x/package.json": '{"license": "ISC"}'})
    assert [each.expression for each in body.declared] == ["MIT"]


def test_a_broken_description_is_reported_not_raised(tmp_path: Path) -> None:
    body = of(tmp_path, {"pyproject.toml": "]["})
    assert body.bad_headers[0].where == "pyproject.toml"


def test_a_link_out_of_the_folder_is_counted_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").write_text(APACHE, encoding="utf-8")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "LICENSE").symlink_to(tmp_path / "out")
    body = of(folder, {"a.py": "x = 1"})
    assert (body.texts, body.left_out) == ((), 1)


def test_lists_are_cut_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    body = of(tmp_path, {f"{number}.py": "# SPDX-License-Identifier: NOPE" for number in range(survey.MOST_BAD + 5)})
    assert (len(body.bad_headers), body.more) == (survey.MOST_BAD, 5)


def test_progress_is_told(tmp_path: Path) -> None:
    for number in range(70):
        (tmp_path / f"{number}.txt").write_text("", encoding="utf-8")
    told: list[tuple[int, int]] = []
    survey.survey(tree.walk(tmp_path), lambda done, total: told.append((done, total)))
    assert told == [(0, 70), (64, 70)]


def test_an_installed_package() -> None:
    found = importlib.metadata.distribution("license-expression")
    place = next(Path(file.locate()) for file in found.files or () if file.name == "METADATA")
    body = survey.survey(tree.walk(place.parent))
    assert [each.expression for each in body.declared] == ["Apache-2.0"]
    assert {match.id for text in body.texts for match in text.matches} == {"Apache-2.0"}
