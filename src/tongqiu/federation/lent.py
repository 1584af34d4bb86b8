"""What the log's doors need of a desk, and nothing more: whoever provides this can stand behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from tongqiu.ledger.log import Logged
    from tongqiu.seal.keys import PublicKey

    Lend = Callable[[Mapping[str, str]], "LogDesk"]


class LogDesk(Protocol):
    """What one caller may do with the log. What it may not see raises Missing, exactly as what does not exist."""

    def register(self, statement: bytes) -> Future[tuple[Logged, ...]]:
        """Check a signed statement of another party and queue it; the answer comes once it is durable.

        The statement keeps its issuer and is kept as a bare envelope. Raises Malformed, Unproven and Refused as the
        registration policy says, and Unreachable (``log.busy``).
        """

    def register_receipt(self, logged: Logged) -> Future[bytes]:
        """Return the receipt of what was just registered, made together with those asked for at the same time."""

    def find_receipt(self, entry: bytes) -> bytes:
        """Return the receipt of an entry. Raises Missing, also for a record that the caller may not read."""

    def find_statement(self, entry: bytes) -> bytes:
        """Return the signed envelope of an entry. Raises Missing, also for what the caller may not read."""

    def log_keys(self) -> Sequence[PublicKey]:
        """Return every key under which receipts of this log verify, the present one first."""

    def log_checkpoint(self) -> str:
        """Return the signed checkpoint of everything logged so far."""

    def log_tile(self, path: str) -> bytes:
        """Return a file of C2SP tlog-tiles by its path. Raises Malformed (``tiles.path``), Missing."""
