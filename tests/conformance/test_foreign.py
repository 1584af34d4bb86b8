"""This implementation against the vectors that other projects publish; every difference in verdict is named here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tongqiu.ledger import receipt
from tongqiu.record import cbor
from tongqiu.record.faults import Fault, Malformed
from tongqiu.seal import cose, foreign, keyfile, signature
from tongqiu.seal.keys import ED25519, ESP256, MLDSA44, PublicKey

HERE = Path(__file__).parent / "foreign"


def vectors(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


SCITT, COSE, WYCHEPROOF = (vectors(name) for name in ("scitt-cose", "cose-wg", "wycheproof"))
CCF = "v1/valid-ccf-vds2"
"""The one receipt that they accept and we do not: another tree (CCF), signed with ES384."""


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", SCITT["vectors"], ids=name_of)
def test_receipts_of_scitt_cose_are_judged_alike(case: dict[str, Any]) -> None:
    for data in map(bytes.fromhex, case["receipts"]):
        try:
            key = keyfile.read_public(case["log_key"].encode())
            found = receipt.verify_foreign(data, bytes.fromhex(case["entry"]), key)
        except Fault:
            assert not case["receipt_holds"] or case["name"] == CCF
            continue
        assert case["receipt_holds"]
        assert found.proven.root.hex() == case["root"]
        assert found.profile == "loose"
        assert not found.proven.size_signed
        assert "size-unsigned" in found.differences
        # Evidence files go on refusing what has not our form.
        with pytest.raises(Malformed):
            receipt.open_receipt(data)


def test_a_receipt_of_a_ccf_ledger_is_refused_and_not_called_false() -> None:
    (case,) = (case for case in SCITT["vectors"] if case["name"] == CCF)
    (data,) = map(bytes.fromhex, case["receipts"])
    with pytest.raises(Malformed) as raised:
        keyfile.read_public(case["log_key"].encode())
    assert raised.value.code == "key.kind"
    key = keyfile.from_seed(b"c" * 32, ESP256)
    with pytest.raises(Malformed) as raised:
        receipt.verify_foreign(data, bytes.fromhex(case["entry"]), key.public)
    assert raised.value.code == "cose.alg"
    # Signed with an algorithm that we know, it is the tree that is refused.
    other = cbor.dumps({1: -9, 4: key.public.thumbprint, 395: 2, 15: {1: "i", 2: "s"}})
    signed = key.sign(cbor.dumps(["Signature1", other, b"", bytes(32)]))
    sealed = cbor.dumps(cbor2.CBORTag(18, [other, {396: {-1: [cbor.dumps([b"", "", b""])]}}, None, signed]))
    with pytest.raises(Malformed) as raised:
        receipt.verify_foreign(sealed, bytes(32), key.public)
    assert raised.value.code == "receipt.form"


@pytest.mark.parametrize("case", [case for case in SCITT["vectors"] if "statement" in case], ids=name_of)
def test_statements_of_scitt_cose_are_judged_alike(case: dict[str, Any]) -> None:
    data, key = bytes.fromhex(case["statement"]), keyfile.read_public(case["issuer_key"].encode())
    opened = foreign.decode(data, protected=(cose.CONTENT_TYPE,), limit=64 * 1024)
    if case["statement_holds"]:
        assert "no-kid" in foreign.verify(opened, key)
        # Theirs, like ours, is logged under SHA-256 of its bytes.
        assert hashlib.sha256(data).hexdigest() == case["entry"]
    else:
        with pytest.raises(Fault) as raised:
            foreign.verify(opened, key)
        assert raised.value.code == "cose.signature"


STRICTER = {
    "sign1-tests/sign-pass-01.json": "cose.form",  # alg stands outside the signature
    "sign1-tests/sign-pass-03.json": "cose.form",  # no tag 18
    "ecdsa-examples/ecdsa-sig-02.json": "cose.alg",  # ES384
}
"""Objects that hold by RFC 9052 and are refused here all the same, and by which rule."""


@pytest.mark.parametrize("case", COSE["vectors"], ids=name_of)
def test_examples_of_the_cose_working_group(case: dict[str, Any]) -> None:
    rule = STRICTER.get(case["name"])
    if rule is not None or case["fails"]:
        with pytest.raises(Fault) as raised:
            judge(case)
        assert rule in {None, raised.value.code}
    else:
        judge(case)


def judge(case: dict[str, Any]) -> None:
    opened = foreign.decode(bytes.fromhex(case["cose"]), protected=(cose.CONTENT_TYPE,), limit=4096)
    key = PublicKey.from_raw(bytes.fromhex(case["key"]), alg=case["alg"])
    if not case["external"]:
        foreign.verify(opened, key)
        return
    # External data is nothing we take; the signature over it is judged by our verifier alone.
    parts = ["Signature1", opened.sign1.protected, bytes.fromhex(case["external"]), opened.sign1.payload]
    assert key.holds(cbor.dumps(parts), opened.sign1.signature, low_s=False)


@pytest.mark.parametrize("alg", [ED25519, ESP256, MLDSA44])
def test_wycheproof(alg: int) -> None:
    judged, second_forms = 0, 0
    for group in WYCHEPROOF["groups"]:
        if group["alg"] != alg:
            continue
        raw = bytes.fromhex(group["key"])
        for number, message, sig, valid in group["tests"]:
            signed, sig_bytes = bytes.fromhex(message), bytes.fromhex(sig)
            assert signature.holds(alg, raw, signed, sig_bytes, low_s=False) is valid, (group["file"], number)
            strict = signature.holds(alg, raw, signed, sig_bytes)
            assert strict is (valid and (alg != ESP256 or signature.is_low_s(sig_bytes)))
            second_forms += valid and not strict
            judged += 1
    assert judged > {ED25519: 140, ESP256: 240, MLDSA44: 5}[alg]
    assert (second_forms > 0) is (alg == ESP256)
