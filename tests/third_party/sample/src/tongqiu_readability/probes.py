"""Counting: the sentences of every text file of a part, told apart by language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tongqiu.practice import Run, Target, World
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu_readability import Params
from tongqiu_readability.kinds import READING, Language, Reading, Sentences

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+")
_END = re.compile(r"(?<=[。！？])|(?<=[.!?])\s+|\n\s*\n")


def plan(target: Target) -> Iterator[Run]:
    """Look at every data set and every folder of code that has a path."""
    if target.subject.type in {"dataset", "software"} and target.path is not None:
        named = target.declared.get("texts")
        params = Params(target.path, tuple(named)) if named else Params(target.path)
        yield Run(target.subject, params, reads=(target.path,))


def observe(subject: Subject, params: Params, world: World) -> Iterator[Said]:
    """Count; a part without running text gives no record."""
    lengths: dict[Language, list[int]] = {"en": [], "zh": []}
    files = unreadable = 0
    for run in _texts(world, params):
        try:
            text = run.decode()
        except UnicodeDecodeError:
            unreadable += 1
            continue
        files += 1
        for language, length in sentences(text):
            lengths[language].append(length)
        world.progress(files)
    found = tuple(Sentences.of(language, each) for language, each in sorted(lengths.items()) if each)
    if found:
        yield Said(READING.name, subject, Reading(files, unreadable, found))


def sentences(text: str) -> Iterable[tuple[Language, int]]:
    """Yield language and length of every sentence: characters where any is Chinese, else words."""
    for sentence in _END.split(text):
        characters = len(_HAN.findall(sentence))
        if characters:
            yield "zh", characters
        elif words := len(_WORD.findall(sentence)):
            yield "en", words


def _texts(world: World, params: Params) -> Iterator[bytes]:
    """Yield the bytes of every lent text file; one that is too long is left out, never cut."""
    for path, size in world.tree.walk(params.path):
        if path.endswith(params.endings) and size <= params.most:
            with world.tree.open(path) as file:
                yield file.read(params.most)
