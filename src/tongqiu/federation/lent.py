"""What the log's doors need of a desk, and nothing more: whoever provides this can stand behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tongqiu.ledger.registrar import Tell
    from tongqiu.seal.keys import PublicKey

    Lend = Callable[[Mapping[str, str]], "LogDesk"]


class LogDesk(Protocol):
    """What one caller may do with the log. What it may not see raises Missing, exactly as what does not exist."""

    def register(self, statement: bytes, tell: Tell, ticket: object) -> None:
        """Queue a signed statement of another party; ``tell`` hears of ``ticket``, with those of many others at once.

        It hears of a :class:`tongqiu.ledger.registrar.Registered` once the statement is durable, or of what refused it:
        Malformed, Unproven or Refused as the registration policy says. Raises Refused, Unreachable (``log.busy``).
        """

    def promise(self, statement: bytes) -> bytes:
        """Check a signed statement, keep it durably until it is logged, and return its entry hash.

        Raises Malformed and Unproven as the policy says, Refused as :meth:`register`, Unreachable; then nothing is kept.
        """

    def find_receipt(self, entry: bytes) -> bytes:
        """Return the receipt of an entry. Raises Missing, also for a record that the caller may not read.

        The codes ``receipt.pending`` and ``receipt.too-early`` say that there will be one; ``receipt.failed`` that what was
        promised came to nothing.
        """

    def find_statement(self, entry: bytes) -> bytes:
        """Return the signed envelope of an entry. Raises Missing, also for what the caller may not read."""

    def log_keys(self) -> Sequence[PublicKey]:
        """Return every key under which receipts of this log verify, the present one first."""

    def log_checkpoint(self) -> str:
        """Return the signed checkpoint of everything logged so far."""

    def log_tile(self, path: str) -> bytes:
        """Return a file of C2SP tlog-tiles by its path. Raises Malformed (``tiles.path``), Missing."""
