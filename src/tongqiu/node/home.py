"""Where a node lives on disk: its keys, its secret, whom it trusts, and its store; made once, never overwritten.

::

    HOME/
      keys/party.pem    signs records; readable by its owner alone; belongs in the owner's key backup
      keys/log.pem      signs receipts and checkpoints of the log
      keys/log-pq.pem   signs checkpoints beside it, with ML-DSA-44, which withstands quantum computers
      instance          the name of this one home, and ...
      seen              ... the last end of its log that it has seen: see :mod:`tongqiu.node.anchor`
      secret            32 bytes from which pseudonyms of subjects are made; as private as the keys
      node.toml         the party's name and sort, and the log's origin
      trust.toml        the parties and logs this node has pinned (may be absent)
      store/            the log and everything erasable, and content.keys, without which none of it can be read
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tomllib
from pathlib import Path
from typing import Annotated, NamedTuple, get_args, get_type_hints

import msgspec

from tongqiu.record import core
from tongqiu.record.faults import Malformed, Missing, Refused, Unreachable
from tongqiu.record.text import Text, inert
from tongqiu.seal import keyfile
from tongqiu.seal.keys import MLDSA44, Signer
from tongqiu.seal.policy import LogPin, PartyPin, Policy, read_trust
from tongqiu.store.keys import KEYS

ENVIRONMENT = "TONGQIU_HOME"
MAX_NAME = 200
_HTTPS = r"^(https://[^\s?#@]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^\s?#@]*)?)$"
"""An address of an OpenID provider: plain HTTP only on this machine."""
SORTS: tuple[str, ...] = get_args(get_type_hints(core.Party)["sort"])
"""What sorts of party there are, as :class:`tongqiu.record.core.Party` says."""


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table ``[oidc]`` of ``node.toml``: an OpenID provider at whose word people sign in.

    ``secret`` names a file that holds the client secret, in the home unless absolute. ``admit`` lets anyone in whom the
    provider vouches for, as a reader; without, only people who were invited and connected their account.
    """

    issuer: Annotated[str, msgspec.Meta(pattern=_HTTPS, max_length=500)]
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    secret: str = ""
    title: Annotated[str, msgspec.Meta(max_length=100)] = ""
    admit: bool = False


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table ``[assess.hosts."NAME"]`` of ``node.toml``: a service that may be asked without asking the owner each time.

    ``key`` names the environment variable with its key; ``questions`` and ``tokens`` are the most for one run, ``patience``
    the longest for one answer, in seconds.
    """

    key: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,99})?$")] = ""
    questions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    patience: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 120.0


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table ``[assess]`` of ``node.toml``: folders of this machine whose systems may be assessed through the pages.

    ``roots`` are for people of the node's own party, ``parties`` for contributors, by the DID of their organisation. All
    are absolute; without any, assessing is left to the command line. ``at_once`` is how many jobs run side by side.
    ``hosts`` are services that may be asked, by host (and port).
    """

    roots: tuple[str, ...] = ()
    parties: dict[str, tuple[str, ...]] = {}
    at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    hosts: dict[str, Agreed] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``node.toml`` says. ``url`` is where people find the pages: scheme, host and port, nothing more."""

    name: str
    origin: str
    sort: str = "unstated"
    database: str = ""
    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?)?$")] = ""
    oidc: Provider | None = None
    assess: Places = Places()
    keys: str = ""


class Home(NamedTuple):
    """An opened home: its folder, settings, signers of the party and of the log, and the secret of its pseudonyms."""

    path: Path
    settings: Settings
    party: Signer
    log: Signer
    secret: bytes

    beside: Signer
    """The log's ML-DSA-44 key: it signs checkpoints beside :attr:`log`."""

    @property
    def did(self) -> str:
        """Return the DID of the node's own party."""
        return self.party.public.did

    @property
    def store(self) -> Path | str:
        """Return where the store is: a folder, or the URL of a database."""
        return self.settings.database or self.path / "store"

    @property
    def keys(self) -> Path:
        """Return the file of the keys of all contents: beside the log's file, or where ``node.toml`` puts it."""
        return self.path / (self.settings.keys or f"store/{KEYS}")

    def pseudonym(self, subject: str) -> str:
        """Return the URN under which this node's envelopes name ``subject``: stable here, meaningless elsewhere."""
        return "urn:tongqiu:subject:" + hmac.new(self.secret, subject.encode(), hashlib.sha256).hexdigest()[:40]

    def thread(self, name: str | None) -> str:
        """Return the URN under which the log's index finds a thread: a name may hold what must be forgettable."""
        if not name:
            return ""
        return (
            "urn:tongqiu:thread:" + hmac.new(self.secret, b"thread:" + name.encode(), hashlib.sha256).hexdigest()[:40]
        )

    def mark(self, digest: str) -> bytes:
        """Return 32 bytes by which records about the same bytes are found here, without showing the digest."""
        return hmac.new(self.secret, b"digest:" + digest.encode(), hashlib.sha256).digest()


def default() -> Path:
    """Return the home that a person gets without naming one: ``$TONGQIU_HOME``, else ``~/.tongqiu``."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else Path.home() / ".tongqiu"


def create(path: Path, *, name: str, sort: str = "unstated", database: str = "") -> Home:
    """Make a home at ``path`` and return it; a half-made one (a kill in between) is finished, never overwritten.

    Raises Malformed (``home.name``, ``home.sort``) before anything is written, Unreachable (``home.storage``) when the
    disk does not take it, Refused (``home.exists``) when another party lives there already.
    """
    from tongqiu.store.disk import made_folder, sync

    _check(name, sort)
    try:
        made_folder(path)
        (path / "keys").mkdir(mode=0o700, exist_ok=True)
        for key in ("party", "log"):
            file = path / "keys" / f"{key}.pem"
            if not file.exists():
                keyfile.create(file)
        if not (path / "secret").exists():
            _write_new(path / "secret", secrets.token_bytes(32), 0o600)
        if not (path / "node.toml").exists():
            # Where this file is, keys and secret are: also after a power cut.
            sync(path)
            log = keyfile.load(path / "keys" / "log.pem")
            lines = {
                "name": name,
                "origin": f"tongqiu.node/{log.kid.hex()[:16]}",
                "sort": sort,
                **({"database": database} if database else {}),
            }
            text = "".join(f"{key} = {_quoted(value)}\n" for key, value in lines.items())
            _write_new(path / "node.toml", text.encode(), 0o644)
    except OSError as error:
        raise _storage(path, error) from error
    home = load(path)
    if home.settings.name != name:
        raise Refused(
            "home.exists",
            Text(en="{path} is the home of {name} already.", zh="{path} 已是 {name} 的节点目录。"),
            do=Text(en="Name another folder with --home.", zh="请用 --home 指定另一个目录。"),
            path=str(path),
            name=home.settings.name,
        )
    return home


def _check(name: str, sort: str) -> None:
    """Raise Malformed unless a party may be called so: what is written here is said in the node's first record."""
    if not name.strip() or len(name) > MAX_NAME or inert(name, one_line=True) != name:
        raise Malformed(
            "home.name",
            Text(
                en="{name} cannot be the name of a party: it needs 1 to {most} characters, none of them control characters.",
                zh="{name} 不能作为参与方名称：须为 1 至 {most} 个字符，且不含控制字符。",
            ),
            do=Text(en="Give another name with --party.", zh="请用 --party 给出另一个名称。"),
            name=inert(name[:80], one_line=True),
            most=MAX_NAME,
        )
    if sort not in SORTS:
        raise Malformed(
            "home.sort",
            Text(en="{sort} is no sort of party.", zh="{sort} 不是参与方类型。"),
            do=Text(en="Known ones: {known}.", zh="可用的类型：{known}。"),
            sort=inert(sort[:80], one_line=True),
            known=", ".join(SORTS),
        )


def load(path: Path) -> Home:
    """Return the home at ``path``; one from before there was an ML-DSA-44 key of the log gets one.

    Raises Missing (``home.missing``), Malformed (``home.settings``), key faults.
    """
    if not (path / "node.toml").exists():
        raise Missing(
            "home.missing",
            Text(en="There is no node at {path}.", zh="{path} 处没有节点。"),
            do=Text(
                en="Run: tongqiu init, or name the node with --home.", zh="请运行：tongqiu init，或用 --home 指定节点。"
            ),
            path=str(path),
        )
    try:
        settings = msgspec.convert(tomllib.loads((path / "node.toml").read_text("utf-8")), Settings)
        secret = (path / "secret").read_bytes()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Malformed(
            "home.settings",
            Text(en="The node's settings cannot be read: {error}.", zh="无法读取节点设置：{error}。"),
            do=Text(en="Mend node.toml, or restore it from a backup.", zh="请修正 node.toml，或从备份恢复。"),
            where=str(path / "node.toml"),
            error=str(error)[:200],
        ) from error
    except OSError as error:
        raise _storage(path, error) from error
    keys = path / "keys"
    party, log = keyfile.load(keys / "party.pem"), keyfile.load(keys / "log.pem")
    return Home(path, settings, party, log, secret, keyfile.ensure(keys / "log-pq.pem", alg=MLDSA44))


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file once: whole and flushed under another name, then given its own."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _quoted(value: str) -> str:
    """Return ``value`` as a TOML basic string."""
    return (
        '"'
        + "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08X}" for char in value)
        + '"'
    )


def _storage(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "home.storage",
        Text(en="The node's folder cannot be used: {error}.", zh="无法使用节点目录：{error}。"),
        do=Text(en="Free some space or mend the permissions, then try again.", zh="请腾出空间或修正权限后重试。"),
        where=str(path),
        error=error.strerror or type(error).__name__,
    )


def own_policy(home: Home) -> Policy:
    """Return whom a node trusts: itself, and whoever its ``trust.toml`` names. Raises the faults of that file."""
    own = Policy(
        (PartyPin(home.settings.name, home.did),), (LogPin(home.settings.name, home.settings.origin, home.log.public),)
    )
    path = home.path / "trust.toml"
    return own | read_trust(path.read_bytes(), where=str(path)) if path.exists() else own
