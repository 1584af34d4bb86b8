"""The keys of this node's log through time: how it changes its key, and how receipts of earlier ones stay checkable.

A change is an entry of the log itself: the proof that the old key hands over and the new one accepts
(:mod:`tongqiu.seal.rotation`), under an envelope by the old key whose subject is the log's first key. The chain of these
entries, from the first entry on, is the list of all keys; nothing outside the log says who may sign for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tongqiu.ledger.backend import Where
from tongqiu.ledger.log import check_in, now
from tongqiu.record.faults import Missing, Refused
from tongqiu.record.text import Text
from tongqiu.seal import keyfile, rotation
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.statement import new_salt, open_statement, seal_statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.ledger.backend import Backend, Reading
    from tongqiu.ledger.log import Log
    from tongqiu.node.home import Home

NEXT: Final = "log-next.pem"
"""The new key from before it is in the log until it is the only one."""

_PAGE = 16


def chain(log: Reading) -> tuple[PublicKey, ...]:
    """Return every key that has signed for the log, the first one first and the present one last; none of an empty log.

    Reads one index entry for each change. Raises Malformed and Unproven as :func:`rotation.check_rotation` does for a
    change that does not follow.
    """
    if not log.head().size:
        return ()
    keys = [PublicKey.from_did(open_statement(log.row(0).statement).issuer)]
    did, after = keys[0].did, 0
    while (found := next(_changes(log, did, keys[-1].did, after), None)) is not None:
        after, proof = found
        keys.append(rotation.check_rotation(proof, did=did, serial=len(keys), current=keys[-1]).new)
    return tuple(keys)


def settle(home: Home, log: Reading) -> Home:
    """Return the home with the key that the log calls its present one, finishing a change that was cut short.

    Raises Refused (``log.other-key``) where the home has no such key: a retired one came back from a backup, perhaps.
    """
    from tongqiu.store.disk import sync

    keys = chain(log)
    if not keys or keys[-1] == home.log.public:
        return home
    folder = home.path / "keys"
    try:
        new = keyfile.load(folder / NEXT)
    except Missing:
        new = None
    if new is None or new.public != keys[-1]:
        raise Refused(
            "log.other-key",
            Text(en="The log's present key is not in this home.", zh="此节点目录中没有日志的现用密钥。"),
            do=Text(
                en="Restore keys/log.pem from a backup made after the last change of key.",
                zh="请从最近一次换钥之后的备份恢复 keys/log.pem。",
            ),
            where=str(folder / "log.pem"),
        )
    # The old key ends here: whoever finds it later can still sign with it, but is not in this folder any more.
    (folder / NEXT).replace(folder / "log.pem")
    sync(folder)
    return home._replace(log=new)


def rotate_log_key(home: Home, log: Log, backend: Backend) -> PublicKey:
    """Give ``log``, kept in ``backend``, a new key, durably, and return its public half; then open the node again.

    The entry is in the log before the old key is gone, so that a kill at any moment leaves a log that opens. Every process
    that still holds the old key is fenced: it may answer reads, and appends nothing more. Raises what keys and log raise.
    """
    new = keyfile.ensure(home.path / "keys" / NEXT, alg=home.log.public.alg)
    keys, old = chain(backend), home.log
    did, at = keys[0].did, max(now(), backend.head().logged_at)
    proof = rotation.rotate_proof(old, new, did=did, serial=len(keys), at=at)
    salt = new_salt()
    sealed = seal_statement(proof, salt, signer=old, issuer=old.public.did, subject=did)
    log.record(check_in(sealed, old.public, content=proof, salt=salt))
    settle(home, backend)
    backend.fence()
    return new.public


def _changes(log: Reading, did: str, issuer: str, after: int) -> Iterator[tuple[int, bytes]]:
    """Go through the entries above ``after`` in which the key ``issuer`` of the log said something about its keys."""
    wanted = Where(kind="", subject=did, issuer=issuer)
    while rows := log.select(wanted, after=after, limit=_PAGE):
        for row in rows:
            if row.content is not None:
                yield row.index, row.content
        after = rows[-1].index
