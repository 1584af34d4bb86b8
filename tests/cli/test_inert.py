"""What strangers wrote is only ever shown, and no mistake of a person or of ours ends in a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu import cli
from tongqiu.cli import words
from tongqiu.node import home
from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    from pathlib import Path

ACTIVE = "\x1b[31m\x9b2J\x07\r\x00\u202e\u2066\u2028\ufeff"


def _quiet(shown: str) -> bool:
    return not set(shown) & set(ACTIVE.replace("[31m", "").replace("2J", ""))


@given(st.text())
def test_inert_text_holds_nothing_to_obey_and_stays_the_same_json(text: str) -> None:
    shown = inert(text)
    assert not any((ord(char) < 32 and char not in "\t\n") or 127 <= ord(char) < 160 for char in shown)
    assert inert(shown) == shown
    assert "\n" not in inert(text, one_line=True)
    value = json.dumps({"v": text}, ensure_ascii=False, indent=2)
    assert json.loads(inert(value)) == {"v": text}


def test_plain_words_of_any_language_stay() -> None:
    for text in (
        "同球　评估：“好”。",
        "naïve – café",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d💻",
        "a\tb\nc",
    ):
        assert inert(text) == text


def test_nothing_that_is_printed_reaches_the_terminal_raw() -> None:
    out = words.console()
    out.file = io.StringIO()
    out.print(ACTIVE + "plain")
    out.print(words.styled(ACTIVE + "styled", "bold"))
    out.print(words.table(("a", ACTIVE), [(ACTIVE + "cell\nforged row", "b")], title=ACTIVE))
    shown = out.file.getvalue()
    assert _quiet(shown)
    assert "\\u001b[31m" in shown
    assert not any(line.startswith("forged") for line in shown.splitlines())


def test_a_value_in_a_sentence_begins_no_line() -> None:
    assert words.t("Signed by {name}.", "由 {name} 签署。", name="x\nPROVEN" + ACTIVE).count("\n") == 0


def test_faults_on_standard_error_are_inert(capsys: pytest.CaptureFixture[str]) -> None:
    words.complain(Malformed("a.b", Text(en=ACTIVE, zh=ACTIVE), do=Text(en="do", zh="做"), where=ACTIVE))
    shown = capsys.readouterr().err
    assert _quiet(shown)
    assert "\\u001b" in shown


def _run(
    place: Path, *arguments: str, lang: str = "en", stdin: str | None = "", **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TONGQIU_HOME": str(place / "home"), "TONGQIU_LANG": lang, **more}
    return subprocess.run(
        [sys.executable, "-m", "tongqiu", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        input=stdin,
        check=False,
        cwd=place,
        timeout=120,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    home.create(tmp_path / "home", name="Lab")
    (tmp_path / "tongqiu.toml").write_text('[system]\nname = "S"\n')
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("assess", ".", "--jobs=-1"), "option.range"),
        (("records", "--limit=-1"), "option.range"),
        (("registry", "systems", "--limit=0"), "option.range"),
        (("serve", "--port", "99999"), "option.range"),
        (("publish", "0" * 64, "--to", "notadid"), "form.fields"),
        (("publish", "0" * 64, "--to", ""), "form.fields"),
        (("publish", "0" * 64, "--to", "pkg:pypi/x@1"), "publish.reader"),
        (("take-over",), "input.none"),
        (("assess", ".", "--home", "new", "--party", "n" * 900), "home.name"),
        (("init", "sub", "--yes", "--home", "new", "--party", "\x1b[31m"), "home.name"),
        (("assess", "no\x1b[31mwhere"), "manifest.missing"),
    ],
)
def test_each_mistake_is_named_without_a_traceback(place: Path, arguments: tuple[str, ...], code: str) -> None:
    (place / "sub").mkdir()
    done = _run(place, *arguments)
    assert f"[{code}]" in done.stderr
    assert done.returncode in {2, 3}
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert not (place / "new").exists()
    assert not (place / "sub" / "tongqiu.toml").exists()


def test_erasing_asks_and_says_that_nobody_answers(place: Path) -> None:
    listed = _run(place, "records", "--json")
    entry = json.loads(listed.stdout)[0]["entry"]
    done = _run(place, "erase", entry, "--ground", "law")
    assert (done.returncode, "[input.none]" in done.stderr) == (2, True)


def test_our_own_defect_is_one_line_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    # A command line that cannot even be read as text: no command expects a number there.
    arguments: list[str] = ["node", 3]  # type: ignore[list-item]
    code = cli._run(arguments, "en")  # noqa: SLF001 - the guard itself
    shown = capsys.readouterr().err
    assert code == 70
    assert "Traceback" not in shown
    assert shown.count("\n") == 1
    assert "TONGQIU_DEBUG=1" in shown
    assert "缺陷" in shown


def test_debugging_shows_the_traceback(place: Path) -> None:
    script = "from tongqiu import cli; import sys; sys.exit(cli._run(['node', 3], 'en'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TONGQIU_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
    )
    assert done.returncode == 70
    assert "Traceback" in done.stderr
