"""Weighing: the mean length of sentences beside the limit, at the bounds of its 95 % interval."""

from __future__ import annotations

from collections.abc import Iterator

from tongqiu.practice import Ask
from tongqiu.record.statement import Said
from tongqiu.record.subject import Subject
from tongqiu_readability.kinds import LIMITS, READING, REVIEW, Judged, Review

_Z = 1.96


def assess(subject: Subject, ask: Ask) -> Iterator[Said]:
    """Judge every reading of ``subject``; none, and there is nothing to say."""
    for statement in ask.said(READING.name, subject=subject):
        judged = tuple(
            Judged(
                each.language,
                round(each.mean - _Z * each.u, 2),
                round(each.mean + _Z * each.u, 2),
                LIMITS[each.language],
            )
            for each in READING.read(statement.body).languages
        )
        yield Said(REVIEW.name, subject, Review(judged), rests_on=(statement.entry,))
