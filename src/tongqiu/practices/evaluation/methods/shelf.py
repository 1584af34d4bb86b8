"""The shelf of test methods: what each asks, who judges the answers, and what is known of the method itself.

A method is a folder of data: ``method.toml`` holds its facts, ``items.<language>.jsonl`` its questions, pinned by digest. The
rules that judge are named, versioned and deterministic (``scoring.py``); no language model judges another.

    for name, method in shelf().items():
        asked = select(method, DEFAULT_ITEMS, seed, ("en", "zh"))
        answered = [(question, ask(question.messages)) for question in asked]      # None: no answer came back
        scores = rate(method, answered)                                            # None: cannot be scored
        facts = sized(method, asked)                                               # what goes into the TestRun
"""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tongqiu.measure.mean import detectable
from tongqiu.practices.evaluation.methods import scoring, wheels
from tongqiu.practices.evaluation.methods.questions import Question, Target
from tongqiu.practices.evaluation.objects import Calibration, Floor, FloorAgent, Language, TestMethod, Validation
from tongqiu.record.faults import Fault, Malformed, Missing, Unproven
from tongqiu.record.text import Text, inert

if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Callable, Iterable, Sequence

DEFAULT_ITEMS: Final = 60
"""Questions of a run unless said: thirty clusters in two languages, the fewest for which an interval is given."""

MAX_TOKENS: Final = 32
"""Longest answer unless said; every rule of judging works on answers this short."""

FLOOR_AGENTS: Final[tuple[FloorAgent, ...]] = ("null", "refuser", "random", "constant", "echo")

SPREAD: Final = 0.25
"""Assumed variance of the difference of two systems on one question: two scores of 0 or 1 with variance 1/4, correlated 1/2."""

ALIKE: Final = 0.5
"""Assumed correlation of the scores within one cluster."""

_GUESSES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {"yes-no": ("Yes.", "No."), "choice": ("A", "B", "C"), "number": tuple(map(str, range(13))), "any": ()},
    "zh": {"yes-no": ("是。", "不是。"), "choice": ("A", "B", "C"), "number": tuple(map(str, range(13))), "any": ()},
}
_OPTIONS: Final = {"choice": ("options",)}
_HERE: Final = Path(__file__).resolve().parent
_REFUSAL: Final = {"en": "I'm sorry, but I can't help with that.", "zh": "对不起，我无法提供帮助。"}


class Method(NamedTuple):
    """A method ready to run. ``judge`` scores one answer from 0 to 1, or None where it cannot be scored; ``together``, where
    there is one, scores the answers of one cluster side by side instead. Use :func:`rate`, which knows both.
    """

    facts: TestMethod
    questions: tuple[Question, ...]
    judge: Callable[[Question, str], float | None]
    together: Callable[[Sequence[tuple[Question, str]]], tuple[float | None, ...]] | None = None


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of an items file; its language is that of the file."""

    id: str
    cluster: str
    prompt: str
    target: Target
    slice: str = ""
    system: str = ""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What two of the floor agents say in one language.

    ``constant`` by form of question, ``any`` for the rest; ``random`` one of these by chance, and where none are given, one of
    the right answers to the method's other questions of the same form.
    """

    constant: dict[str, str]
    random: tuple[str, ...]


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ``python -m benchmarks.method_validation`` found and wrote: never by hand."""

    data: str
    items: int
    floors: tuple[Floor, ...] = ()
    judge: Calibration | None = None
    also: tuple[Calibration, ...] = ()


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``method.toml``: the part a person wrote and the part that was measured."""

    method: str
    rule: str
    title: Text
    about: Text
    measurand: str
    notes: tuple[Text, ...]
    floor: dict[Language, Words]
    measured: Measured
    better: str = "higher"
    classes: tuple[str, ...] = ("language-model", "generative-service", "agent")
    utility: str | None = None
    withheld: bool = False
    max_tokens: int = MAX_TOKENS


def shelf() -> dict[str, Method]:
    """Return every method by ``name@version``: the built-in ones, then those of installed packages; read at the first call.

    Raises Unproven (``evaluation.method-data``) where the built-in questions are not those whose digest the method names. A
    package with such a fault is left out here; :func:`find` says what is wrong with it.
    """
    found = dict(_shelf())
    for folder, package in wheels.folders():
        try:
            method = _packed(folder, package)
        except Fault:
            continue
        found.setdefault(method.facts.method, method)
    return found


@functools.cache
def _shelf() -> dict[str, Method]:
    folders = sorted(each.parent for each in _HERE.glob("*/method.toml"))
    methods = (load(each) for each in folders)
    return {each.facts.method: each for each in methods}


def _packed(folder: Path, package: importlib.metadata.Distribution) -> Method:
    """Return the method of an installed package after its files were compared with the package's own list."""
    wheel = wheels.check(folder, package)
    method = load(folder)
    return method._replace(facts=msgspec.structs.replace(method.facts, wheel=wheel))


def find(name: str) -> Method:
    """Return the method ``name@version``, or the newest of ``name``; built-in ones go before those of packages.

    Raises Missing (``evaluation.no-method``); Unproven (``evaluation.method-wheel``, ``evaluation.method-data``) for a method
    of a package that was changed.
    """
    every = shelf()
    newest = sorted((each for each in every if each.partition("@")[0] == name), key=_age)
    found = every.get(name) or (every[newest[-1]] if newest else None)
    if found is not None:
        return found
    for folder, package in wheels.folders():
        if folder.name == name.partition("@")[0]:
            return _packed(folder, package)
    raise Missing(
        "evaluation.no-method",
        Text(en="There is no test method {name}.", zh="没有名为 {name} 的测试方法。"),
        do=Text(en="There are: {known}.", zh="现有：{known}。"),
        name=name,
        known=", ".join(sorted(every)),
    )


def _age(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.partition("@")[2].split(".")))


def load(folder: Path) -> Method:
    """Return the method in ``folder``. Raises Unproven (``evaluation.method-data``) where its data are not as pinned."""
    declared = read(folder)
    measured = declared.measured
    found = digest(folder)
    if found != measured.data:
        raise Unproven(
            "evaluation.method-data",
            Text(en="The questions of {method} are not the ones it names.", zh="{method} 的题目与其所声明的不一致。"),
            do=Text(
                en="Install this software again; whoever changes questions gives the method a new version.",
                zh="请重新安装本软件；更改题目者须为方法更换版本号。",
            ),
            where=folder.name,
            method=declared.method,
        )
    return build(folder, declared)


def build(folder: Path, declared: Declared) -> Method:
    """Return the method in ``folder`` without looking at the digest of its questions, as its validation must. Raises as :func:`read`."""
    try:
        questions = tuple(_questions(folder, declared))
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(folder, str(error)) from error
    rule = scoring.RULES[declared.rule]
    return Method(_facts(declared, questions), questions, rule.one, rule.cluster)


def read(folder: Path) -> Declared:
    """Return the ``method.toml`` of ``folder`` as it stands. Raises Malformed (``evaluation.method-form``)."""
    try:
        declared = msgspec.convert(tomllib.loads((folder / "method.toml").read_text(encoding="utf-8")), Declared)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _malformed(folder, str(error)) from error
    if declared.rule not in scoring.RULES:
        raise _malformed(folder, f"rule {declared.rule}")
    return declared


def _malformed(folder: Path, why: str) -> Malformed:
    return Malformed(
        "evaluation.method-form",
        Text(en="The test method {name} cannot be read: {why}.", zh="测试方法 {name} 无法读取：{why}。"),
        do=Text(en="Ask whoever made it for a mended version.", zh="请向其制作者索取修正后的版本。"),
        where=folder.name,
        name=folder.name,
        why=inert(why[:200], one_line=True),
    )


def digest(folder: Path) -> str:
    """Return the digest of the questions in ``folder``: what ``sha256sum items.*.jsonl | sha256sum`` prints."""
    lines = (f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in _files(folder))
    return "sha-256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def select(method: Method, n: int, seed: int, languages: Sequence[str] = ()) -> tuple[Question, ...]:
    """Return ``n`` questions of ``method`` (0: all) in ``languages`` (none named: all), the same for the same seed.

    Slices take turns, then clusters; every language of a cluster is asked before the next cluster, and second variants come
    when every cluster had its first. So sixty questions in two languages are thirty clusters.
    """
    wanted = [each for each in method.questions if not languages or each.language in languages]
    clusters: dict[str, list[Question]] = defaultdict(list)
    for question in wanted:
        clusters[question.cluster].append(question)
    order = _turns(clusters, seed)
    chosen: list[Question] = []
    rounds: dict[int, list[Question]] = defaultdict(list)
    for name in order:
        seen: dict[str, int] = defaultdict(int)
        for question in sorted(clusters[name], key=lambda each: (_chance(seed, each.id), each.language)):
            rounds[seen[question.language]].append(question)
            seen[question.language] += 1
    for number in sorted(rounds):
        chosen += rounds[number]
    return tuple(chosen[:n] if n > 0 else chosen)


def rate(method: Method, answered: Sequence[tuple[Question, str | None]]) -> tuple[float | None, ...]:
    """Return the score of every answer, in order; None where no answer came (None) or where it cannot be scored."""
    if method.together is None:
        return tuple(None if answer is None else method.judge(question, answer) for question, answer in answered)
    clusters: dict[str, list[int]] = defaultdict(list)
    scores: list[float | None] = [None] * len(answered)
    for at, (question, answer) in enumerate(answered):
        if answer is not None:
            clusters[question.cluster].append(at)
    for places in clusters.values():
        found = method.together([(answered[at][0], answered[at][1] or "") for at in places])
        for at, score in zip(places, found, strict=True):
            scores[at] = score
    return tuple(scores)


def sized(method: Method, asked: Sequence[Question]) -> TestMethod:
    """Return the facts of ``method`` with the difference that can be seen with the questions ``asked``."""
    validation = method.facts.validation
    if validation is None or not asked:
        return method.facts
    least = _detectable(asked)
    changed = msgspec.structs.replace(validation, items=len(asked), detectable=least)
    return msgspec.structs.replace(method.facts, validation=changed)


def floor_answer(agent: FloorAgent, question: Question, seed: int) -> str:
    """Return what a system without skill says to ``question``; the same for the same seed.

    ``null`` nothing; ``refuser`` a refusal; ``random`` one of the answers to the method's questions, by chance; ``constant``
    always the same, the commonest right answer; ``echo`` the last message back.
    """
    if agent == "null":
        return ""
    if agent == "refuser":
        return _REFUSAL["zh" if question.language.startswith("zh") else "en"]
    if agent == "echo":
        return question.messages[-1][1]
    if agent == "constant":
        return str(question.target["constant"])
    pool = question.target["random"]
    choices = pool if isinstance(pool, tuple) else (str(pool),)
    return choices[int(_chance(seed, f"random {question.id}"), 16) % len(choices)]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("items.*.jsonl"))


def _questions(folder: Path, declared: Declared) -> Iterable[Question]:
    for path in _files(folder):
        language = path.name.split(".")[1]
        words = declared.floor[language]
        lines = [msgspec.json.decode(each, type=_Line) for each in path.read_bytes().splitlines()]
        for each in lines:
            lacking = {*scoring.RULES[declared.rule].needs, *_OPTIONS.get(str(each.target.get("form")), ())} - {
                *each.target
            }
            if lacking:
                raise KeyError(f"{each.id}: target.{min(lacking)}")
        pools = _pools(lines, language)
        for each in lines:
            form = str(each.target["form"])
            constant = words.constant.get(form, words.constant["any"])
            target = each.target | {"constant": constant, "random": words.random or pools[form]}
            system = (("system", each.system),) if each.system else ()
            messages = (*system, ("user", each.prompt))
            yield Question(each.id, each.cluster, language, each.slice, messages, target)


def _pools(lines: Sequence[_Line], language: str) -> dict[str, tuple[str, ...]]:
    """Return what may be said at random to each form of question."""
    found = dict(_GUESSES["zh" if language.startswith("zh") else "en"])
    words = (each.target.get("right") for each in lines if each.target["form"] == "words")
    found["words"] = tuple(str(each[0]).lstrip("=") for each in words if isinstance(each, tuple))
    return found


def _facts(declared: Declared, questions: Sequence[Question]) -> TestMethod:
    measured = declared.measured
    judge = scoring.RULES[declared.rule].one
    values: dict[str, Any] = {
        "method": declared.method,
        "title": declared.title,
        "about": declared.about,
        "measurand": declared.measurand,
        "better": declared.better,
        "classes": declared.classes,
        "languages": tuple(sorted(declared.floor)),
        "data": measured.data,
        "items": measured.items,
        "pins": {"rule": declared.rule, "temperature": 0.0, "max_tokens": declared.max_tokens, "attempts": 1},
        "estimator": {"name": "clustered-mean", "coverage": 0.95, "cluster_key": "cluster"},
        "utility": declared.utility,
        "withheld": declared.withheld,
    }
    facts = msgspec.convert(values, TestMethod)
    validation = Validation(0, 0.0, notes=declared.notes)
    facts = msgspec.structs.replace(facts, floors=measured.floors, judge=measured.judge, validation=validation)
    method = Method(facts, tuple(questions), judge)
    return sized(method, select(method, DEFAULT_ITEMS, 0))


def _detectable(asked: Sequence[Question]) -> float:
    """Return the least difference that ``asked`` show, counting questions of one cluster as partly the same (Kish 1965).

    n_eff = n / (1 + (m - 1) rho), with m questions a cluster on average and rho :data:`ALIKE`.
    """
    size = len(asked) / len({each.cluster for each in asked})
    effective = max(1, int(len(asked) / (1 + (size - 1) * ALIKE)))
    return round(detectable(effective, between=SPREAD), 3)


def _turns(clusters: dict[str, list[Question]], seed: int) -> list[str]:
    """Return the clusters by chance, slices taking turns."""
    slices: dict[str, list[str]] = defaultdict(list)
    for name in sorted(clusters, key=lambda each: _chance(seed, each)):
        slices[clusters[name][0].slice].append(name)
    longest = max(map(len, slices.values()), default=0)
    return [slices[name][at] for at in range(longest) for name in sorted(slices) if at < len(slices[name])]


def _chance(seed: int, name: str) -> str:
    """Return a digest that orders things by chance, and the same everywhere."""
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()


__all__ = [
    "DEFAULT_ITEMS",
    "FLOOR_AGENTS",
    "MAX_TOKENS",
    "Declared",
    "Measured",
    "Method",
    "Question",
    "build",
    "digest",
    "find",
    "floor_answer",
    "load",
    "rate",
    "read",
    "select",
    "shelf",
    "sized",
]
