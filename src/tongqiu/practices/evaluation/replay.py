"""How few items to ask again so that a false report is found out: the smallest subset, its power, and which items.

Whoever doubts a report need not run it whole. Two false claims are told apart. *Made-up scores*: of N items, D are not what
the system answers; asking n of them again meets at least one with probability 1 - C(N - D, n) / C(N, n) (hypergeometric, as
in sampling inspection that accepts no defect). *A share that the system does not have*: the claim is p0, the
truth p1; of n items asked again, as many or fewer right ones than the critical number reject the claim (exact binomial test
at level alpha), and the power is the chance of that under p1. Items are drawn by a seed that nobody could have chosen when
the report was signed: the root of a checkpoint of the log that is later than the report.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from tongqiu.practice import Field, Verb
from tongqiu.practices.evaluation.object_kinds import REPLAY, REPORT
from tongqiu.practices.evaluation.objects import Drawn, Replay
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Said
from tongqiu.record.subject import EntryText
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tongqiu.practice import Desk
    from tongqiu.practices.evaluation.objects import Report, Summary

ALPHA: Final = 0.05
POWER: Final = 0.9
FALSE_SHARE: Final = 0.1
"""Share of made-up scores that the subset is to find out, unless said."""


class Subset(NamedTuple):
    """Which items to ask again: their ids, in the order drawn, of how many there are; what ``power`` they find out what with.

    ``found`` is the probability that at least one made-up score is among them when ``false`` of all are made up.
    """

    ids: tuple[str, ...]
    of: int
    false: int
    found: float


class ShareTest(NamedTuple):
    """A test of a claimed share by ``n`` items: reject it at ``critical`` right ones or fewer (or more, for ``upper``).

    ``alpha`` is the chance of rejecting a true claim, ``power`` that of rejecting it when the truth is ``actual``.
    """

    n: int
    critical: int
    upper: bool
    alpha: float
    power: float
    claim: float
    actual: float


def chance_found(n: int, of: int, false: int) -> float:
    """Return the probability that ``n`` of ``of`` items, drawn without replacement, hold one of ``false`` made-up ones.

    1 - C(of - false, n) / C(of, n). Of 60 with 6 made up, 20 find one with 0.9233 (hypergeometric).
    """
    _within(n, of, false)
    if n > of - false:
        return 1.0
    return 1.0 - math.comb(of - false, n) / math.comb(of, n)


def fewest(of: int, false: int, power: float = POWER) -> int:
    """Return the least number of items that find out ``false`` made-up scores among ``of`` with at least ``power``.

    Raises Malformed (``evaluation.replay``) for impossible counts or a power outside (0, 1).
    """
    _within(0, of, false)
    if not 0 < power < 1 or false < 1:
        raise _impossible()
    low, high = 1, of
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance_found(middle, of, false) >= power else (middle + 1, high)
    return low


def draw(ids: Sequence[str], n: int, seed: str) -> tuple[str, ...]:
    """Return ``n`` of ``ids`` in the order of SHA-256(seed, id): anybody with the seed draws the same.

    ``seed`` is public and later than the claim; sorting by a hash gives every subset the same chance.
    """

    def place(each: str) -> str:
        return hashlib.sha256(f"{seed}\n{each}".encode()).hexdigest()

    return tuple(sorted(set(ids), key=lambda each: (place(each), each))[:n])


def subset(result: Summary, seed: str, *, false_share: float = FALSE_SHARE, power: float = POWER) -> Subset:
    """Return the smallest subset of a result's items that finds out made-up scores with ``power``.

    Raises Malformed (``evaluation.replay-items``) for a report that carries no items, ``evaluation.replay`` for shares
    outside (0, 1].
    """
    ids = [each.id for each in result.items]
    if not ids:
        raise _no_items()
    if not 0 < false_share <= 1:
        raise _impossible()
    false = max(1, math.ceil(false_share * len(ids)))
    n = fewest(len(ids), false, power)
    return Subset(draw(ids, n, seed), len(ids), false, chance_found(n, len(ids), false))


def share_test(
    claim: float, actual: float, *, alpha: float = ALPHA, power: float = POWER, most: int = 100_000
) -> ShareTest:
    """Return the smallest exact binomial test that rejects ``claim`` with ``power`` when the truth is ``actual``.

    One-sided, towards ``actual``: for ``actual`` < ``claim`` it rejects at X <= c with the greatest c such that
    P(X <= c | claim) <= alpha. For 0.9 against 0.7 with alpha 0.05 and power 0.9 that is n = 33, c = 26 (level 0.0417,
    power 0.9056 by exact sums). As the exact power is not monotone in n, every n is tried. Raises Malformed
    (``evaluation.replay``) for equal or impossible shares, or where ``most`` items do not suffice.
    """
    if not (0 <= claim <= 1 and 0 <= actual <= 1 and claim != actual and 0 < alpha < 1 and 0 < power < 1):
        raise _impossible()
    upper = actual > claim
    null, other = (1 - claim, 1 - actual) if upper else (claim, actual)
    for n in range(1, most + 1):
        critical = _critical(n, null, alpha)
        if critical >= 0 and (reached := _below(critical, n, other)) >= power:
            shown = n - critical if upper else critical
            return ShareTest(n, shown, upper, _below(critical, n, null), reached, claim, actual)
    raise _impossible()


class ReplayForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which report is doubted, by which seed items are drawn, and what they are to find out."""

    entry: EntryText
    seed: EntryText
    false_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = FALSE_SHARE
    drop: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.2
    power: Annotated[float, msgspec.Meta(gt=0, lt=1)] = POWER


def replay(desk: Desk, form: ReplayForm) -> Iterable[Said]:
    """Say which items of a report are asked again, before anybody asks them.

    Raises Missing, Malformed (``evaluation.replay-report`` for a record that is no report, ``evaluation.replay-items``).
    """
    statement = desk.record(form.entry)
    if statement.kind != REPORT.name:
        raise Malformed(
            "evaluation.replay-report",
            Text(en="This record is not a report of an evaluation.", zh="该记录不是评测报告。"),
            do=Text(en="Name a record of evaluation.report/1.", zh="请指明 evaluation.report/1 类型的记录。"),
            where="entry",
        )
    drawn = tuple(_drawn(REPORT.read(statement.body), form))
    if not drawn:
        raise _no_items()
    return [Said(REPLAY.name, statement.subject, Replay(form.entry, form.seed, drawn), (form.entry,))]


def _drawn(body: Report, form: ReplayForm) -> Iterator[Drawn]:
    for each in body.results:
        if not each.items:
            continue
        found = subset(each, form.seed, false_share=form.false_share, power=form.power)
        scores = [item.score for item in each.items]
        claim = math.fsum(scores) / len(scores)
        actual = max(0.0, claim - form.drop) if each.better == "higher" else min(1.0, claim + form.drop)
        test = None
        if actual != claim and all(score in {0.0, 1.0} for score in scores):
            test = _test(claim, actual, form.power, len(scores))
        yield Drawn(
            each.about,
            each.method,
            found.ids,
            found.of,
            found.false,
            found.found,
            claim,
            actual,
            test.n if test else None,
            test.critical if test else None,
            test.alpha if test else None,
            test.power if test else None,
        )


def _test(claim: float, actual: float, power: float, most: int) -> ShareTest | None:
    """Return the test of a share, None where even all items of the report would not do."""
    try:
        return share_test(claim, actual, power=power, most=most)
    except Malformed:
        return None


def _critical(n: int, p: float, alpha: float) -> int:
    """Return the greatest c with P(X <= c) <= alpha for X binomial(n, p), -1 where there is none."""
    total, at = 0.0, -1
    for x in range(n + 1):
        total += _mass(x, n, p)
        if total > alpha:
            return at
        at = x
    return at


def _below(c: int, n: int, p: float) -> float:
    return min(1.0, math.fsum(_mass(x, n, p) for x in range(c + 1)))


def _mass(x: int, n: int, p: float) -> float:
    from tongqiu.measure.distribution import binomial_mass

    return binomial_mass(x, n, p)


def _within(n: int, of: int, false: int) -> None:
    if not (0 <= n <= of and 0 <= false <= of and of >= 1):
        raise _impossible()


def _no_items() -> Malformed:
    return Malformed(
        "evaluation.replay-items",
        Text(en="This report carries no scores of single items.", zh="该报告不含逐条得分。"),
        do=Text(en="Ask its issuer for the record of the run.", zh="请向出具方索取运行记录。"),
        where="entry",
    )


def _impossible() -> Malformed:
    return Malformed(
        "evaluation.replay",
        Text(en="No subset of items does this.", zh="没有满足要求的条目子集。"),
        do=Text(
            en="Give shares and a power between 0 and 1, and a claim that differs from what may be true.",
            zh="请给出 0 与 1 之间的比例与检出概率，且声称值须不同于假设的真值。",
        ),
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="evaluation.replay",
        title=Text(en="Draw items to ask again", zh="抽取复核条目"),
        about=Text(
            en="Says which few items of a report are asked again, and how surely they find out made-up scores or a share that the "
            "system does not have. Draw first, ask afterwards: the record shows that nobody chose.",
            zh="写明报告中哪些少量条目将被重新提问，以及以多大把握发现编造的得分或与实际不符的比例。先抽取、后提问：记录可证明无人挑选。",
        ),
        form=ReplayForm,
        fields={
            "entry": Field(
                title=Text(en="Report", zh="报告"),
                help=Text(en="The report that is to be checked.", zh="要复核的报告。"),
                kind="entry",
            ),
            "seed": Field(
                title=Text(en="Seed", zh="种子"),
                help=Text(
                    en="The root hash of a checkpoint of a log that is later than the report, as sha-256:…; nobody could choose it.",
                    zh="晚于该报告的日志检查点根哈希，写作 sha-256:…；任何人都无法事先选定。",
                ),
            ),
            "false_share": Field(
                title=Text(en="Made-up scores", zh="编造得分的比例"),
                help=Text(en="Which share of made-up scores is to be found out.", zh="要能发现多大比例的编造得分。"),
                kind="number",
            ),
            "drop": Field(
                title=Text(en="Claim too good by", zh="声称值虚高"),
                help=Text(
                    en="A share that is too good by this much is to be found out.", zh="要能发现虚高至此的比例。"
                ),
                kind="number",
            ),
            "power": Field(
                title=Text(en="Power", zh="检出概率"),
                help=Text(en="With which probability it is to be found out.", zh="以多大概率发现。"),
                kind="number",
            ),
        },
        role="contributor",
        run="tongqiu.practices.evaluation.replay:replay",
        makes=(REPLAY.name,),
        on=(REPORT.name,),
    ),
)
