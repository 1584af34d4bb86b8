"""What an owner may declare in the manifest for an evaluation, and what one evaluation is asked to do."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tongqiu.record.subject import Subject

HALF = 0.5
"""Where a score becomes a decision unless the owner says otherwise."""

SMALLEST_CELL = 10
"""Fewest cases from which a rate is given."""

ITEMS = 60
"""Questions put to a language model by each method unless the owner says otherwise."""

MAX_ITEMS = 20_000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Items = Annotated[int, msgspec.Meta(ge=0, le=MAX_ITEMS)]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=1 << 16)]
Seed = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
Explainer = Literal["shap"]
Price = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class DataKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a table: its role, and which columns hold what.

    ``score`` is a column of probabilities of the class ``score_class``; ``period`` a column of dates (or of two names), whose
    rows at or after ``since`` are the later of two periods.
    """

    role: Literal["train", "validation", "test", "reference"] | None = None
    label: str | None = None
    prediction: str | None = None
    favourable: str | None = None
    sensitive: tuple[str, ...] = ()
    score: str | None = None
    score_class: str | None = None
    period: str | None = None
    since: str | None = None


class ModelKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a model: its task, inputs in order, and how its score becomes a decision.

    Of one that answers in words (a GGUF file): by which methods it is tested, in which languages, with how many items.
    """

    task: str | None = None
    inputs: tuple[str, ...] = ()
    output: str | None = None
    positive: str | None = None
    threshold: Annotated[float, msgspec.Meta(ge=0)] | None = None
    explain: tuple[Explainer, ...] = ()
    methods: tuple[Name, ...] = ()
    languages: tuple[Language, ...] = ()
    items: Items = ITEMS
    max_tokens: Tokens | None = None
    seed: Seed = 0


class ServiceKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an owner may say of a service that answers in words: where it is, and by which methods it is tested.

    ``price_in`` and ``price_out`` are for a million tokens in ``currency``; ``concurrency`` how many questions are under way
    at once. No key and no name of one stands here: whoever agrees to the host gives it to the node.
    """

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None
    model: Name | None = None
    api: Literal["openai"] = "openai"
    methods: tuple[Name, ...] = ()
    languages: tuple[Language, ...] = ()
    items: Items = ITEMS
    max_tokens: Tokens | None = None
    seed: Seed = 0
    price_in: Price | None = None
    price_out: Price | None = None
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=8)] = 4


class LanguageParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One method run on one language model: a service at ``url`` by the name ``model``, or the weights at ``path``.

    ``data`` is the digest of the method's questions; ``questions`` and ``tokens`` what may be sent at most, ``retries`` among
    them.
    """

    method: str
    data: str
    items: Items
    languages: tuple[Language, ...]
    max_tokens: Tokens
    seed: Seed
    url: str = ""
    model: str = ""
    path: str = ""
    price_in: float | None = None
    price_out: float | None = None
    currency: str = ""
    concurrency: int = 1
    questions: int = 0
    tokens: int = 0
    retries: int = 0


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One evaluation: which table, which decisions, which columns."""

    data: Subject
    data_path: str
    label: str | None = None
    prediction: str | None = None
    favourable: str | None = None
    sensitive: tuple[str, ...] = ()
    model: Subject | None = None
    model_path: str | None = None
    inputs: tuple[str, ...] = ()
    output: str | None = None
    positive: str | None = None
    threshold: float = HALF
    smallest_cell: Annotated[int, msgspec.Meta(ge=5)] = SMALLEST_CELL
    score: str | None = None
    score_class: str | None = None
    period: str | None = None
    since: str | None = None
    explain: tuple[Explainer, ...] = ()


class ScoreParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked about the scores of one table: whether they mean what they say, what they hang on, and what turns decisions."""

    asked: tuple[Literal["scores", "explanation", "robustness"], ...]
    cases: Params


class PairParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two tables side by side: the one learnt from or the earlier one, and the one tested on or the later one."""

    purpose: Literal["membership", "drift"]
    before: Params
    after: Params
