"""The registration policy: which statements of other parties this node takes into its log, and why not the others.

A statement is taken if it is a hash envelope of this house's type, so that nothing in it need ever be erased; if its issuer
is a did:key; and if that very key signed it. Nothing outside the signature decides. Certificates are not read (x5chain, x5t):
``docs/spec/scrapi.md`` says why.
"""

from __future__ import annotations

from functools import lru_cache

from tongqiu.ledger.backend import Columns
from tongqiu.ledger.log import Sealed
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.text import Text
from tongqiu.seal.keys import PublicKey
from tongqiu.seal.statement import open_statement, verify_statement


def check_foreign(statement: bytes) -> Sealed:
    """Return a statement of another party as it may be logged: stripped, bare, its signature proven.

    Raises Malformed as :func:`open_statement`; Unproven (``log.issuer-key``, ``cose.*``). The envelope is opened once, where
    :func:`tongqiu.ledger.log.check_in` would open it again to check it.
    """
    opened = open_statement(statement)
    verify_statement(opened, _issuer_key(opened.issuer, opened.kid))
    return Sealed(opened.stripped, opened.entry, None, None, Columns("", opened.subject, opened.issuer))


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
