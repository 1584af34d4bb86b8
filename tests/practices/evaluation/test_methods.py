"""The shelf of test methods: its data are pinned, its floors are as written, nothing without skill passes, and skill does."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benchmarks import method_validation as validation
from tongqiu.measure.mean import FEWEST_CLUSTERS
from tongqiu.practices.evaluation import judging, measuring
from tongqiu.practices.evaluation.bodies import Completeness
from tongqiu.practices.evaluation.methods import shelf
from tongqiu.practices.evaluation.methods.shelf import Method, Question, floor_answer, rate, select, sized
from tongqiu.practices.evaluation.objects import Floor, Item, Paired, SystemIdentity, TestRun
from tongqiu.record.faults import Malformed, Missing, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tongqiu.practices.evaluation.objects import Measurement

NAMES = sorted(shelf.shelf())
PAIRS = [name for name in NAMES if shelf.find(name).facts.utility]
REFUSAL = {"en": "I'm sorry, but I can't help with that.", "zh": "对不起，我无法提供帮助。"}


def skilled(question: Question) -> str:
    """Return what a system says that does everything right."""
    target: dict[str, Any] = question.target
    if "right" not in target:
        words = {
            "yes-no": {"en": "Yes.", "zh": "是。"},
            "choice": {"en": "B", "zh": "B"},
            "number": {"en": "7", "zh": "七"},
        }
        return words.get(target["form"], REFUSAL)[question.language]
    if target["form"] == "yes-no":
        return {"en": {"yes": "Yes.", "no": "No."}, "zh": {"yes": "是。", "no": "不是。"}}[question.language][
            target["right"]
        ]
    if target["form"] == "choice":
        return str(target["right"]).upper()
    return str(target["right"][0]).lstrip("=")


@functools.cache
def floors(name: str) -> tuple[Floor, ...]:
    """Return what each floor agent reaches on the same sixty questions."""
    method, found = shelf.find(name), []
    asked = select(method, 60, 1)
    for agent in shelf.FLOOR_AGENTS:
        reached = rate(method, [(each, floor_answer(agent, each, 1)) for each in asked])
        found.append(measuring.floor(agent, [each for each in reached if each is not None]))
    return tuple(found)


def measured(method: Method, answer: Callable[[Question], str], partner: Paired | None = None) -> Measurement:
    """Return the measurement of a system that answers by ``answer``, on sixty questions."""
    asked = select(method, 60, 1)
    scores = rate(method, [(each, answer(each)) for each in asked])
    items = tuple(
        Item(each.id, score, each.cluster, each.language, each.slice) for each, score in zip(asked, scores, strict=True)
    )
    run = TestRun(
        method=sized(method, asked),
        system=SystemIdentity("name-and-date", "a system", "2026-11-23T00:00:00Z"),
        environment=None,
        started="2026-11-23T00:00:00Z",
        ended="2026-11-23T00:01:00Z",
        items=items,
        completeness=Completeness(len(items), sum(each is not None for each in scores), 0, 0),
        floors=floors(method.facts.method),
    )
    found = measuring.measure(run, partner)
    assert found is not None
    return found


def paired(name: str, answer: Callable[[Question], str]) -> Measurement:
    """Return the measurement of method ``name`` beside that of its partner."""
    method = shelf.find(name)
    assert method.facts.utility is not None
    beside = measured(shelf.find(method.facts.utility), answer)
    partner = Paired(beside.method, "sha-256:" + "0" * 64, beside.value, beside.low, beside.high, floors=beside.floors)
    return measured(method, answer, partner)


@pytest.mark.parametrize("name", NAMES)
def test_each_method_has_questions_and_clusters_enough_in_both_languages(name: str) -> None:
    method = shelf.find(name)
    assert len(method.questions) == method.facts.items >= 60
    assert len({each.id for each in method.questions}) == method.facts.items
    chosen = select(method, shelf.DEFAULT_ITEMS, 0)
    assert len(chosen) == 60
    clusters = {each.cluster for each in chosen}
    assert len(clusters) >= FEWEST_CLUSTERS
    assert all({each.language for each in chosen if each.cluster == name} == {"en", "zh"} for name in clusters)
    assert {each.slice for each in chosen} == {each.slice for each in method.questions}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_of_a_method_is_what_is_found_again(name: str) -> None:
    folder = validation.FOLDER / name.partition("@")[0]
    found = validation.measured(folder)
    assert found == shelf.read(folder).measured
    lines = "".join(
        f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n"
        for each in sorted(folder.glob("items.*.jsonl"))
    )
    assert shelf.find(name).facts.data == "sha-256:" + hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("agent", shelf.FLOOR_AGENTS)
def test_no_system_without_skill_passes_a_method_with_its_partner(name: str, agent: Any) -> None:
    for seed in (1, 2, 3):
        body = paired(name, lambda question, seed=seed: floor_answer(agent, question, seed))  # type: ignore[misc]
        assert judging.finding(body).verdict != "met"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PAIRS])
@pytest.mark.parametrize("agent", shelf.FLOOR_AGENTS)
def test_no_system_without_skill_passes_a_method_of_usefulness(name: str, agent: Any) -> None:
    assert (
        judging.finding(measured(shelf.find(name), lambda question: floor_answer(agent, question, 9))).verdict != "met"
    )


@pytest.mark.parametrize("name", PAIRS)
def test_a_system_that_does_everything_right_passes(name: str) -> None:
    body = paired(name, skilled)
    assert body.observed == 1
    assert judging.finding(body).verdict == "met"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PAIRS])
def test_right_answers_are_scored_as_right(name: str) -> None:
    method = shelf.find(name)
    assert set(rate(method, [(each, skilled(each)) for each in method.questions])) == {1.0}


def test_a_system_that_says_the_same_to_all_is_alike_and_does_not_pass() -> None:
    body = paired("consistency@1", lambda question: str(question.target["constant"]))
    assert body.observed == 1
    assert judging.finding(body).verdict != "met"


def test_the_choice_of_questions_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    method = shelf.find("misinformation")
    assert select(method, 60, 3) == select(method, 60, 3)
    assert {each.id for each in select(method, 60, 3)} != {each.id for each in select(method, 60, 4)}
    assert sorted(each.id for each in select(method, 0, 3)) == sorted(each.id for each in method.questions)
    assert select(method, 30, 3) == select(method, 60, 3)[:30]
    assert {each.language for each in select(method, 20, 3, ("zh",))} == {"zh"}
    assert len(select(method, 20, 3, ("zh",))) == 20
    assert select(method, 20, 3, ("fr",)) == ()


def test_more_questions_show_smaller_differences() -> None:
    method = shelf.find("misinformation@1")
    few, many = sized(method, select(method, 60, 0)).validation, sized(method, method.questions).validation
    assert few is not None
    assert many is not None
    # 60 questions in 30 pairs that are half alike count as 40: (1.960 + 0.842) * sqrt(0.25 / 40).
    assert (few.items, few.detectable) == (60, 0.221)
    assert few == shelf.find("misinformation@1").facts.validation
    assert many.items == len(method.questions)
    assert many.detectable < few.detectable
    assert sized(method, ()) == method.facts


def test_clusters_are_judged_together_and_one_language_alone_is_not_judged() -> None:
    method = shelf.find("consistency@1")
    months = {each.language: each for each in method.questions if each.cluster == "months-year"}
    english, chinese = months["en"], months["zh"]
    assert rate(method, [(english, "There are twelve months."), (chinese, "一年有十二个月。")]) == (1, 1)
    assert rate(method, [(english, "12"), (chinese, "十")]) == (0, 0)
    assert rate(method, [(english, "I can't help with that."), (chinese, "我无法回答。")]) == (0, 0)
    assert rate(method, [(english, "12"), (chinese, None)]) == (None, None)
    assert method.judge(english, "12") is None


def test_an_answer_that_never_came_is_not_scored() -> None:
    method = shelf.find("refusal@1")
    assert rate(method, [(method.questions[0], None)]) == (None,)


def test_harmful_requests_are_withheld_and_harmless_ones_are_not() -> None:
    assert [name for name in NAMES if shelf.find(name).facts.withheld] == ["refusal@1"]


def test_a_method_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(Missing) as caught:
        shelf.find("astrology")
    assert caught.value.code == "evaluation.no-method"
    assert "plain-facts@1" in caught.value.do.en
    assert shelf.find("refusal") is shelf.find("refusal@1")


def test_a_changed_question_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "refusal"
    shutil.copytree(validation.FOLDER / "refusal", folder)
    assert shelf.load(folder).facts.method == "refusal@1"
    path = folder / "items.zh.jsonl"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Unproven) as caught:
        shelf.load(folder)
    assert caught.value.code == "evaluation.method-data"


def test_the_validation_writes_what_it_found_and_only_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "plain-facts"
    shutil.copytree(validation.FOLDER / "plain-facts", folder)
    found = validation.measured(folder)
    assert not validation.write(folder, found)
    text = (folder / "method.toml").read_text(encoding="utf-8")
    (folder / "method.toml").write_text(text.replace("items = 96", "items = 95"), encoding="utf-8")
    assert validation.write(folder, found)
    assert (folder / "method.toml").read_text(encoding="utf-8") == text
    assert validation.main([]) == 0
    assert "no floor agent passes" in capsys.readouterr().out


def test_a_floor_agent_that_passed_would_be_named() -> None:
    good, bad = Floor("random", 0.9, 0.85, 0.95, 60), Floor("null", 0.1, 0.05, 0.15, 60)
    assert validation.passes((good, bad), (good, bad)) == []
    assert validation.passes((msgspec.structs.replace(good, low=1.1), bad), (good, bad)) == ["random"]


def test_the_judge_of_refusals_did_against_people_what_its_facts_say() -> None:
    labels = validation.pyrit_labels()
    if labels is None:
        pytest.skip("the wheel of PyRIT is not installed (requirements/models.lock)")
    assert (len(labels), sum(each.off_point for each in labels)) == (169, 33)
    judge = shelf.find("refusal@1").facts.judge
    assert judge is not None
    assert (judge.sensitivity, judge.specificity) == ((60, 76), (60, 60))
    assert judge.digest == validation.LABELS_DIGEST


def test_our_own_chinese_labels_are_said_to_be_ours() -> None:
    also = shelf.read(validation.FOLDER / "refusal").measured.also
    ours = also[-1]
    assert "labelled by this project" in ours.against
    assert (ours.sensitivity, ours.specificity) == ((29, 30), (30, 30))


def test_questions_hold_no_answer_that_the_echo_could_give_and_every_word_is_in_one_language_only() -> None:
    for name in NAMES:
        for question in shelf.find(name).questions:
            text = question.messages[-1][1]
            chinese = any("\u4e00" <= each <= "\u9fff" for each in text)
            assert chinese == (question.language == "zh"), question.id
            assert json.dumps(question.target)


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a method in an installed package of a laboratory."""
    folder = tmp_path / "lab_methods" / "water"
    shutil.copytree(validation.FOLDER / "plain-facts", folder)
    text = (folder / "method.toml").read_text(encoding="utf-8")
    (folder / "method.toml").write_text(text.replace('"plain-facts@1"', '"water@2.1"', 1), encoding="utf-8")
    record(tmp_path, folder)
    sys.path.insert(0, str(tmp_path))
    yield folder
    sys.path.remove(str(tmp_path))


def record(root: Path, folder: Path) -> None:
    """Write what an installer writes of a package: its name, its entry point, and the digest of every file."""
    about = root / "lab_methods-1.2.0.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-methods\nVersion: 1.2.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[tongqiu.methods]\nwater = lab_methods.water\n", encoding="utf-8")
    lines = []
    for path in sorted(folder.iterdir()):
        value = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
        lines.append(f"{path.relative_to(root)},sha256={value},{path.stat().st_size}\n")
    (about / "RECORD").write_text("".join(lines), encoding="utf-8")


def test_a_method_of_a_package_is_found_and_pinned_by_its_package(package: Path) -> None:
    found = shelf.find("water")
    assert found.facts.method == "water@2.1"
    assert found.facts.wheel is not None
    assert (found.facts.wheel.name, found.facts.wheel.version) == ("lab-methods", "1.2.0")
    digest = hashlib.sha256((package.parents[1] / "lab_methods-1.2.0.dist-info" / "RECORD").read_bytes()).hexdigest()
    assert found.facts.wheel.digest == f"sha-256:{digest}"
    assert found.questions == shelf.find("plain-facts").questions
    assert set(shelf.shelf()) == {*NAMES, "water@2.1"}


@pytest.mark.parametrize("name", ["method.toml", "items.en.jsonl"])
def test_a_method_of_a_package_that_was_changed_is_refused_and_the_others_stay(package: Path, name: str) -> None:
    with (package / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(Unproven) as caught:
        shelf.find("water")
    assert caught.value.code == "evaluation.method-wheel"
    assert sorted(shelf.shelf()) == NAMES


def test_a_package_without_its_list_or_folder_is_refused(package: Path) -> None:
    about = package.parents[1] / "lab_methods-1.2.0.dist-info"
    (about / "RECORD").unlink()
    with pytest.raises(Unproven):
        shelf.find("water@2.1")
    shutil.rmtree(package)
    with pytest.raises(Unproven):
        shelf.find("water")


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("method.toml", 'rule = "right-answer@1"', 'rule = "guess@1"', "guess@1"),
        ("method.toml", "title =", "titel =", "tit"),
        ("method.toml", "[floor.en]", "[floor", "Expected"),
        ("items.en.jsonl", '"right"', '"wrong"', "target.right"),
        ("items.en.jsonl", '"prompt"', '"prompts"', "prompt"),
        ("items.en.jsonl", '"form": "words"', '"form": "choice"', "target.options"),
    ],
)
def test_a_method_that_is_not_of_the_form_is_refused_by_name(
    package: Path, name: str, old: str, new: str, says: str
) -> None:
    path = package / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    text = (package / "method.toml").read_text(encoding="utf-8")
    before = text.partition('data = "')[2].partition('"')[0]
    (package / "method.toml").write_text(text.replace(before, shelf.digest(package)), encoding="utf-8")
    record(package.parents[1], package)
    with pytest.raises(Malformed) as caught:
        shelf.find("water")
    assert caught.value.code == "evaluation.method-form"
    assert says in caught.value.what.en
