"""What a caller at a door may do with the log itself: hand in signed statements, get receipts, keys, checkpoint and tiles.

Whoever may read nothing still gets what is public by design: keys, checkpoint, tiles of hashes. Receipts and statements of
records follow their audience. A statement that another party registered is a bare envelope: its receipt is for anyone who
names it, the envelope for parties that this node knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tongqiu.ledger import tiles
from tongqiu.node import logkeys
from tongqiu.node.desk import NodeDesk
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tongqiu.ledger.backend import Row
    from tongqiu.ledger.registrar import Tell
    from tongqiu.node.node import Node
    from tongqiu.record.audience import Principal
    from tongqiu.seal.keys import PublicKey


class LogDesk(NodeDesk):
    """A desk that also reaches the log (:class:`tongqiu.federation.lent.LogDesk`)."""

    def __init__(self, node: Node, principal: Principal) -> None:
        """Sit ``principal`` down at ``node``."""
        super().__init__(node, principal)
        self._at = node

    def register(self, statement: bytes, tell: Tell, ticket: object) -> None:
        """Queue a signed statement for checking and logging; ``tell`` hears what became of ``ticket``.

        What it may hear of is in :class:`tongqiu.ledger.registrar.Registrar`, the policy in
        :func:`tongqiu.node.foreign.check_foreign`. Raises Refused (``door.party``) for a caller without a name, Unreachable
        (``log.busy``, ``log.stopped``).
        """
        self._known()
        self._at.registrar.submit(statement, tell, ticket)

    def promise(self, statement: bytes) -> bytes:
        """Check a signed statement, keep it until it is logged, and return its entry hash (:mod:`tongqiu.node.promises`)."""
        self._known()
        return self._at.promises.make(statement)

    def _known(self) -> None:
        if self.me.party is None:
            raise Refused(
                "door.party",
                Text(en="Only parties known to this node may register.", zh="只有本节点认识的参与方才能登入声明。"),
                do=Text(en="Send the token that the node's owner gave you.", zh="请附上节点所有者发给您的令牌。"),
            )

    def find_receipt(self, entry: bytes) -> bytes:
        """Return the receipt of an entry. Raises Missing, also for a record that may not be read here."""
        find = self._at.store.backend.find
        index = find(entry)
        if index is None:
            awaited = self._awaited(entry)
            # What was promised leaves the folder once it is logged: perhaps between the two looks.
            index = find(entry)
            if index is None:
                raise awaited
        row = self._at.store.backend.row(index)
        if row.columns.kind:
            self.record(f"sha-256:{entry.hex()}")
        return self._at.log.receipt(index)

    def _awaited(self, entry: bytes) -> Missing:
        """Return how it stands with an entry that the log does not have."""
        state = self._at.promises.state(entry)
        if state == "pending":
            return Missing(
                "receipt.pending",
                Text(en="The registration is under way.", zh="登入正在进行。"),
                do=Text(en="Ask again in a moment.", zh="请稍后再次查询。"),
            )
        if state == "failed":
            return Missing(
                "receipt.failed",
                Text(en="The registration failed; nothing was logged.", zh="登入失败，未入日志。"),
                do=Text(en="Send the statement again.", zh="请重新提交该声明。"),
            )
        return _absent(entry)

    def find_statement(self, entry: bytes) -> bytes:
        """Return the signed envelope of an entry. Raises Missing, also for what may not be read here."""
        row = self._row(entry)
        if row.columns.kind:
            self.record(f"sha-256:{entry.hex()}")
        elif self.me.party is None:
            raise _absent(entry)
        return row.statement

    def log_keys(self) -> Sequence[PublicKey]:
        """Return every key under which receipts of this log verify, the present one first."""
        return tuple(reversed(logkeys.chain(self._at.log.reading)))

    def log_checkpoint(self) -> str:
        """Return the signed checkpoint of everything logged so far."""
        return self._at.log.checkpoint()

    def log_tile(self, path: str) -> bytes:
        """Return a file of C2SP tlog-tiles. Raises Malformed (``tiles.path``), Missing (``tiles.none``), Unproven."""
        wanted, reading = tiles.parse_path(path), self._at.log.reading
        size = reading.head().size
        if wanted.level is None:
            return tiles.read_entries(wanted, size, reading.entries)
        return tiles.read_tile(wanted, size, reading.tile)

    def _row(self, entry: bytes) -> Row:
        index = self._at.store.backend.find(entry)
        if index is None:
            raise _absent(entry)
        return self._at.store.backend.row(index)


def _absent(entry: bytes) -> Missing:
    return Missing(
        "record.missing",
        Text(en="There is no record {entry} here.", zh="此处没有记录 {entry}。"),
        do=Text(en="Check the identifier; it may also be one you may not read.", zh="请核对编号；也可能您无权读取。"),
        entry=f"sha-256:{entry.hex()}",
    )
