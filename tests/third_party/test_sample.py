"""A stranger's area of governance: built as a wheel, installed beside Tongqiu, driven; and read where it is not installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tongqiu.node import passports
from tongqiu.node.follow import follow
from tongqiu.node.world import SystemClock
from tongqiu.record.audience import EVERYONE, STRANGER
from tongqiu.seal.policy import read_trust
from tongqiu.testing import paper_node

pytestmark = pytest.mark.system  # each step starts the software anew; `make test` stays within ten minutes without

HERE = Path(__file__).parent
SAMPLE = HERE / "sample"
GUIDE = HERE.parents[1] / "docs" / "write-a-practice.md"


class Elsewhere(NamedTuple):
    """An environment with the wheel in it, a folder to assess, and a home for the node."""

    bin: Path
    folder: Path
    home: Path

    def tongqiu(self, *arguments: object) -> str:
        """Run the command and return what it printed."""
        program = "from tongqiu.cli import main; main()"
        return self.python("-c", program, *arguments)

    def python(self, *arguments: object) -> str:
        command = [str(self.bin / "python"), "-I", *map(str, arguments)]
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "TONGQIU_HOME"}}
        environment = kept | {"TONGQIU_HOME": str(self.home), "COLUMNS": "400", "TONGQIU_LANG": "en"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    command += ["--no-index", "--no-build-isolation", "--wheel-dir", str(place), str(SAMPLE)]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = place.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place / "venv", with_pip=False, symlinks=True)
    bin_ = place / "venv" / "bin"
    # It sees what is installed here, the way a stranger's environment would after `pip install tongqiu`.
    target = Path(sysconfig.get_path("purelib", "venv", {"base": str(place / "venv"), "platbase": str(place / "venv")}))
    ours = sysconfig.get_path("purelib")
    (target / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(bin_ / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    folder = place / "system"
    (folder / "letters").mkdir(parents=True)
    (folder / "letters" / "one.txt").write_text(
        "We wrote to you. You did not answer!\n\n我们写过信。您没有回复。\n", "utf-8"
    )
    (folder / "letters" / "two.md").write_text("Please answer us soon. Thank you.\n", "utf-8")
    (folder / "letters" / "not-text.txt").write_bytes(b"\xff\xfe\x00")
    manifest = '[system]\nname = "Letters"\n\n[[data]]\nname = "letters"\npath = "letters"\ntexts = [".txt", ".md"]\n'
    (folder / "tongqiu.toml").write_text(manifest, "utf-8")
    return Elsewhere(bin_, folder, place / "home")


@pytest.fixture(scope="module")
def assessed(elsewhere: Elsewhere) -> str:
    return elsewhere.tongqiu("assess", elsewhere.folder, "--party", "A stranger")


def test_the_wheel_carries_the_area_its_readme_and_its_examples(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("__init__.py", "kinds.py", "README.md", "vectors/schemas.json", "vectors/reading-1.json"):
        assert f"tongqiu_readability/{name}" in names


def test_it_keeps_the_contract_where_it_is_installed(elsewhere: Elsewhere) -> None:
    program = "from tongqiu_readability import PRACTICE; from tongqiu.testing import check_practice; print(check_practice(PRACTICE))"
    assert elsewhere.python("-c", program).strip() == "[]"


def test_it_is_listed_beside_the_areas_that_come_with_the_node(elsewhere: Elsewhere) -> None:
    listed = elsewhere.tongqiu("areas")
    for word in ("readability", "Readability", "readability.sentences", "readability.reading/1", "evaluation"):
        assert word in listed
    assert "易读性" in elsewhere.tongqiu("areas", "--lang", "zh")


def test_the_main_job_runs_it_and_its_results_reach_registries(elsewhere: Elsewhere, assessed: str) -> None:
    assert "Plain sentences" in assessed
    rows = json.loads(elsewhere.tongqiu("registry", "readability.texts", "--json"))
    assert {(row["language"], row["sentences"], row["mean"]) for row in rows} == {("en", 4, 3.5), ("zh", 2, 5.0)}
    records = json.loads(elsewhere.tongqiu("records", "--kind", "readability.reading/1", "--json"))
    assert records[0]["content"]["body"]["unreadable"] == 1
    before = len(json.loads(elsewhere.tongqiu("records", "--limit", "500", "--json")))
    elsewhere.tongqiu("assess", elsewhere.folder)
    assert len(json.loads(elsewhere.tongqiu("records", "--limit", "500", "--json"))) == before


DRIVE = """
import json, sys
from starlette.testclient import TestClient
from tongqiu.node import open_node
from tongqiu.portal.session import name_of
from tongqiu.portal.site import app
with open_node() as node:
    owner = node.people.owner()
    site = app(node)
    person = TestClient(site, headers={"origin": "http://testserver", "sec-fetch-site": "same-origin"})
    person.cookies.set(name_of(secure=False), node.people.begin(owner.id, how="test"))
    csrf = node.people.signed(person.cookies[name_of(secure=False)]).csrf
    secret, _ = node.people.make_token(owner.id, "robot", scopes=["readability.note"])
    typed = json.loads(sys.argv[1])
    page = person.get("/do/readability.note?lang=zh").text
    sent = person.post("/do/readability.note", data={**typed, "csrf": csrf}, files={"pages": ("a.txt", b"marked", "text/plain")}, follow_redirects=False)
    pages = [{"name": "a.txt", "media": "text/plain", "data": "bWFya2Vk"}]
    called = TestClient(site).post("/api/do/readability.note", json={**typed, "pages": pages}, headers={"authorization": "Bearer " + secret})
    print(json.dumps(["记录阅读感受" in page, sent.status_code, called.status_code]))
"""
"""Fill the form in as a person in a browser, and call the same verb as a program."""


def test_its_verb_is_a_command_a_form_and_a_call_that_make_the_same_bytes(elsewhere: Elsewhere, assessed: str) -> None:
    del assessed
    assert "readability.note" in elsewhere.tongqiu("do")
    assert "--hardness" in elsewhere.tongqiu("do", "readability.note")
    (texts,) = {row["name"] for row in json.loads(elsewhere.tongqiu("registry", "readability.texts", "--json"))}
    records = json.loads(elsewhere.tongqiu("records", "--kind", "readability.reading/1", "--json"))
    subject = next(each["content"]["subject"]["id"] for each in records if each["content"]["subject"]["name"] == texts)
    typed = {"subject": subject, "words": "The third letter. 第三封信。", "hardness": "4", "whole": "true"}
    (elsewhere.folder / "a.txt").write_bytes(b"marked")
    options = [part for name, value in typed.items() for part in (f"--{name}", value)]
    made = elsewhere.tongqiu("do", "readability.note", *options, "--pages", elsewhere.folder / "a.txt")
    assert made.startswith("Made readability.note/1 ")
    assert json.loads(elsewhere.python("-c", DRIVE, json.dumps(typed))) == [True, 303, 201]
    notes = json.loads(elsewhere.tongqiu("records", "--kind", "readability.note/1", "--json"))
    assert len(notes) == 3
    contents = [{name: value for name, value in each["content"].items() if name != "at"} for each in notes]
    assert contents[0] == contents[1] == contents[2]
    assert contents[0]["body"] == {"words": typed["words"], "hardness": 4, "whole": True}
    assert [each["name"] for each in contents[0]["files"]] == ["a.txt"]


def test_a_node_without_it_reads_its_findings_keeps_them_and_passes_them_on(
    elsewhere: Elsewhere, assessed: str, tmp_path: Path
) -> None:
    del assessed
    # Recording and publishing are two acts; what rests on a private measurement is released by a named person.
    for kind in ("readability.reading/1", "readability.review/1"):
        (record,) = json.loads(elsewhere.tongqiu("records", "--kind", kind, "--json"))
        elsewhere.tongqiu("publish", record["entry"], "--person", "Li Lei", "--why", "only counts of words")
    program = (
        "from tongqiu.node import open_node, passports\n"
        "with open_node() as node:\n"
        "    print(passports.trust_file(node.home))\n"
    )
    trust = read_trust(elsewhere.python("-c", program).encode(), where="trust.toml")
    system = "urn:tongqiu:system:letters"
    file = elsewhere.home / "published.tqp"
    elsewhere.tongqiu("export", system, file)
    data = file.read_bytes()
    with paper_node(tmp_path, name="Elsewhere", clock=SystemClock()) as node:
        assert node.practices.kind("readability.review/1") is None
        checked = passports.verify(data, policy=trust, practices=node.practices, now=passports.now())
        # The private one that was replaced travels, too: the record of its replacement rests on it.
        reviews = [each for each in checked.records if each.statement.kind == "readability.review/1"]
        (review,) = [each for each in reviews if each.statement.content.audience == EVERYONE]
        assert review.derived is None
        assert review.notes[0].en.startswith("This kind of record is not known here")
        followed = follow(node, data, trust)
        assert {each.statement.entry for each in reviews} <= set(followed.opaque)
        found = [each.finding for each in node.desk(STRANGER).findings(requirement="readability.plain-zh")]
        assert [(each.title.en, each.title.zh, each.verdict) for each in found] == [
            ("Plain sentences", "句子平易", "met")
        ]
        assert "平均长度" in found[0].reason.zh
        assert node.desk(STRANGER).rows("findings", search="Chinese sentences").total == 1
        # Passed on by somebody who could not read it: still what the stranger signed.
        subject = review.statement.subject
        onward = passports.export(node, subject)
        both = trust | read_trust(passports.trust_file(node.home).encode(), where="trust.toml")
        again = passports.verify(onward, policy=both, practices=node.practices, now=passports.now())
        assert review.statement.content in [each.statement.content for each in again.records]
        assert again.report.pinned


def test_every_block_of_the_guide_is_in_the_sample_as_it_stands() -> None:
    text = GUIDE.read_text("utf-8")
    blocks = re.findall(r"^`([\w./-]+)`:\n\n```(?:python|toml|json)\n(.*?)```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    for name, block in blocks:
        path = SAMPLE / name if name == "pyproject.toml" else SAMPLE / "src" / "tongqiu_readability" / name
        source = path.read_text("utf-8")
        for piece in block.split("\n...\n"):
            assert piece.strip("\n") in source, f"{name}: {piece}"
    shown = {name for name, _ in blocks}
    assert {"pyproject.toml", "__init__.py", "kinds.py", "probes.py", "assessors.py", "views.py"} <= shown
