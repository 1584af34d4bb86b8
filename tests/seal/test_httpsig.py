"""Signed requests: the published example, an independent judge, and every way in which one may be wrong."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record.faults import Unproven
from tongqiu.seal import httpsig, keyfile
from tongqiu.seal.keys import MLDSA44, PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 9421, B.1.4: the last 32 bytes of the PKCS #8 and SubjectPublicKeyInfo structures.
SEED = base64.b64decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF")[-32:]
PUBLIC = base64.b64decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")[-32:]
# RFC 9421, B.2: the request that its examples sign.
EXAMPLE = httpsig.Request(
    "POST",
    "https://example.com/foo?param=Value&Pet=dog",
    {
        "host": "example.com",
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        "content-length": "18",
    },
)
# RFC 9421, B.2.6.
B26_INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");'
    'created=1618884473;keyid="test-key-ed25519"'
)
B26_SIGNATURE = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"

SIGNER = keyfile.from_seed(SEED)
NOW = 1_795_000_000
NONCE = "abcdefghijklmnopqrstuv"
BODY = b'{"hello": "world"}'
PLAIN = httpsig.Request("POST", "https://node.example/door?x=1", {"content-type": "application/json"})


def signed(**changes: Any) -> httpsig.Request:
    made = {"created": NOW, "nonce": NONCE, **changes}
    return PLAIN._replace(headers={**PLAIN.headers, **httpsig.sign(SIGNER, PLAIN, BODY, **made)})


def only(*keys: PublicKey) -> Callable[[str], PublicKey | None]:
    return {key.did: key for key in keys}.get


def judged(request: httpsig.Request, body: bytes = BODY, now: int = NOW) -> str:
    return httpsig.verify(request, body, now=now, key=only(SIGNER.public), fresh=lambda _: True)


def test_the_published_ed25519_example() -> None:
    assert SIGNER.public.raw == PUBLIC
    headers = {**EXAMPLE.headers, "signature-input": B26_INPUT, "signature": B26_SIGNATURE}
    (one,) = httpsig.read(headers)
    assert one.params == {"created": 1618884473, "keyid": "test-key-ed25519"}
    base = httpsig.signature_base(EXAMPLE, one.covered, one.written)
    assert base.decode().splitlines() == [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        f'"@signature-params": {B26_INPUT.removeprefix("sig-b26=")}',
    ]
    assert SIGNER.public.holds(base, one.sig)
    assert SIGNER.sign(base) == one.sig


def test_derived_components_are_those_of_the_text() -> None:
    # RFC 9421, 2.2.1 to 2.2.7.
    request = httpsig.Request("GET", "HTTPS://WWW.Example.com?a", {})
    names = ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")
    lines = httpsig.signature_base(request, names, "()").decode().splitlines()
    assert lines == [
        '"@method": GET', '"@target-uri": HTTPS://WWW.Example.com?a', '"@authority": www.example.com',
        '"@scheme": https', '"@request-target": /?a', '"@path": /', '"@query": ?a', '"@signature-params": ()',
    ]  # fmt: skip


def test_the_example_of_our_own_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "signed-requests.md").read_text("utf-8")
    sent, signed_ = (each.strip().split("```")[0].strip() for each in page.split("```\n")[1::2])
    headers = dict(line.split(": ", 1) for line in sent.splitlines()[1:])
    request = httpsig.Request(
        "POST", "https://node.example/entries", {key.lower(): each for key, each in headers.items()}
    )
    assert judged(request, b"hello", 1_795_000_000) == SIGNER.public.did
    (one,) = httpsig.read(request.headers)
    assert httpsig.signature_base(request, one.covered, one.written).decode() == signed_


def test_a_signed_request_is_known_by_its_party() -> None:
    assert judged(signed()) == SIGNER.public.did
    assert judged(signed(), now=NOW + httpsig.LIFE + httpsig.SKEW - 1) == SIGNER.public.did
    assert judged(signed(), now=NOW - httpsig.SKEW) == SIGNER.public.did


def test_another_library_finds_the_same() -> None:
    http_message_signatures = pytest.importorskip("http_message_signatures")
    import httpx2
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    class Keys(http_message_signatures.HTTPSignatureKeyResolver):  # type: ignore[name-defined, misc]
        def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
            assert key_id == SIGNER.public.did
            return Ed25519PublicKey.from_public_bytes(PUBLIC)

    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    request = signed(created=now)
    message = httpx2.Request("POST", request.url, headers=dict(request.headers), content=BODY)
    verifier = http_message_signatures.HTTPMessageVerifier(
        signature_algorithm=http_message_signatures.algorithms.ED25519, key_resolver=Keys()
    )
    (found,) = verifier.verify(message, max_age=datetime.timedelta(days=1))
    assert found.label == "tongqiu"
    assert '"@target-uri"' in found.covered_components


def wrong() -> list[tuple[str, httpsig.Request, bytes, int]]:
    good = signed()
    written, sig = good.headers["signature-input"], good.headers["signature"]

    def head(**headers: str) -> httpsig.Request:
        return good._replace(
            headers={**good.headers, **{key.replace("_", "-"): value for key, value in headers.items()}}
        )

    def without(name: str) -> httpsig.Request:
        return good._replace(headers={key: value for key, value in good.headers.items() if key != name})

    return [
        ("another body", good, BODY + b" ", NOW),
        ("another body and its digest", head(content_digest=httpsig.digest(b"x")), b"x", NOW),
        ("another method", good._replace(method="PUT"), BODY, NOW),
        ("another address", good._replace(url="https://node.example/door?x=2"), BODY, NOW),
        ("another host", good._replace(url="https://other.example/door?x=1"), BODY, NOW),
        ("too old", good, BODY, NOW + httpsig.LIFE + httpsig.SKEW),
        ("too new", good, BODY, NOW - httpsig.SKEW - 1),
        (
            "lives too long",
            head(signature_input=written.replace(f"expires={NOW + 60}", f"expires={NOW + 61}")),
            BODY,
            NOW,
        ),
        ("no digest", without("content-digest"), BODY, NOW),
        ("no signature", without("signature"), BODY, NOW),
        ("no input", without("signature-input"), BODY, NOW),
        ("another tag", head(signature_input=written.replace('tag="tongqiu"', 'tag="other"')), BODY, NOW),
        ("another algorithm", head(signature_input=written.replace("ed25519", "rsa-pss-sha512")), BODY, NOW),
        ("another key", head(signature_input=written.replace("did:key:z", "did:key:y")), BODY, NOW),
        ("fewer covered", head(signature_input=written.replace('"@method" ', "")), BODY, NOW),
        ("twice covered", head(signature_input=written.replace('"@method"', '"@method" "@method"')), BODY, NOW),
        ("twice a parameter", head(signature_input=written + f";created={NOW}"), BODY, NOW),
        ("a nonce too short", head(signature_input=written.replace(NONCE, "short")), BODY, NOW),
        ("not in its one form", head(signature_input=written.replace(";expires", "; expires")), BODY, NOW),
        ("a number with zeros", head(signature_input=written.replace(f"={NOW}", f"=0{NOW}")), BODY, NOW),
        ("no number", head(signature_input=written.replace(f"created={NOW}", 'created="1"')), BODY, NOW),
        ("two of ours", head(signature_input=f"{written}, b{written}", signature=f"{sig}, b{sig}"), BODY, NOW),
        ("the same label twice", head(signature_input=f"{written}, {written}"), BODY, NOW),
        ("no bytes for a label", head(signature_input=f"{written}, b{written}"), BODY, NOW),
        ("bytes for no label", head(signature=f"{sig}, b{sig}"), BODY, NOW),
        ("too many", head(signature=", ".join(f"{c}{sig}" for c in "abcde")), BODY, NOW),
        ("a bad list", head(signature=f"{sig}; {sig}"), BODY, NOW),
        ("no base64", head(signature="tongqiu=:abc:"), BODY, NOW),
        ("too long", head(signature_input=written + " " * 5000), BODY, NOW),
        ("no letters of this world", head(content_digest="é"), BODY, NOW),
    ]


@pytest.mark.parametrize("case", wrong(), ids=lambda case: case[0])
def test_every_change_is_noticed_in_the_same_words(case: tuple[str, httpsig.Request, bytes, int]) -> None:
    _, request, body, now = case
    with pytest.raises(Unproven) as caught:
        judged(request, body, now)
    assert (caught.value.code, caught.value.what) == ("httpsig", httpsig._unproven().what)  # noqa: SLF001 - the one fault


@pytest.mark.parametrize(
    "covered",
    [(), ("@method",), ("@method", "@target-uri"), ("@method", "content-digest"), (*httpsig.COVERED, "@path")],
)
def test_a_sound_signature_over_anything_else_opens_nothing(covered: tuple[str, ...]) -> None:
    headers = {"content-digest": httpsig.digest(BODY)}
    names = " ".join(f'"{each}"' for each in covered)
    written = (
        f'({names});created={NOW};expires={NOW + 60};nonce="{NONCE}";alg="ed25519";'
        f'keyid="{SIGNER.public.did}";tag="tongqiu"'
    )
    made = SIGNER.sign(httpsig.signature_base(PLAIN._replace(headers=headers), covered, written))
    headers |= {
        "signature-input": f"a={written}",
        "signature": f"a=:{base64.b64encode(made).decode()}:",
    }
    with pytest.raises(Unproven):
        judged(PLAIN._replace(headers=headers))


def test_a_nonce_counts_once_and_only_a_good_signature_uses_one_up() -> None:
    seen: list[str] = []

    def fresh(name: str) -> bool:
        seen.append(name)
        return seen.count(name) == 1

    good = signed()
    for request, works in ((good._replace(method="PUT"), False), (good, True), (good, False)):
        try:
            httpsig.verify(request, BODY, now=NOW, key=only(SIGNER.public), fresh=fresh)
        except Unproven:
            assert not works
        else:
            assert works
    assert len(seen) == 2


def test_a_key_that_nobody_trusts_or_of_another_sort_opens_nothing() -> None:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    other = PublicKey(MLDSA44PrivateKey.generate().public_key().public_bytes_raw(), MLDSA44)
    for key in (lambda _: None, lambda _: keyfile.from_seed(b"\1" * 32).public, lambda _: other):
        with pytest.raises(Unproven):
            httpsig.verify(signed(), BODY, now=NOW, key=key, fresh=lambda _: True)


def test_only_ed25519_signs() -> None:
    class Other:
        public = PublicKey(b"", MLDSA44)
        kid = b""

        def sign(self, message: bytes) -> bytes:
            return message

    with pytest.raises(ValueError, match="Ed25519"):
        httpsig.sign(Other(), PLAIN, BODY, created=NOW, nonce=NONCE)


def test_a_component_that_is_not_there_or_not_spoken_is_refused() -> None:
    for name in ("@status", "x-none", "@query-param", "@signature-params"):
        with pytest.raises(Unproven):
            httpsig.signature_base(PLAIN, (name,), "()")
    for request in (PLAIN._replace(headers={"@path": "", "a": "b\nc"}), PLAIN._replace(url="nowhere")):
        with pytest.raises(Unproven):
            httpsig.signature_base(request, ("a", "@path"), "()")


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_sent_is_read_or_refused(written: str, signature: str) -> None:
    try:
        httpsig.read({"signature-input": written, "signature": signature})
    except Unproven:
        return


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_strings_are_read_as_they_were_written(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    (one,) = httpsig.read({"signature-input": f'a=();nonce="{escaped}"', "signature": "a=::"})
    assert one.params == {"nonce": text}
