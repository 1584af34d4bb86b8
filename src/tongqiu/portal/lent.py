"""What the pages need of a node, and nothing more: whoever provides this can be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tongqiu.node.people import People
    from tongqiu.practice import Found, Measured, Practice, Query, Table, View
    from tongqiu.record.audience import Principal
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Asked, Statement
    from tongqiu.record.subject import Subject
    from tongqiu.record.text import Text


class Practices(Protocol):
    """The areas that are installed, by name."""

    @property
    def all(self) -> Sequence[Practice]:
        """Return every practice, sorted by name."""

    @property
    def views(self) -> Mapping[str, View]:
        """Return every view by name."""

    @property
    def queries(self) -> Mapping[str, Query]:
        """Return every query by name."""

    def kind(self, name: str) -> Kind[Any] | None:
        """Return the kind of this name, or None where no installed practice knows it."""


class Explained(Protocol):
    """A record with the records it rests on, each explained in turn."""

    @property
    def statement(self) -> Statement:
        """Return the record."""

    @property
    def why(self) -> Sequence[Explained]:
        """Return what it rests on, as far as the reader may see it."""

    @property
    def asked(self) -> Sequence[Asked]:
        """Return the questions that were put to the log while it was derived."""

    @property
    def hidden(self) -> Sequence[str]:
        """Return the entries it rests on that the reader may not see, or that are not here."""


class Fell(Protocol):
    """What ended a job."""

    @property
    def what(self) -> Text:
        """Return what went wrong."""

    @property
    def do(self) -> Text:
        """Return what to do about it."""


class Job(Protocol):
    """Work in progress at the node."""

    @property
    def id(self) -> str:
        """Return its name."""

    @property
    def kind(self) -> str:
        """Return what sort of work it is."""

    @property
    def state(self) -> str:
        """Return how it stands: queued, running, done, failed, cancelled or interrupted."""

    @property
    def done(self) -> float:
        """Return how much is done, in the unit of ``total``."""

    @property
    def total(self) -> float | None:
        """Return how much there is to do, None where nobody can know."""

    @property
    def note(self) -> str:
        """Return what it is at, in words."""

    @property
    def fault(self) -> Fell | None:
        """Return what ended it, where it failed."""

    @property
    def created(self) -> str:
        """Return when it was asked for."""

    @property
    def beat(self) -> str:
        """Return when it was last heard of."""


class Desk(Protocol):
    """What one principal may read. What it may not see raises Missing, exactly as what does not exist."""

    @property
    def me(self) -> Principal:
        """Return who is at the desk."""

    @property
    def now(self) -> str:
        """Return the present instant."""

    def said(
        self, kind: str, *, subject: Subject | None = None, thread: str | None = None, ref: str | None = None
    ) -> Sequence[Statement]:
        """Return the readable records that stand (neither withdrawn nor replaced)."""

    def record(self, entry: str) -> Statement:
        """Return one record. Raises Missing."""

    def records(
        self, *, kind: str = "", subject: str = "", search: str = "", after: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Statement], str | None]:
        """Return records, newest first, and the cursor of the next page (None at the end)."""

    def retired_by(self, entry: str) -> Statement | None:
        """Return the withdrawal or replacement that ended a record, or None while it stands. Raises Missing."""

    def replies(self, entry: str) -> Sequence[Statement]:
        """Return the readable replies to a record, or to one that it replaced. Raises Missing."""

    def systems(self) -> Sequence[Subject]:
        """Return the systems that a readable record is about."""

    def subject(self, id: str) -> Subject:  # noqa: A002 - the contract's name
        """Return a subject by its identifier. Raises Missing."""

    def parts(self, subject: Subject) -> Sequence[tuple[str, Subject]]:
        """Return ``(role, part)`` of a system."""

    def evidence(self, *, subject: Subject | None = None, measure: str = "") -> Sequence[Measured]:
        """Return readable evidence."""

    def findings(self, *, subject: Subject | None = None, requirement: str = "") -> Sequence[Found]:
        """Return readable findings."""

    def rows(
        self,
        query: str,
        params: Mapping[str, str] | None = None,
        *,
        search: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> Table:
        """Return rows of a view or query by name. Raises Missing."""

    def explain(self, entry: str) -> Explained:
        """Return a record with all it rests on. Raises Missing."""

    def envelope(self, entry: str) -> bytes:
        """Return the sealed bytes of a record. Raises Missing."""

    def receipt(self, entry: str) -> bytes:
        """Return the log's receipt for a record. Raises Missing."""

    def stream(self, digest: str) -> Iterator[bytes]:
        """Yield the bytes of an attached file. Raises Missing."""

    def checkpoint(self) -> str:
        """Return the log's latest signed checkpoint."""

    def jobs(self) -> Sequence[Job]:
        """Return the work in progress, newest first."""


class Node(Protocol):
    """The node whose pages these are."""

    @property
    def people(self) -> People | None:
        """Return who may sign in; None where everybody is a stranger."""

    @property
    def practices(self) -> Practices:
        """Return the installed practices."""

    @property
    def me(self) -> str:
        """Return the DID of the node's own party."""

    @property
    def name(self) -> str:
        """Return the name of the node's own party."""

    def desk(self, principal: Principal) -> Desk:
        """Return the desk of ``principal``."""
