"""What a caller at a door may do with the log itself: hand in signed statements, get receipts, keys, checkpoint and tiles.

Whoever may read nothing still gets what is public by design: keys, checkpoint, tiles of hashes. Receipts and statements of
records follow their audience. A statement that another party registered is a bare envelope: its receipt is for anyone who
names it, the envelope for parties that this node knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tongqiu.ledger import tiles
from tongqiu.ledger.log import Logged, Submission, check_in
from tongqiu.node.desk import NodeDesk
from tongqiu.record.faults import Malformed, Missing, Refused, Unproven
from tongqiu.record.text import Text
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.statement import open_statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from tongqiu.ledger.backend import Row
    from tongqiu.node.node import Node
    from tongqiu.record.audience import Principal


class LogDesk(NodeDesk):
    """A desk that also reaches the log (:class:`tongqiu.federation.lent.LogDesk`)."""

    def __init__(self, node: Node, principal: Principal) -> None:
        """Sit ``principal`` down at ``node``."""
        super().__init__(node, principal)
        self._at = node
        self._subjects: dict[bytes, str] = {}

    def register(self, statement: bytes) -> Future[tuple[Logged, ...]]:
        """Check a signed statement and queue it for the log; the answer comes once it is durable.

        The registration policy: the caller is known by name; the statement is a hash envelope of this house's type, with
        nothing in it that need ever be erased; its issuer is a did:key, and that key signed it. Raises Refused
        (``door.party``), Malformed as :func:`open_statement`, Unproven (``log.issuer-key``, ``cose.signature``),
        Unreachable (``log.busy``).
        """
        if self.me.party is None:
            raise Refused(
                "door.party",
                Text(en="Only parties known to this node may register.", zh="只有本节点认识的参与方才能登入声明。"),
                do=Text(en="Send the token that the node's owner gave you.", zh="请附上节点所有者发给您的令牌。"),
            )
        opened = open_statement(statement)
        sealed = check_in(opened.stripped, _issuer_key(opened.issuer, opened.kid))
        self._subjects[sealed.entry] = opened.subject
        return self._at.sequencer.submit(Submission((sealed,)))

    def register_receipt(self, logged: Logged) -> Future[bytes]:
        """Return the receipt of what this desk has just registered."""
        return self._at.receipts.ask(logged, self._subjects[logged.entry])

    def find_receipt(self, entry: bytes) -> bytes:
        """Return the receipt of an entry. Raises Missing, also for a record that may not be read here."""
        row = self._row(entry)
        if row.columns.kind:
            self.record(f"sha-256:{entry.hex()}")
        return self._at.log.receipt(row.index)

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
        return (self._at.log.public,)

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


@lru_cache(maxsize=1024)
def _key_of(did: str) -> PublicKey | None:
    try:
        return PublicKey.from_did(did)
    except Malformed:
        return None


def _issuer_key(issuer: str, kid: bytes) -> PublicKey:
    key = _key_of(issuer)
    if key is None or key.thumbprint != kid:
        raise Unproven(
            "log.issuer-key",
            Text(en="The issuer is not a did:key of the key that signed.", zh="出具方标识不是签名密钥的 did:key。"),
            do=Text(en="Name the issuer by the did:key of its signing key.", zh="请以签名密钥的 did:key 标识出具方。"),
        )
    return key


def _absent(entry: bytes) -> Missing:
    return Missing(
        "record.missing",
        Text(en="There is no record {entry} here.", zh="此处没有记录 {entry}。"),
        do=Text(en="Check the identifier; it may also be one you may not read.", zh="请核对编号；也可能您无权读取。"),
        entry=f"sha-256:{entry.hex()}",
    )
