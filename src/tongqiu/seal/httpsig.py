"""A request signed by the node that sends it, so that the receiver knows the party without any shared secret (RFC 9421).

Covered are the method, the whole address, and the digest of the body (RFC 9530), with the times and the number that make
each signature usable once. Only Ed25519 is spoken, under the name ``ed25519`` (RFC 9421, 3.3.6), and of RFC 9651 only the
forms that such a signature needs, in their one written form: whatever is written otherwise is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from tongqiu.record.faults import Unproven
from tongqiu.record.text import Text
from tongqiu.seal.signature import ED25519

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tongqiu.seal.keys import PublicKey, Signer

TAG = "tongqiu"
"""The ``tag`` that our signatures carry, so that one made for another use is not taken for ours (RFC 9421, 2.3)."""
COVERED = ("@method", "@target-uri", "content-digest")
LIFE = 60
"""How long a signature may live, in seconds."""
SKEW = 30
"""How far two clocks may stand apart, in seconds."""
_MOST = 4096
_MOST_SIGNATURES = 4

_STRING = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"'
_LIST = re.compile(
    rf"(?P<label>[a-z*][a-z0-9_.*-]*)=(?P<params>\((?P<items>(?:{_STRING}(?: {_STRING})*)?)\)"
    rf"(?P<rest>(?:;[a-z*][a-z0-9_.*-]*=(?:{_STRING}|-?[0-9]{{1,15}}))*))"
)
_PARAM = re.compile(rf";(?P<key>[a-z*][a-z0-9_.*-]*)=(?:(?P<text>{_STRING})|(?P<number>-?[0-9]{{1,15}}))")
_BYTES = re.compile(r"(?P<label>[a-z*][a-z0-9_.*-]*)=:(?P<data>[A-Za-z0-9+/]*={0,2}):")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:(\?)([^#]*))?")
_NEXT = re.compile(r"[ \t]*,[ \t]*")


class Request(NamedTuple):
    """What is signed of an HTTP request. Names of ``headers`` are in small letters; values as RFC 9421, 2.1 joins them."""

    method: str
    url: str
    headers: Mapping[str, str]


class Signature(NamedTuple):
    """One signature as it was sent: what it covers, its parameters, those two as written, and the bytes."""

    covered: tuple[str, ...]
    params: Mapping[str, str | int]
    written: str
    sig: bytes


def digest(body: bytes) -> str:
    """Return the Content-Digest of a body (RFC 9530, 2)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_base(request: Request, covered: tuple[str, ...], written: str) -> bytes:
    """Return the bytes that are signed (RFC 9421, 2.5). Raises Unproven (``httpsig``) for a component that is not there."""
    lines = []
    for name in covered:
        value = _component(request, name)
        if value is None or not value.isascii() or "\n" in value:
            raise _unproven()
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {written}')
    return "\n".join(lines).encode("ascii")


def sign(signer: Signer, request: Request, body: bytes, *, created: int, nonce: str) -> dict[str, str]:
    """Return the headers that sign ``request`` with ``body`` at ``created`` (seconds since 1970).

    ``nonce`` is a fresh random text of letters and digits; ``request`` needs no Content-Digest of its own. Raises ValueError
    for a key that is not Ed25519.
    """
    if signer.public.alg != ED25519:
        raise ValueError("requests are signed with Ed25519 alone")
    headers = {**request.headers, "content-digest": digest(body)}
    covered = " ".join(f'"{name}"' for name in COVERED)
    written = (
        f"({covered});created={created};expires={created + LIFE};"
        f'nonce="{nonce}";alg="ed25519";keyid="{signer.public.did}";tag="{TAG}"'
    )
    signed = signer.sign(signature_base(request._replace(headers=headers), COVERED, written))
    return {
        "content-digest": headers["content-digest"],
        "signature-input": f"{TAG}={written}",
        "signature": f"{TAG}=:{base64.b64encode(signed).decode()}:",
    }


def verify(
    request: Request, body: bytes, *, now: int, key: Callable[[str], PublicKey | None], fresh: Callable[[str], bool]
) -> str:
    """Return the ``keyid`` that signed ``request`` with ``body``. ``now`` is in seconds since 1970.

    ``key`` gives the public key that a ``keyid`` names, or None where nobody trusts it; ``fresh`` tells, once, that a nonce
    was not seen yet (it is asked last, so that nobody else can use one up). Raises Unproven (``httpsig``), in the same
    words for every fault.
    """
    found = [each for each in read(request.headers) if each.params.get("tag") == TAG]
    if len(found) != 1:
        raise _unproven()
    one = found[0]
    created, expires = one.params.get("created"), one.params.get("expires")
    nonce, keyid = one.params.get("nonce"), one.params.get("keyid")
    if (
        not isinstance(created, int)
        or not isinstance(expires, int)
        or not isinstance(nonce, str)
        or not isinstance(keyid, str)
        or not 16 <= len(nonce) <= 64  # noqa: PLR2004 - enough to be random, and no more
        or one.params.get("alg") != "ed25519"
        or set(one.covered) != set(COVERED)
        or not created - SKEW <= now < expires + SKEW
        or not 0 < expires - created <= LIFE
    ):
        raise _unproven()
    trusted = key(keyid)
    sent = request.headers.get("content-digest", "")
    base = signature_base(request, one.covered, one.written)
    if (
        trusted is None
        or trusted.alg != ED25519
        or not hmac.compare_digest(sent.encode("latin-1", "replace"), digest(body).encode())
        or not trusted.holds(base, one.sig)
        or not fresh(f"{keyid} {nonce}")
    ):
        raise _unproven()
    return keyid


def read(headers: Mapping[str, str]) -> list[Signature]:
    """Return the signatures of a request (RFC 9421, 4). Raises Unproven (``httpsig``) for any that is not in its one form."""
    inputs, signatures = headers.get("signature-input", ""), headers.get("signature", "")
    if len(inputs) > _MOST or len(signatures) > _MOST:
        raise _unproven()
    bytes_of: dict[str, bytes] = {}
    for match in _members(_BYTES, signatures):
        try:
            bytes_of[match["label"]] = base64.b64decode(match["data"], validate=True)
        except binascii.Error as error:
            raise _unproven() from error
    found, labels = [], set[str]()
    for match in _members(_LIST, inputs):
        covered = tuple(_text(each) for each in re.findall(_STRING, match["items"]))
        params: dict[str, str | int] = {}
        for each in _PARAM.finditer(match["rest"]):
            if each["key"] in params or (each["number"] and str(int(each["number"])) != each["number"]):
                raise _unproven()
            params[each["key"]] = int(each["number"]) if each["number"] else _text(each["text"])
        if match["label"] in labels or match["label"] not in bytes_of or len(set(covered)) != len(covered):
            raise _unproven()
        labels.add(match["label"])
        found.append(Signature(covered, params, match["params"], bytes_of[match["label"]]))
    if labels != bytes_of.keys():
        raise _unproven()
    return found


def _members(pattern: re.Pattern[str], value: str) -> list[re.Match[str]]:
    """Return the members of a dictionary (RFC 9651, 3.2), each of which must be of one form."""
    found: list[re.Match[str]] = []
    at = 0
    while True:
        match = pattern.match(value, at)
        if match is None or len(found) == _MOST_SIGNATURES:
            raise _unproven()
        found.append(match)
        if match.end() == len(value):
            return found
        between = _NEXT.match(value, match.end())
        if between is None:
            raise _unproven()
        at = between.end()


def _text(written: str) -> str:
    return re.sub(r"\\(.)", r"\1", written[1:-1])


def _component(request: Request, name: str) -> str | None:
    """Return the value of a component (RFC 9421, 2.1 and 2.2), or None for one that is not there or not spoken here."""
    if not name.startswith("@"):
        value = request.headers.get(name)
        return None if value is None else value.strip(" \t")
    found = _URL.fullmatch(request.url)
    if found is None:
        return None
    scheme, authority, path, question, query = found.groups(default="")
    values = {
        "@method": request.method,
        "@target-uri": request.url,
        "@scheme": scheme.lower(),
        "@authority": authority.lower(),
        "@path": path or "/",
        "@query": "?" + query,
        "@request-target": (path or "/") + question + query,
    }
    return values.get(name)


def _unproven() -> Unproven:
    return Unproven(
        "httpsig",
        Text(en="The signature of this request does not hold.", zh="此请求的签名不成立。"),
        do=Text(
            en="Sign it anew with the key of a party that this node trusts, and check both clocks.",
            zh="请用本节点所信任参与方的密钥重新签名，并核对双方时钟。",
        ),
    )
