"""Desks without a log: an inspector far from any network signs records now, and the node's one log takes them in later.

A desk is a folder that a person carries. What is sealed there is signed and dated at once and never changed again; the node
judges it when it is handed in, by the same rules as what is said at the node itself::

    DESK/
      desk.toml            whose desk it is
      keys/party.pem       signs its records; the node's own key, or that of another party
      secret               how what records are about is named in envelopes
      drafts/000001/       one record: draft.cbor, files/<sha-256>, and refused.json where a node said no
      logged/000001-…/     the same after a log took it, with receipt.cbor, its proof

Only ``drafts`` needs to travel. Decisions and costs: ``docs/adr/0021-offline-drafts.md``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec

from tongqiu.node.drafting import MAX_FILE, OFFLINE, compose, known
from tongqiu.node.passports import own_policy
from tongqiu.record import cbor, core
from tongqiu.record.audience import EVERYONE, Audience, only_for
from tongqiu.record.faults import Fault, Malformed, Missing, Refused, Unproven, Unreachable
from tongqiu.record.statement import MAX_CONTENT, Blob, Content, Said, read_content, write_content
from tongqiu.record.subject import Subject
from tongqiu.record.text import Text, inert
from tongqiu.record.types import ready
from tongqiu.scan import tree
from tongqiu.seal import keyfile
from tongqiu.seal.statement import MAX_STATEMENT, new_salt, open_statement, seal_statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.node.discovery import Practices
    from tongqiu.node.home import Home
    from tongqiu.node.node import Node
    from tongqiu.record.kind import Kind
    from tongqiu.record.statement import Attachment, Statement
    from tongqiu.seal.keys import Signer

HEAD: Final = "tongqiu.draft/1"
"""The first word of a draft: ``[HEAD, envelope, content, salt]`` in deterministic CBOR."""

MOST: Final = 10_000
"""Most drafts that wait at one desk."""

_Parts = tuple[Literal["tongqiu.draft/1"], bytes, bytes, bytes]

DRAFTS: Final = "drafts"
LOGGED: Final = "logged"
_FILES: Final = "files"
_DRAFT: Final = "draft.cbor"
_REFUSED: Final = "refused.json"
_RECEIPT: Final = "receipt.cbor"
_NUMBER = re.compile(r"([0-9]{6})(-[0-9a-f]{16})?")
_LIMIT = MAX_STATEMENT + MAX_CONTENT + 1024


class Refusal(msgspec.Struct, frozen=True):
    """Why a node did not take a draft, as it said so."""

    code: Annotated[str, msgspec.Meta(max_length=100)]
    en: Annotated[str, msgspec.Meta(max_length=4000)]
    zh: Annotated[str, msgspec.Meta(max_length=4000)]


class Draft(NamedTuple):
    """One signed record that waits: its folder, its parts as they will be logged, and why it was refused, if it was."""

    folder: Path
    envelope: bytes
    data: bytes
    salt: bytes
    content: Content
    refused: Refusal | None

    @property
    def number(self) -> int:
        """Return its place in the order in which the desk sealed."""
        return int(self.folder.name)

    @property
    def entry(self) -> str:
        """Return the entry under which a log will have it."""
        return f"sha-256:{open_statement(self.envelope).entry.hex()}"


class Told(NamedTuple):
    """What became of one draft: the record as logged, or the fault that refused it; ``again`` if the log had it before."""

    number: int
    statement: Statement | None
    fault: Fault | None
    again: bool = False


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Desk:
    """A desk without a log, opened by whoever holds its key."""

    def __init__(self, path: Path, name: str, party: Signer, secret: bytes) -> None:
        """Sit down at the folder ``path``; use :func:`begin` or :func:`open_desk`."""
        self.path, self.name = path, name
        self._party, self._secret = party, secret

    @property
    def me(self) -> str:
        """Return the DID of the party that signs here."""
        return self._party.public.did

    def seal(self, said: Said, *, at: str, practices: Practices) -> Draft:
        """Sign ``said`` as of ``at`` and keep it behind all others, flushed on return; with its files.

        Without an audience it is for its issuer alone, or for everyone where its kind is public and it rests on nothing:
        what it rests on cannot be looked at here. Raises Malformed (``kind.unknown``, ``kind.body``, ``statement.*``,
        ``draft.file``, ``draft.many``), Unreachable (``draft.storage``).
        """
        kind = known(practices, said.kind)
        if any(len(each.data) > MAX_FILE for each in said.files):
            raise _too_long()
        files = tuple(_blob(each) for each in said.files)
        content = compose(
            kind, said, issuer=self.me, at=at, audience=self._audience(said, kind), files=files, by=OFFLINE
        )
        data, salt = write_content(content), new_salt()
        about = pseudonym(self._secret, said.subject.id)
        envelope = seal_statement(data, salt, signer=self._party, issuer=self.me, subject=about)
        try:
            folder = self._next()
            for each in said.files:
                (folder / _FILES).mkdir(mode=0o700, exist_ok=True)
                _write(folder / _FILES / hashlib.sha256(each.data).hexdigest(), each.data)
            # Last of all: without it the number is only a gap.
            _write(folder / _DRAFT, cbor.dumps([HEAD, envelope, data, salt]))
            _flush(folder.parent)
        except OSError as error:
            raise _storage(self.path, error) from error
        return Draft(folder, envelope, data, salt, read_content(data), None)

    def _audience(self, said: Said, kind: Kind[Any]) -> Audience:
        if said.audience is not None:
            return said.audience
        return EVERYONE if kind.public and not said.rests_on else only_for([self.me])

    def _next(self) -> Path:
        """Return a new folder with the next number; two who seal at once get two."""
        drafts = self.path / DRAFTS
        drafts.mkdir(mode=0o700, exist_ok=True)
        while True:
            # In this order: what is logged meanwhile is counted in the one place or in the other.
            taken = [*_numbers(drafts), *_numbers(self.path / LOGGED)]
            if len(_numbers(drafts)) >= MOST or max(taken, default=0) >= 10**6 - 1:
                raise Malformed(
                    "draft.many",
                    Text(en="Too many drafts wait at this desk.", zh="此工作台上等待的草稿过多。"),
                    do=Text(en="Have them logged, or begin another desk.", zh="请先提交入日志，或另建工作台。"),
                    where=str(self.path),
                )
            folder = drafts / f"{max(taken, default=0) + 1:06}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return folder


def pseudonym(secret: bytes, subject: str) -> str:
    """Return the URN under which envelopes of a desk name ``subject``, as :meth:`tongqiu.node.home.Home.pseudonym` does."""
    return "urn:tongqiu:subject:" + hmac.new(secret, subject.encode(), hashlib.sha256).hexdigest()[:40]


def begin(path: Path, *, name: str, at: str, practices: Practices, own: Home | None = None) -> Desk:
    """Make a desk at ``path`` and return it: for the party of ``own``, with its key, or for a new party called ``name``.

    A new party says who it is in its first draft. A half-made desk (a kill in between) is finished. Raises Refused
    (``draft.desk`` where a desk is already, ``key.*``), Malformed (``draft.party-name``), Unreachable.
    """
    if (path / "desk.toml").exists():
        raise Refused(
            "draft.desk",
            Text(en="There is a desk at {path} already.", zh="{path} 处已有工作台。"),
            do=Text(en="Name another folder.", zh="请指定另一个目录。"),
            path=str(path),
        )
    title = own.settings.name if own is not None else name
    if not title.strip() or len(title) > 200 or inert(title, one_line=True) != title:  # noqa: PLR2004 - as of a party
        raise Malformed(
            "draft.party-name",
            Text(en="A party cannot be called {name}.", zh="参与方不能叫作 {name}。"),
            do=Text(
                en="Give 1 to 200 plain characters with --party, or make a desk of this node with --own.",
                zh="请用 --party 给出 1 至 200 个普通字符，或用 --own 为本节点建立工作台。",
            ),
            name=inert(title[:80], one_line=True),
        )
    key, secret = path / "keys" / "party.pem", path / "secret"
    try:
        (path / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
        if own is not None:
            _write(key, (own.path / "keys" / "party.pem").read_bytes())
            _write(secret, own.secret)
        else:
            if not key.exists():
                keyfile.create(key)
            if not secret.exists():
                _write(secret, secrets.token_bytes(32))
        desk = Desk(path, title, keyfile.load(key), secret.read_bytes())
        if own is None and not _numbers(path / DRAFTS):
            desk.seal(_introduction(desk), at=at, practices=practices)
        _write(path / "desk.toml", f"name = {msgspec.json.encode(title).decode()}\n".encode())
    except OSError as error:
        raise _storage(path, error) from error
    return desk


def open_desk(path: Path) -> Desk:
    """Return the desk at ``path``. Raises Missing (``draft.no-desk``, ``key.no-file``), Malformed (``draft.settings``)."""
    try:
        settings = msgspec.convert(tomllib.loads((path / "desk.toml").read_text("utf-8")), _Settings)
        secret = (path / "secret").read_bytes()
    except FileNotFoundError as error:
        raise Missing(
            "draft.no-desk",
            Text(en="There is no desk at {path}.", zh="{path} 处没有工作台。"),
            do=Text(
                en="Make one with: tongqiu drafts FOLDER --begin --party NAME",
                zh="请用 tongqiu drafts 目录 --begin --party 名称 建立。",
            ),
            path=str(path),
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Malformed(
            "draft.settings",
            Text(en="The desk's settings cannot be read: {error}.", zh="无法读取工作台设置：{error}。"),
            do=Text(en="Mend desk.toml.", zh="请修正 desk.toml。"),
            where=str(path / "desk.toml"),
            error=str(error)[:200],
        ) from error
    except OSError as error:
        raise _storage(path, error) from error
    return Desk(path, settings.name, keyfile.load(path / "keys" / "party.pem"), secret)


def waiting(path: Path) -> list[Draft | Told]:
    """Return every draft that waits in the desk at ``path``, in the order of its desk; needs no key.

    What cannot be read as a draft stands in its place as the fault. Raises Missing (``draft.none``) where there is no such
    folder, Unreachable.
    """
    found: list[Draft | Told] = []
    path = path.resolve()
    if not (path / DRAFTS).is_dir():
        raise Missing(
            "draft.none",
            Text(en="There are no drafts at {path}.", zh="{path} 处没有草稿。"),
            do=Text(en="Name the folder of a desk.", zh="请指定工作台目录。"),
            path=str(path),
        )
    for number in sorted(_numbers(path / DRAFTS))[:MOST]:
        folder = path / DRAFTS / f"{number:06}"
        try:
            found.append(read(folder))
        except Missing:
            # A number that was taken and never used, or a draft that another process has just logged.
            continue
        except (Malformed, Unproven) as fault:
            found.append(Told(number, None, fault))
    return found


def read(folder: Path) -> Draft:
    """Return the draft in ``folder``. Raises Missing, Malformed (``draft.form``, ``cbor.*``, ``statement.*``), Unreachable."""
    with tree.open_regular(folder / _DRAFT, inside=folder.parents[1]) as file:
        plain = cbor.loads(file.read(_LIMIT + 1), where=str(folder), limit=_LIMIT)
    try:
        _, envelope, data, salt = msgspec.convert(plain, _Parts, strict=True)
    except msgspec.ValidationError as error:
        raise _form(folder) from error
    open_statement(envelope, where=str(folder))
    return Draft(folder, envelope, data, salt, read_content(data, where=str(folder)), _refusal(folder))


def log(node: Node, path: Path) -> Iterator[Told]:
    """Hand every waiting draft of the desk at ``path`` to the log of ``node``, in order, and tell what became of each.

    A draft is taken from this node's own party and from parties that its trust file pins. One that is refused stays where it
    is with its reason and holds up no other; handing it in again asks again. One that is logged moves to ``logged``, with a
    receipt, after the log has it durably: a kill in between leaves it to be handed in again, and the log keeps it once.
    Raises Unreachable when the node's or the desk's storage fails; what was told until then holds.
    """
    path = path.resolve()
    for each in waiting(path):
        if isinstance(each, Told):
            yield each
            continue
        try:
            yield _log(node, path, each)
        except Unreachable:
            raise
        except Fault as fault:
            try:
                _write(each.folder / _REFUSED, _words(fault))
            except FileNotFoundError:
                # Another process handed it in meanwhile, and was luckier.
                continue
            except OSError as error:
                raise _storage(path, error) from error
            yield Told(each.number, None, fault)


def _log(node: Node, path: Path, draft: Draft) -> Told:
    opened, statement = open_statement(draft.envelope), None
    index = node.store.backend.find(opened.entry)
    if index is None:
        if opened.issuer != node.me and own_policy(node.home).party(opened.issuer, opened.kid) is None:
            raise Refused(
                "draft.party",
                Text(en="Nobody here vouches for the party {issuer}.", zh="此处无人担保参与方 {issuer}。"),
                do=Text(
                    en="Check its key by another way, then pin it: tongqiu trust",
                    zh="请通过其他途径核对其密钥，然后固定：tongqiu trust",
                ),
                issuer=opened.issuer[:200],
            )
        statement = node.take(
            draft.envelope, draft.data, draft.salt, stage=lambda content: _stage(node, draft.folder, content)
        )
        index = statement.index
    elif not node.store.backend.row(index).columns.kind:
        raise Refused(
            "draft.bare",
            Text(en="The log has its seal already, without the content.", zh="日志中已有其签名信封，但没有内容。"),
            do=Text(en="Draw it up again, and hand in only the draft.", zh="请重新起草，且只提交草稿。"),
        )
    try:
        _write(draft.folder / _RECEIPT, node.log.receipt(index))
        (path / LOGGED).mkdir(mode=0o700, exist_ok=True)
        (draft.folder / _REFUSED).unlink(missing_ok=True)
        goal = path / LOGGED / f"{draft.folder.name}-{opened.entry.hex()[:16]}"
        if goal.exists():
            # Copied here once more after it was logged.
            shutil.rmtree(draft.folder)
        else:
            draft.folder.rename(goal)
        _flush(path / LOGGED)
        _flush(path / DRAFTS)
    except FileNotFoundError:
        # Another process that hands in the same desk has moved it already.
        statement = None
    except OSError as error:
        raise _storage(path, error) from error
    return Told(draft.number, statement, None, again=statement is None)


def _stage(node: Node, folder: Path, content: Content) -> None:
    """Hand the files of a draft to the store. Raises Missing, Malformed (``draft.file``) for one that is not what was signed."""
    for each in content.files:
        place = folder / _FILES / each.digest.removeprefix("sha-256:")
        with tree.open_regular(place, inside=folder.parents[1]) as file:
            digest, size = node.store.backend.stage(file, limit=MAX_FILE)
        if (f"sha-256:{digest.hex()}", size) != (each.digest, each.size):
            raise Malformed(
                "draft.file",
                Text(en="The file {name} is not the one that was signed.", zh="文件 {name} 不是签名时的那一份。"),
                do=Text(en="Restore it from the desk.", zh="请从工作台恢复该文件。"),
                where=str(folder),
                name=each.name,
            )


def _introduction(desk: Desk) -> Said:
    """Return what a new party says first: who it is."""
    body = core.Party(name=desk.name, sort="unstated", key=desk._party.public.cose_key().hex())  # noqa: SLF001 - the same room
    thread = f"urn:tongqiu:party:{desk._party.kid.hex()[:40]}"  # noqa: SLF001 - as above
    return Said(core.PARTY.name, Subject("party", desk.me, None, desk.name), body, (), EVERYONE, thread)


def _blob(file: Attachment) -> Blob:
    digest = f"sha-256:{hashlib.sha256(file.data).hexdigest()}"
    try:
        return msgspec.convert(
            {"name": file.name, "media": file.media, "digest": digest, "size": len(file.data)}, ready(Blob)
        )
    except msgspec.ValidationError as error:
        raise Malformed(
            "draft.file",
            Text(en="The file {name} cannot be attached: {error}.", zh="无法附上文件 {name}：{error}。"),
            do=Text(en="Give it a plain name.", zh="请改用普通的文件名。"),
            name=inert(file.name[:80], one_line=True),
            error=str(error)[:200],
        ) from error


def _numbers(folder: Path) -> list[int]:
    try:
        found = [_NUMBER.fullmatch(each) for each in os.listdir(folder)]  # noqa: PTH208 - names alone
        return [int(each[1]) for each in found if each is not None]
    except FileNotFoundError:
        return []


def _refusal(folder: Path) -> Refusal | None:
    try:
        with tree.open_regular(folder / _REFUSED, inside=folder.parents[1]) as file:
            return msgspec.json.decode(file.read(1 << 16), type=Refusal)
    except (Missing, Malformed, msgspec.MsgspecError):
        return None


def _words(fault: Fault) -> bytes:
    kept = Refusal(
        fault.code[:100], inert(fault.what.en, one_line=True)[:4000], inert(fault.what.zh, one_line=True)[:4000]
    )
    return msgspec.json.encode(kept)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole and flushed under another name, then give it its own, flushed too. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - mode first
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _flush(path.parent)


def _flush(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _too_long() -> Malformed:
    return Malformed(
        "draft.file",
        Text(en="A file of more than {limit} bytes cannot be attached.", zh="无法附上超过 {limit} 字节的文件。"),
        do=Text(en="Attach smaller parts.", zh="请拆分后附上。"),
        limit=MAX_FILE,
    )


def _form(folder: Path) -> Malformed:
    return Malformed(
        "draft.form",
        Text(en="This is not a draft.", zh="这不是草稿。"),
        do=Text(en="Copy it again from the desk.", zh="请从工作台重新复制。"),
        where=str(folder),
    )


def _storage(path: Path, error: OSError) -> Unreachable:
    return Unreachable(
        "draft.storage",
        Text(en="The desk's folder cannot be used: {error}.", zh="无法使用工作台目录：{error}。"),
        do=Text(en="Free some space or mend the permissions, then try again.", zh="请腾出空间或修正权限后重试。"),
        where=str(path),
        error=error.strerror or type(error).__name__,
    )


__all__ = ["Desk", "Draft", "Refusal", "Told", "begin", "log", "open_desk", "pseudonym", "read", "waiting"]
