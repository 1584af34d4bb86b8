"""Key files: a party's secret key on its own disk, made once, readable by its owner alone, never overwritten.

The form is PKCS#8 PEM (RFC 5958; RFC 8410 for Ed25519, RFC 5915 for P-256, RFC 9881 for ML-DSA-44), so that every other
tool can read it; a passphrase is optional.
"""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from tongqiu.record.faults import Malformed, Missing, Refused, Unreachable
from tongqiu.record.text import Text
from tongqiu.seal import signature
from tongqiu.seal.keys import ED25519, ESP256, MLDSA44, PublicKey

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

PrivateKey: TypeAlias = "Ed25519PrivateKey | EllipticCurvePrivateKey | MLDSA44PrivateKey"

_LIMIT = 16 * 1024
_POSIX = os.name == "posix"
_DO_FILE = Text(
    en="Name the key file that belongs here, or restore it from your backup.", zh="请指定正确的密钥文件，或从备份恢复。"
)


class FileSigner:
    """A signer whose key came from a file and now lives in memory; it shows its public half only."""

    __slots__ = ("_private", "_public")

    def __init__(self, private: PrivateKey) -> None:
        """Hold ``private``; nothing but :meth:`sign` reads it again. Raises Malformed (``key.kind``) for another curve."""
        self._private = private
        self._public = _public_of(private)

    @property
    def public(self) -> PublicKey:
        """Return the public key."""
        return self._public

    @property
    def kid(self) -> bytes:
        """Return the key's 32-byte RFC 9679 thumbprint."""
        return self._public.thumbprint

    def sign(self, message: bytes) -> bytes:
        """Return the signature over ``message``.

        Ed25519 and P-256 (RFC 6979, low s) always give the same bytes; ML-DSA-44 signs hedged (FIPS 204 section 3.4).
        """
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        if not isinstance(self._private, EllipticCurvePrivateKey):
            return self._private.sign(message)
        r, s = decode_dss_signature(self._private.sign(message, ECDSA(SHA256(), deterministic_signing=True)))
        return signature.low_form(r.to_bytes(32) + s.to_bytes(32))

    def __repr__(self) -> str:
        """Show the public name only."""
        return f"FileSigner({self._public.did})"


def generate(alg: int = ED25519) -> FileSigner:
    """Return a signer with a fresh key of the algorithm ``alg`` (-19, -9 or -48) that exists in memory only."""
    return FileSigner(_fresh(alg))


def from_seed(seed: bytes, alg: int = ED25519) -> FileSigner:
    """Return the signer of a 32-byte seed (for vectors and for keys kept elsewhere).

    The seed is that of RFC 8032 for Ed25519, that of FIPS 204 for ML-DSA-44, and for P-256 the secret number itself, big
    end first. Raises Malformed (``key.seed``) for another length, or a number that is no P-256 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    fits = len(seed) == 32 and (alg != ESP256 or 0 < int.from_bytes(seed) < signature.P256_ORDER)  # noqa: PLR2004 - said
    if not fits:
        raise Malformed(
            "key.seed",
            Text(en="A seed has 32 bytes, not {size}.", zh="种子应为 32 字节，而不是 {size} 字节。"),
            do=Text(en="Give the whole seed.", zh="请提供完整的种子。"),
            size=len(seed),
        )
    if alg == ESP256:
        return FileSigner(derive_private_key(int.from_bytes(seed), SECP256R1()))
    if alg == MLDSA44:
        return FileSigner(MLDSA44PrivateKey.from_seed_bytes(seed))
    return FileSigner(Ed25519PrivateKey.from_private_bytes(seed))


def create(path: Path, *, passphrase: bytes | None = None, alg: int = ED25519) -> FileSigner:
    """Make a fresh key of the algorithm ``alg`` (-19, -9 or -48), keep it in ``path`` and return its signer; durable on return.

    The file is complete or not there, has mode 0600 from its first byte, and never replaces another: two processes that
    race make one key, and one of them is refused. Raises Refused (``key.exists``) and Unreachable (``key.storage``).
    """
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    private = _fresh(alg)
    shut: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    _write_new(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, shut))
    return FileSigner(private)


def load(path: Path, *, passphrase: bytes | None = None) -> FileSigner:
    """Return the signer of the key in ``path``.

    Raises Missing (``key.no-file``), Refused (``key.open-to-others`` when group or others may read it,
    ``key.passphrase``), Malformed (``key.file``) and Unreachable (``key.storage``).
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        private = load_pem_private_key(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if b"ENCRYPTED" in data[:64] or passphrase:
            raise Refused(
                "key.passphrase",
                Text(en="The passphrase does not fit the key file.", zh="口令与密钥文件不符。"),
                do=Text(
                    en="Give the passphrase the key was made with, or none.",
                    zh="请提供创建密钥时的口令；无口令则不填。",
                ),
                where=str(path),
            ) from error
        raise _bad_file(path) from error
    if not _is_ours(private):
        raise _bad_file(path)
    return FileSigner(private)


def ensure(path: Path, *, alg: int) -> FileSigner:
    """Return the signer of the key in ``path``, which is made, of the algorithm ``alg``, where there is no file yet.

    Of two processes that make it at once both get the same. Raises as :func:`load` and :func:`create`, and Malformed
    (``key.kind``) for a key of another algorithm.
    """
    try:
        found = load(path)
    except Missing:
        try:
            return create(path, alg=alg)
        except Refused:
            found = load(path)
    if found.public.alg != alg:
        raise _bad_kind(str(path))
    return found


def read_public(data: bytes, *, where: str = "") -> PublicKey:
    """Return the public key of a PEM file as others publish it (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7).

    Raises Malformed (``key.kind``) for anything but an Ed25519, P-256 or ML-DSA-44 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        key = load_pem_public_key(data) if len(data) <= _LIMIT else None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad_kind(where) from error
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return PublicKey(key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint), ESP256)
    if isinstance(key, Ed25519PublicKey | MLDSA44PublicKey):
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PublicKey(raw, ED25519 if isinstance(key, Ed25519PublicKey) else MLDSA44)
    raise _bad_kind(where)


def _bad_kind(where: str) -> Malformed:
    return Malformed(
        "key.kind",
        Text(en="Not an Ed25519, P-256 or ML-DSA-44 key.", zh="这不是 Ed25519、P-256 或 ML-DSA-44 密钥。"),
        do=_DO_FILE,
        where=where,
    )


def _fresh(alg: int) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    if alg == ESP256:
        return generate_private_key(SECP256R1())
    if alg == MLDSA44:
        return MLDSA44PrivateKey.generate()
    return Ed25519PrivateKey.generate()


def _is_ours(private: object) -> TypeGuard[PrivateKey]:
    """Say whether a loaded key is of one of the three kinds."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    if isinstance(private, EllipticCurvePrivateKey):
        return isinstance(private.curve, SECP256R1)
    return isinstance(private, Ed25519PrivateKey | MLDSA44PrivateKey)


def _public_of(private: PrivateKey) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not _is_ours(private):
        raise _bad_kind("")
    if isinstance(private, EllipticCurvePrivateKey):
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return PublicKey(point, ESP256)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return PublicKey(raw, ED25519 if isinstance(private, Ed25519PrivateKey) else MLDSA44)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if _POSIX and stat.S_IMODE(status.st_mode) & 0o077:
                raise Refused(
                    "key.open-to-others",
                    Text(en="Others on this machine can read the secret key.", zh="本机其他用户可以读取该私钥。"),
                    do=Text(
                        en="Run: chmod 600 {where}. If others had access, replace the key.",
                        zh="请执行：chmod 600 {where}。若他人曾能访问，请更换密钥。",
                    ),
                    where=str(path),
                )
            return file.read(_LIMIT + 1)[:_LIMIT]
    except FileNotFoundError as error:
        raise Missing(
            "key.no-file",
            Text(en="There is no key file here.", zh="此处没有密钥文件。"),
            do=_DO_FILE,
            where=str(path),
        ) from error
    except OSError as error:
        raise _storage(path, error) from error


def _write_new(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` for the first and only time: temporary file, flush, link, flush of the folder.

    A link, unlike a rename, fails when the name is taken, and that in one step.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - the mode must be right before the first byte
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        if _POSIX:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise _storage(path, error) from error


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise Refused(
            "key.exists",
            Text(en="There is a key here already; it is not overwritten.", zh="此处已有密钥，不会覆盖。"),
            do=Text(en="Use it, or choose another file.", zh="请使用该密钥，或另选文件名。"),
            where=str(path),
        ) from error


def _bad_file(path: Path) -> Malformed:
    return Malformed(
        "key.file",
        Text(
            en="This is not a PKCS#8 PEM file with an Ed25519, P-256 or ML-DSA-44 key.",
            zh="这不是含 Ed25519、P-256 或 ML-DSA-44 密钥的 PKCS#8 PEM 文件。",
        ),
        do=_DO_FILE,
        where=str(path),
    )


def _storage(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "key.storage",
        Text(en="The key file cannot be read or written: {error}.", zh="无法读写密钥文件：{error}。"),
        do=Text(en="Check the disk and your permissions, then try again.", zh="请检查磁盘与权限后重试。"),
        where=str(path),
        error=error.strerror or type(error).__name__,
    )
