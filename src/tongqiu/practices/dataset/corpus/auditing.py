"""The audit of a corpus put together: what was counted, what repeats, what is varied, told so that nobody's data appear."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from tongqiu.practices.dataset.corpus import bodies, flaws, kernel, lists, summary, tongues
from tongqiu.practices.dataset.corpus.digest import digest_of
from tongqiu.practices.dataset.corpus.engine import METHOD, number_of
from tongqiu.practices.dataset.corpus.summary import RELATIVE_ERROR, quantiles
from tongqiu.practices.dataset.corpus.troubles import WORDS, Spot
from tongqiu.scan import machine, personal
from tongqiu.scan.screen import schemes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.practices.dataset.corpus.duplicates import Groups
    from tongqiu.practices.dataset.corpus.engine import Outcome
    from tongqiu.practices.dataset.corpus.source import Plan
    from tongqiu.practices.dataset.corpus.summary import Summary

SMALLEST: Final = 10
"""Fewest documents that share a value for it to be shown."""

AT: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Shares of documents at which a spread is told."""

_SLICES: Final = 200
_CROSSINGS: Final = 500
_FILES: Final = 1000
_CLUSTERS: Final = 50
_EXAMPLES: Final = 20
_LISTED: Final = 2000
_EXCERPT: Final = 400


def audit(
    outcome: Outcome, plan: Plan, *, engine: str, declared: bool | None = None, published: bool = True
) -> bodies.Audit:
    """Return the body of the record. ``declared`` is what the owner says of personal data, ``published`` whether leaks of published
    evaluation sets are told.

    Values of slices that fewer than :data:`SMALLEST` documents share, and those beyond the first :data:`_SLICES` of a slice, are told
    together with documents that have no value.
    """
    whole, groups = outcome.summary, outcome.groups
    teller = _Teller(outcome, plan, published=published)
    documents = whole.totals.get("documents", 0)
    years = sorted(int(year) for year, each in whole.slices["year"][0].items() if year and each[0])
    distinct = documents - groups.exact
    known = schemes()
    body = bodies.Audit(
        documents=documents,
        bytes=whole.stats.get("bytes", 0),
        characters=whole.stats.get("characters", 0),
        words=whole.stats.get("words", 0),
        empty=whole.totals.get("empty", 0),
        distinct=bodies.Counted(distinct),
        files=teller.files(),
        spreads=tuple(_spreads(whole)),
        tongues=tuple(_tongues(whole)),
        slices=tuple(_slices(outcome)),
        duplicates=teller.duplicates(groups),
        means=bodies.Means(
            kernel=f"{METHOD}; {kernel.method()}"[:300],
            detectors=(personal.METHOD,),
            engine=_engine(engine),
            compiled=_compiled(),
            schemes=len(known),
            countries=len({scheme.country for scheme in known} - {""}),
            bytes_per_document=round(groups.bytes_per_document, 1),
        ),
        digest="",
        crossings=tuple(_crossings(whole)),
        personal=tuple(teller.personal()),
        personal_documents=whole.totals.get("personal", 0),
        listed=tuple(_listed(whole)),
        flaws=tuple(teller.flaws()),
        unfit=whole.totals.get("unfit", 0),
        variety=tuple(_variety(whole)),
        examples=tuple(teller.examples()),
        troubles=tuple(teller.troubles()),
        lost=whole.totals.get("lost", 0),
        whole=not whole.totals.get("broke", 0),
        years=(years[0], years[-1]) if years else None,
        dated=whole.totals.get("dated", 0),
        personal_declared=declared,
    )
    return msgspec.structs.replace(body, digest=digest_of(body))


def _engine(engine: str) -> Literal["here", "daft", "ray"]:
    name = engine.partition(":")[0]
    return "daft" if name == "daft" else "ray" if name == "ray" else "here"


def _compiled() -> bool:
    return machine.can_compile()


def _spreads(whole: Summary) -> Iterator[bodies.Spread]:
    for name in summary.SPREADS:
        counts = whole.spread.get(name)
        if counts:
            yield bodies.Spread(
                name=name,
                of=sum(counts.values()),
                total=whole.stats.get(f"spread.{name}", 0),
                low=whole.low[name],
                high=whole.high[name],
                at=AT,
                values=quantiles(counts, AT),
                relative_error=RELATIVE_ERROR,
            )


def _tongues(whole: Summary) -> Iterator[bodies.Tongue]:
    named = ("not-at-all", "by-script", "by-first", "by-both", "by-second", "differ")
    for name, values in sorted(whole.tongues.items(), key=lambda each: (-each[1][0], each[0])):
        language, _, script = name.partition("|")
        heard = {how: count for how, count in zip(named, values[2:], strict=True) if count}
        yield bodies.Tongue(language, script, values[0], values[1], heard)


def _slices(outcome: Outcome) -> Iterator[bodies.Slice]:
    whole = outcome.summary
    total = (
        *(whole.totals.get("documents", 0), whole.stats.get("bytes", 0), whole.stats.get("characters", 0)),
        *(whole.stats.get("words", 0), whole.totals.get("personal", 0), whole.totals.get("unfit", 0)),
    )
    harsh_total = sum(values[6] for values in whole.slices["script"][0].values())
    for by in summary.BY:
        sums, exact = whole.slices[by]
        if not any(sums) and exact:
            continue
        repeats = outcome.repeats[by]
        order = sorted(sums.items(), key=lambda each: (-each[1][0], each[0]))
        shown = [(name, values) for name, values in order if name and values[0] >= SMALLEST][:_SLICES]
        for name, values in shown:
            yield _slice(by, name, values, repeats.get(name, (0, 0)), 1)
        rest = [all_ - sum(values[place] for _, values in shown) for place, all_ in enumerate((*total, harsh_total))]
        if rest[0]:
            names = {name for name, _ in shown}
            same = sum(each[0] for name, each in repeats.items() if name not in names)
            near = sum(each[1] for name, each in repeats.items() if name not in names)
            others = max(1, len([name for name in sums if name and name not in names]))
            yield _slice(by, "", tuple(rest), (same, near), others)


def _slice(by: str, name: str, values: tuple[int, ...], copies: tuple[int, int], others: int) -> bodies.Slice:
    documents, size, characters, words, people, unfit, harsh = values
    return bodies.Slice(
        by,  # type: ignore[arg-type]
        name,
        documents,
        size,
        characters,
        words,
        exact=copies[0],
        near=copies[1],
        personal=people,
        unfit=unfit,
        harsh=harsh,
        values=others,
    )


def _crossings(whole: Summary) -> Iterator[bodies.Crossing]:
    found = []
    for by, (sums, _) in whole.crossings.items():
        one, _, other = by.partition("|")
        for name, (count,) in sums.items():
            if count >= SMALLEST:
                first, _, second = name.partition("\x1f")
                found.append((-count, one, other, first, second))
    for count, one, other, first, second in sorted(found)[:_CROSSINGS]:
        yield bodies.Crossing((one, other), (first, second), -count)  # type: ignore[arg-type]


def _listed(whole: Summary) -> Iterator[bodies.Listed]:
    found = []
    for name, (count, documents, harsh) in whole.terms.items():
        listed, _, place = name.partition("|")
        found.append((-documents, listed, int(place), count, harsh))
    for documents, listed, entry, count, harsh in sorted(found)[:_LISTED]:
        shown = lists.entry(lists.LISTS.index(listed), entry)
        group = listed in lists.GROUPS
        yield bodies.Listed(listed, shown, count, -documents, harsh if group else 0)


def _variety(whole: Summary) -> Iterator[bodies.Variety]:
    """Yield how evenly documents are spread over the values of each slice, and how varied the texts drawn are."""
    from tongqiu.practices.dataset.corpus import variety

    for by in ("language", "script", "source", "region", "year"):
        sums, _ = whole.slices[by]
        yield from variety.evenness(
            by, {name: values[0] for name, values in sums.items() if name and name not in {"und", "Zyyy"}}
        )
    yield from variety.of_texts([each.text for each in whole.drawn])


class _Teller:
    """What is told of places, masked, with files and records instead of pieces."""

    def __init__(self, outcome: Outcome, plan: Plan, *, published: bool) -> None:
        self.published = published
        self.outcome = outcome
        self.whole = outcome.summary
        self.plan = plan
        self.paths = [personal.masked(file.path)[:300] for file in plan.files]
        self.drawn = {each.spot: each for each in self.whole.drawn}

    def place(self, spot: Spot) -> bodies.Place:
        """Return a place as file and record."""
        file, record = self.outcome.spots.of(spot)
        return bodies.Place(self.paths[file], record)

    def document(self, number: int) -> bodies.Place:
        """Return where the document of an index's number stands."""
        return self.place(self.outcome.spot_of(number))

    def files(self) -> tuple[bodies.File, ...]:
        """Return the files, the first by path; the last row tells the others together where there are too many."""
        rows = []
        for index, file in enumerate(self.plan.files):
            documents, lost, broke = self.whole.files.get(index, (0, 0, 0))
            form = file.form + (f"+{file.packing}" if file.packing else "")
            rows.append(bodies.File(self.paths[index], form, file.size, documents, lost, not broke))
        shown, rest = rows[:_FILES], rows[_FILES:]
        if rest:
            shown.append(
                bodies.File(
                    "…",
                    "several",
                    sum(row.size for row in rest),
                    sum(row.documents for row in rest),
                    sum(row.lost for row in rest),
                    all(row.whole for row in rest),
                )
            )
        return tuple(shown)

    def personal(self) -> Iterator[bodies.Identifiers]:
        """Yield identifiers by scheme and ground, the most first."""
        by_code = {scheme.code: scheme for scheme in schemes()}
        order = sorted(self.whole.personal.items(), key=lambda each: (-each[1].count, each[0]))
        for name, met in order:
            code, _, ground = name.partition("|")
            scheme = by_code[code]
            yield bodies.Identifiers(
                scheme=code,
                sort=scheme.sort,
                country=scheme.country,
                ground=ground,  # type: ignore[arg-type]
                count=met.count,
                documents=met.documents,
                masked=tuple(dict.fromkeys(masked for _, masked in met.first)),
                places=tuple(self.place(spot) for spot, _ in met.first),
            )

    def flaws(self) -> Iterator[bodies.Flaw]:
        """Yield the flaws that were seen, in the order of their rules."""
        for rule in flaws.RULES:
            shown = self.whole.flaws.get(rule.code)
            if shown:
                places = tuple(self.place(spot) for spot in shown.spots)
                yield bodies.Flaw(rule.code, rule.rule[:300], shown.documents, rule.what, rule.do, places)

    def troubles(self) -> Iterator[bodies.Trouble]:
        """Yield what could not be read as it should."""
        for code, (count, spots) in sorted(self.whole.troubles.items()):
            what, do = WORDS[code]
            yield bodies.Trouble(code, count, what, do, tuple(self.place(spot) for spot in spots))

    def examples(self) -> Iterator[bodies.Example]:
        """Yield the documents of least rank, their beginnings masked."""
        for each in self.whole.drawn[:_EXAMPLES]:
            excerpt = personal.masked(each.text[: 2 * _EXCERPT])[:_EXCERPT]
            source = each.source if self.whole.slices["source"][0].get(each.source, (0,))[0] >= SMALLEST else ""
            yield bodies.Example(self.place(each.spot), "sample", each.language, excerpt, source)

    def duplicates(self, groups: Groups) -> bodies.Duplicates:
        """Return what repeats, with clusters and leaks as places."""
        clusters = []
        shown: Counter[str] = Counter()
        for group in groups.groups:
            shown[group.kind] += 1
            if shown[group.kind] > _CLUSTERS:
                continue
            spots = [self.outcome.spot_of(number) for number in group.documents]
            drawn = next((self.drawn[spot] for spot in spots if spot in self.drawn), None)
            clusters.append(
                bodies.Cluster(
                    group.kind,
                    group.size,
                    tuple(self.place(spot) for spot in spots),
                    group.likeness,
                    tuple(tongues.LANGUAGES[number] for number in group.languages),
                    personal.masked(drawn.text[: 2 * _EXCERPT])[:_EXCERPT] if drawn else "",
                )
            )
        return bodies.Duplicates(
            exact=groups.exact,
            exact_groups=groups.exact_groups,
            exact_bytes=groups.exact_bytes,
            near=groups.near,
            near_groups=groups.near_groups,
            near_bytes=groups.near_bytes,
            threshold=groups.threshold,
            candidates=groups.candidates,
            verified=groups.verified,
            short=groups.short,
            clusters=tuple(clusters),
            leaks=tuple(self._leaks(groups)),
            whole=groups.whole,
            dropped=groups.dropped,
        )

    def _leaks(self, groups: Groups) -> Iterator[bodies.Leak]:
        names = {number_of(name, 60): name for name in sorted(self.whole.slices["split"][0], reverse=True)}
        for crossed in groups.crossed:
            if crossed.exact or crossed.near:
                yield bodies.Leak(
                    names.get(crossed.tested, str(crossed.tested)),
                    names.get(crossed.among, str(crossed.among)),
                    crossed.of,
                    crossed.exact,
                    crossed.near,
                    tuple(self.document(number) for number in crossed.documents),
                )
        for each in groups.published if self.published else ():
            listing = lists.listing(each.listed)
            yield bodies.Leak(
                listing.id,
                "corpus",
                max(each.items, _items(each.listed)),
                each.items,
                0,
                tuple(self.document(number) for number in each.first),
            )


def _items(listed: int) -> int:
    from tongqiu.practices.dataset.corpus import published

    return published.load(lists.LISTS[listed]).items
