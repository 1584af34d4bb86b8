"""Drive any SCRAPI server through the requests of ``scrapi.json`` and say which answers differ from what they should be.

    python -m tests.conformance.scrapi http://127.0.0.1:8470 --token SECRET

Needs the server's address, ``cbor2`` and ``cryptography``, and nothing of this project: copy it with its vectors. Cases of the
level ``draft`` follow draft-ietf-scitt-scrapi-11, those of ``http`` RFC 9110 and RFC 9290; ``house`` is what this project
promises beyond both. The exit code is 0 when all cases of the levels asked for hold.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VECTORS = Path(__file__).with_name("scrapi.json")
KEYS = "/.well-known/scitt-keys"
PROBLEM = "application/concise-problem-details+cbor"
LEVELS = ("draft", "http", "house")


class Reply(NamedTuple):
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class WrongError(Exception):
    """An answer is not what it should be."""


class Server:
    """A SCRAPI server under test."""

    def __init__(self, url: str, token: str = "") -> None:
        """Speak to the server at ``url``; ``token`` goes along as a bearer's."""
        self.url, self.token = url.rstrip("/"), token
        self._parts = urlsplit(self.url)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
        """Send one request on a connection of its own."""
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=30)
        given = dict(headers or {})
        if self.token and given.pop("authorization", "yes") == "yes":
            given["authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, self._parts.path + path, body or None, given)
            reply = connection.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def published(self) -> list[dict[Any, Any]]:
        """Return the server's COSE keys."""
        return list(cbor2.loads(self.call("GET", KEYS, {"accept": "application/cbor"}).body))


class Run:
    """One run through the vectors."""

    def __init__(self, server: Server, cases: dict[str, Any]) -> None:
        """Take the cases as ``scrapi.json`` has them."""
        self._server = server
        self._cases = cases
        self._saved: dict[str, str] = {}

    def check(self, case: dict[str, Any]) -> None:
        """Send one request and compare the answer. Raises WrongError."""
        asked, expected = case["request"], case["expect"]
        reply = self._send(asked)
        for _ in range(case.get("polls", 0)):
            if reply.status != 204:
                break
            self._compare(reply, case["meanwhile"])
            time.sleep(0.1)
            reply = self._send(asked)
        self._compare(reply, expected)
        if "save" in case:
            found = urlsplit(urljoin(self._server.url, reply.headers.get("location", ""))).path
            if self._saved.setdefault(case["save"], found) != found:
                raise WrongError(f"Location is {found}, and was {self._saved[case['save']]} before")

    def knows(self, path: str) -> bool:
        """Tell whether an earlier case of this run gave what ``path`` speaks of."""
        names = {each.partition("}")[0].removeprefix("id:") for each in path.split("{")[1:]}
        return names <= {"kid", *self._saved}

    def _send(self, asked: dict[str, Any]) -> Reply:
        path = asked["path"]
        if "{kid}" in path:
            kid = self._server.published()[0][2]
            path = path.replace("{kid}", base64.urlsafe_b64encode(kid).rstrip(b"=").decode())
        for name, value in self._saved.items():
            path = path.replace("{" + name + "}", value).replace("{id:" + name + "}", value.rpartition("/")[2])
        body = bytes.fromhex(asked.get("body", "")) or b"\0" * asked.get("zeros", 0)
        return self._server.call(asked["method"], path, asked.get("headers"), body)

    def _compare(self, reply: Reply, expected: dict[str, Any]) -> None:
        if reply.status not in expected["status"]:
            raise WrongError(f"status {reply.status}, not one of {expected['status']}")
        for name, value in expected.get("headers", {}).items():
            found = reply.headers.get(name)
            if found is None or value not in {"", found.partition(";")[0].strip()}:
                raise WrongError(f"header {name} is {found!r}, not {value or 'something'!r}")
        if reply.status >= 400:
            self._compare_problem(reply, expected.get("title"))
        form = expected.get("body", "")
        if form.startswith("receipt:") and reply.status in {200, 201}:
            self._verify(reply.body, bytes.fromhex(self._cases["statements"][form[8:]]))
        elif form.startswith("statement:") and reply.body.hex() != self._cases["statements"][form[10:]]:
            raise WrongError("the statement is another one")
        elif form == "keys" and not all(isinstance(each[2], bytes) and 1 in each for each in cbor2.loads(reply.body)):
            raise WrongError("not an array of COSE keys with key ids")
        elif form == "key" and cbor2.loads(reply.body) not in self._server.published():
            raise WrongError("not one of the keys in the list")
        elif form == "empty" and reply.body:
            raise WrongError("there is a body")

    def _compare_problem(self, reply: Reply, title: str | None) -> None:
        if reply.headers.get("content-type") != PROBLEM:
            raise WrongError(f"an error of the type {reply.headers.get('content-type')!r}")
        found = cbor2.loads(reply.body)
        if not isinstance(found, dict) or not isinstance(found.get(-1), str) or not isinstance(found.get(-2), str):
            raise WrongError("no title or no detail")
        if title is not None and found[-1] != title:
            raise WrongError(f"the title is {found[-1]!r}, not {title!r}")

    def _verify(self, receipt: bytes, statement: bytes) -> None:
        """Verify a receipt of RFC 9942 (entry = SHA-256 of the statement) with the keys that the server publishes."""
        raw, unprotected, payload, signature = cbor2.loads(receipt).value
        headers = cbor2.loads(raw)
        if payload is not None or headers[395] != 1 or not {1, 2} <= headers[15].keys():
            raise WrongError("not a detached receipt of RFC9162_SHA256 with issuer and subject")
        size, index, path = cbor2.loads(unprotected[396][-1][0])
        root = root_of(hashlib.sha256(statement).digest(), index, size, path)
        key = next((each for each in self._server.published() if each[2] == headers[4]), None)
        if key is None or key[1] != 1:
            raise WrongError("no Ed25519 key of that id is published")
        signed = cbor2.dumps(["Signature1", raw, b"", root])
        try:
            Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, signed)
        except InvalidSignature:
            raise WrongError("the receipt does not verify") from None


def root_of(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion path leads to (RFC 9162 section 2.1.3.2). Raises WrongError."""
    number, last = index, size - 1
    root = hashlib.sha256(b"\0" + entry).digest()
    for part in path:
        if number & 1 or number == last:
            root = hashlib.sha256(b"\1" + part + root).digest()
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\1" + root + part).digest()
        number, last = number >> 1, last >> 1
    if last != 0:
        raise WrongError("the path has another length than index and size ask for")
    return root


def flood(server: Server, cases: dict[str, Any], count: int) -> dict[int, int]:
    """Send ``count`` statements at once and return how often each status came. Raises WrongError for another than those.

    201, 202, 429 and 503 are right; the last three with Retry-After.
    """
    found: dict[int, int] = {}
    wrong: list[str] = []
    bodies = [statement(cases["seed"], number) for number in range(count)]

    def one(body: bytes) -> None:
        reply = server.call("POST", "/entries", {"content-type": "application/cose"}, body)
        found[reply.status] = found.get(reply.status, 0) + 1
        if reply.status not in {201, 202, 429, 503} or (reply.status != 201 and "retry-after" not in reply.headers):
            wrong.append(f"status {reply.status}, {reply.headers}")
        if reply.status >= 400 and reply.headers.get("content-type") != PROBLEM:
            wrong.append(f"an error of the type {reply.headers.get('content-type')!r}")

    threads = [threading.Thread(target=one, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise WrongError(wrong[0])
    return found


def statement(seed: str, number: int) -> bytes:
    """Return a fresh hash envelope (RFC 9995) by the did:key of ``seed``, as ``scrapi.json`` has them."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    public = key.public_key().public_bytes_raw()
    kid = hashlib.sha256(b"\xa3\x01\x01\x20\x06\x21\x58\x20" + public).digest()
    claims = {1: "did:key:z" + base58(b"\xed\x01" + public), 2: f"urn:example:flood:{time.time_ns()}:{number}"}
    # In the deterministic order of the labels: 1, 4, 15, 258, 259.
    raw = cbor2.dumps({1: -19, 4: kid, 15: claims, 258: -16, 259: "application/vnd.tongqiu.statement+cbor"})
    payload = hashlib.sha256(claims[2].encode()).digest()
    signature = key.sign(cbor2.dumps(["Signature1", raw, b"", payload]))
    return cbor2.dumps(cbor2.CBORTag(18, [raw, {}, payload, signature]))


def base58(data: bytes) -> str:
    """Return base58btc of bytes that do not begin with zero."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return text


def run(url: str, token: str = "", levels: tuple[str, ...] = LEVELS, floods: int = 0) -> list[tuple[str, str, str]]:
    """Return (level, name, what is wrong or nothing) of every case of these levels, in order."""
    cases = json.loads(VECTORS.read_text("utf-8"))
    server = Server(url, token)
    held, found = Run(server, cases), list[tuple[str, str, str]]()
    for case in cases["cases"]:
        wanted = case["level"] in levels and (token or "token" not in case.get("needs", ()))
        if wanted and held.knows(case["request"]["path"]):
            wrong = _outcome(lambda case=case: held.check(case))
            found += [(case["level"], case["name"], wrong)]
    if floods:
        found.append(("draft", f"{floods} at once", _outcome(lambda: flood(server, cases, floods))))
    return found


def _outcome(act: Any) -> str:
    try:
        act()
    except (
        WrongError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        OSError,
        http.client.HTTPException,
    ) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main(given: list[str]) -> int:
    """Run the cases and print one line for each."""
    asked = argparse.ArgumentParser(
        prog="python -m tests.conformance.scrapi", description=(__doc__ or "").partition("\n")[0]
    )
    asked.add_argument("url", help="the server's address, such as https://log.example")
    asked.add_argument("--token", default="", help="a bearer token that may register")
    asked.add_argument("--level", action="append", choices=LEVELS, help="only these levels (all)")
    asked.add_argument("--flood", type=int, default=0, help="also send so many statements at once")
    options = asked.parse_args(given)
    found = run(options.url, options.token, tuple(options.level or LEVELS), options.flood)
    for level, name, wrong in found:
        sys.stdout.write(f"{'FAIL' if wrong else 'ok':4} {level:5} {name}{': ' if wrong else ''}{wrong}\n")
    failed = sum(bool(wrong) for _, _, wrong in found)
    sys.stdout.write(f"{len(found) - failed} of {len(found)} hold\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
