"""The check of a whole node: everything is derived again from the signed entries, and the first difference is named.

It opens no log and changes nothing: neither the store, nor the home. What it trusts is the signatures and the arithmetic;
what it compares with them is every table of the store that follows from the entries, and every file.

Not derived, because nothing determines them: jobs, the clocks of duties, and files that no record has taken up yet.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import msgspec

from tongqiu.ledger import tree
from tongqiu.ledger.log import GENESIS
from tongqiu.node.ask import marks, retires
from tongqiu.node.passports import own_policy
from tongqiu.record import cbor, core
from tongqiu.record.faults import Malformed, Unproven
from tongqiu.record.statement import Content, Statement, moment_of, read_content
from tongqiu.record.text import Text
from tongqiu.seal import statement as envelope
from tongqiu.seal.keys import KeyRing, PublicKey
from tongqiu.store import schema
from tongqiu.store.check import Kept, untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tongqiu.ledger.backend import Row
    from tongqiu.node.discovery import Practices
    from tongqiu.node.home import Home

    Tell = Callable[[str, int, int], None]

STEPS = ("file", "entries", "indexes", "files", "registries")
"""The parts of the check, in order, as ``tell`` names them."""

_STEP = 2048
_CORRECTIONS = (core.WITHDRAWAL.name, core.SUPERSESSION.name)

_STOP = Text(
    en="Stop this node and keep its files as they are. Restore the last backup that passes this check, and compare its "
    "checkpoint with the last one that others have seen.",
    zh="请停止本节点，并原样保留其文件。恢复最近一份能通过本检查的备份，并将其检查点与他人最后所见的比对。",
)
_DERIVED = Text(
    en="The entries themselves are whole; this part follows from them. Stop this node and restore a backup that passes "
    "this check.",
    zh="各条目本身完好，此部分由条目推导而来。请停止本节点，并恢复能通过本检查的备份。",
)
_REBUILD = Text(
    en="The entries are whole; only the registry is not. Run: tongqiu rebuild",
    zh="各条目完好，仅名录有误。请运行：tongqiu rebuild",
)

PARTS: dict[str, tuple[Text, Text]] = {
    "database": (
        Text(en="The database finds its own file damaged: {detail}.", zh="数据库发现自身文件已损坏：{detail}。"),
        _STOP,
    ),
    "head": (
        Text(en="The end of the log is not where its entries end: {detail}.", zh="日志末端与其条目不符：{detail}。"),
        _STOP,
    ),
    "entry": (
        Text(en="A sealed entry is not the one that was logged.", zh="一条已签名条目不是入日志时的那一条。"),
        _STOP,
    ),
    "signature": (Text(en="The signature of an entry does not hold.", zh="一条条目的签名不成立。"), _STOP),
    "content": (Text(en="The content of an entry is not what was sealed.", zh="一条条目的内容与签署时不符。"), _STOP),
    "erased": (
        Text(en="An erased entry still has content.", zh="一条已删除的条目仍有内容。"),
        Text(en="Stop this node and erase the record again.", zh="请停止本节点，并再次删除该记录。"),
    ),
    "key": (
        Text(
            en="The key of an entry's content is lost; it was not destroyed, and no tombstone says that it should be.",
            zh="一条条目内容的密钥已丢失；它并非被销毁，也没有删除标记说明应予销毁。",
        ),
        Text(
            en="Put the file of keys back from its newest copy. Without it the content cannot be read by anybody; all "
            "else is whole.",
            zh="请放回密钥文件的最新副本。没有它，任何人都无法读取该内容；其余部分完好。",
        ),
    ),
    "spent": (
        Text(en="The key of something erased is still there.", zh="已删除内容的密钥仍然存在。"),
        Text(
            en="Start the node once: it destroys the key. Then check again.",
            zh="请启动一次节点，它会销毁该密钥；然后再次检查。",
        ),
    ),
    "tombstone": (
        Text(
            en="The content of an entry is gone as if erased, and no tombstone in the log says so.",
            zh="一条条目的内容已如被删除般消失，而日志中没有相应的删除标记。",
        ),
        _STOP,
    ),
    "columns": (
        Text(
            en="An entry is filed under something it does not say: {detail}.",
            zh="一条条目的归档信息与其内容不符：{detail}。",
        ),
        _DERIVED,
    ),
    "time": (
        Text(
            en="An entry is dated before the one that stands ahead of it, or not at all.",
            zh="一条条目的时间早于其前一条，或缺失。",
        ),
        _STOP,
    ),
    "tile": (Text(en="A piece of the tree does not follow from the entries.", zh="树的一部分与条目不符。"), _DERIVED),
    "ref": (Text(en="The index of which record names which is wrong.", zh="记录引用索引有误。"), _DERIVED),
    "file-index": (
        Text(en="The index of which record carries which file is wrong.", zh="记录附件索引有误。"),
        _DERIVED,
    ),
    "correction": (
        Text(en="The index of what was withdrawn or replaced is wrong.", zh="撤回与替换索引有误。"),
        _DERIVED,
    ),
    "audience": (
        Text(en="The note of who may read a record was changed.", zh="关于谁可阅读某记录的说明被改动。"),
        _STOP,
    ),
    "done": (
        Text(
            en="A note of work done names an entry that the log does not have.", zh="一条完成说明指向日志中没有的条目。"
        ),
        _DERIVED,
    ),
    "file": (
        Text(
            en="An attached file is missing or not the one that was sealed.", zh="一份附件缺失，或不是签署时的那一份。"
        ),
        _STOP,
    ),
    "registry": (Text(en="A registry does not show what the entries say.", zh="名录所示与条目不符。"), _REBUILD),
}
"""What each difference means, and what to do: the code of the fault is ``fsck.`` and its key."""


class Whole(NamedTuple):
    """What was derived again and found to agree."""

    entries: int
    contents: int
    """Entries whose content is here and was compared with the envelope."""

    unknown: int
    """Entries whose signature could not be checked, because nobody here knows the key of their issuer."""

    tiles: int
    files: int
    registries: int
    root: bytes


def check(home: Home, practices: Practices, *, tell: Tell = lambda *_: None) -> Whole:
    """Derive everything again from the entries of ``home`` and return what agreed; costs O(n) and changes nothing.

    ``tell(step, done, total)`` hears how far it is; steps are :data:`STEPS`. Raises Unproven ``fsck.<part>`` (the keys of
    :data:`PARTS`) at the first difference, its ``where`` naming the entry, tile, file or registry; and the faults of
    home and store.
    """
    with untouched(home.store, keys=home.keys) as kept:
        return _Check(home, kept, tell).run(practices)


class _Check:
    """One run of the check over one state of the store."""

    def __init__(self, home: Home, kept: Kept, tell: Tell) -> None:
        self._home = home
        self._kept = kept
        self._tell = tell
        self._head = kept.rows.head()
        pinned = [key for party in own_policy(home).parties for key in _keys_of(party.did)]
        self._keys = KeyRing.of([home.party.public, home.log.public, *pinned])
        self._audiences = kept.audiences()
        self._contents = self._unknown = 0
        self._corrections: dict[int, tuple[bytes, str, str]] = {}
        self._erased: list[int] = []
        self._stones: set[bytes] = set()
        self._stones_gone = False
        self._refs: list[int] = []

    def run(self, practices: Practices) -> Whole:
        self._tell("file", 0, 1)
        if found := self._kept.integrity():
            _differs("database", where=str(self._home.store), detail=found[:200])
        self._tell("file", 1, 1)
        self._check_audiences()
        tiles = self._check_entries()
        self._check_tombstones()
        self._check_indexes()
        files = self._check_files()
        views = tuple(practices.views.values())
        odd = self._kept.odd_rows(views, lambda done, total: self._tell("registries", done, total))
        if odd is not None:
            _differs("registry", where=f"{odd.view}, entry {odd.at}")
        size = self._head.size
        return Whole(size, self._contents, self._unknown, tiles, files, len(views), self._head.root)

    # --- entries and tree -------------------------------------------------------------------------------------------

    def _check_entries(self) -> int:
        head, last = self._head, ""
        size, frontier = 0, tuple[bytes, ...]()
        while size < head.size:
            rows = self._kept.rows.rows(size, min(size + _STEP, head.size))
            for position, row in enumerate(rows, size):
                self._check_entry(position, row, last)
                last = row.logged_at
            if not rows:
                _differs("entry", where=f"entry {size}")
            grown = tree.grow(size, frontier, (row.entry for row in rows), self._kept.rows.tile)
            for tile in grown.tiles:
                found = self._kept.rows.tile(tile.level, tile.number)
                # While it is being grown here, the kept tile may be longer; its last hashes come with a later step.
                if not found.startswith(tile.hashes):
                    _differs("tile", where=f"tile {tile.level}/{tile.number}")
            size, frontier = grown.size, grown.frontier
            self._tell("entries", size, head.size)
        if self._kept.count(schema.entry) != head.size:
            _differs("head", where=f"entry {head.size}", detail="size")
        origin = self._home.settings.origin if head.size else ""
        for name, agrees in (
            ("root", head.root == tree.root_of(frontier)),
            ("frontier", head.frontier == frontier),
            ("time", head.logged_at == last),
            ("origin", head.origin == origin),
        ):
            if not agrees:
                _differs("head", where="head", detail=name)
        return self._check_tiles()

    def _check_tiles(self) -> int:
        """Compare number and length of all tiles; their hashes were compared while the tree was grown."""
        count, level, width = 0, 0, self._head.size
        while width:
            full, rest = divmod(width, tree.TILE_WIDTH)
            if rest and len(self._kept.rows.tile(level, full)) != rest * tree.HASH_BYTES:
                _differs("tile", where=f"tile {level}/{full}")
            for number in range(full):
                if len(self._kept.rows.tile(level, number)) != tree.TILE_WIDTH * tree.HASH_BYTES:
                    _differs("tile", where=f"tile {level}/{number}")
            count += full + bool(rest)
            level, width = level + 1, full
        if self._kept.count(schema.tile) != count:
            _differs("tile", where=f"tile {level}/0")
        return count

    def _check_entry(self, position: int, row: Row, last: str) -> None:
        where = f"entry {position}"
        if (
            row.index != position
            or hashlib.sha256(row.statement).digest() != row.entry
            or self._kept.rows.find(row.entry) != position
        ):
            _differs("entry", where=where)
        try:
            opened = envelope.open_statement(row.statement)
            moment_of(row.logged_at)
        except Malformed as fault:
            _differs("time" if fault.code == "statement.instant" else "entry", where=where)
        if row.logged_at < last:
            _differs("time", where=where)
        self._check_signature(opened, where)
        if (row.columns.issuer, row.columns.subject) != (opened.issuer, opened.subject):
            _differs("columns", where=where, detail="issuer, subject")
        if (row.content is None) != (row.salt is None) or (row.erased and row.content is not None):
            _differs("erased" if row.erased else "content", where=where)
        if row.erased and position not in self._kept.revived:
            self._erased.append(position)
            self._stones_gone = self._stones_gone or row.columns.kind == core.TOMBSTONE.name
        if row.columns.audience and row.columns.audience not in self._audiences:
            _differs("columns", where=where, detail="audience")
        if row.content is not None and row.salt is not None:
            if not envelope.matches(opened, row.content, row.salt):
                _differs("content", where=where)
            self._contents += 1
            self._check_content(position, row, row.content, where)
        elif not row.erased and (row.columns.kind or self._kept.rows.fate(position)):
            _differs("key" if self._kept.lost(position) else "content", where=where)
        elif row.columns.kind in _CORRECTIONS:
            self._corrections[position] = (b"", row.columns.issuer, row.columns.kind)

    def _check_signature(self, opened: envelope.Envelope, where: str) -> None:
        key = self._keys.find(opened.kid)
        if key is None:
            key = next((each for each in _keys_of(opened.issuer) if each.thumbprint == opened.kid), None)
        if key is None:
            self._unknown += 1
            return
        try:
            envelope.verify_statement(opened, key)
        except Unproven:
            _differs("signature", where=where)

    def _check_content(self, position: int, row: Row, data: bytes, where: str) -> None:
        """Compare what an entry is filed under with what its content says."""
        columns = row.columns
        if position == 0 and not columns.kind:
            said = cbor.loads(data)
            if not isinstance(said, list) or said[:2] != [GENESIS, self._home.settings.origin]:
                _differs("head", where=where, detail="origin")
            return
        if not columns.kind:
            return
        try:
            content = read_content(data)
        except Malformed:
            _differs("content", where=where)
        rests = tuple(bytes.fromhex(each.removeprefix("sha-256:")) for each in content.rests_on)
        files = {bytes.fromhex(each.digest.removeprefix("sha-256:")) for each in content.files}
        named = {*rests, *marks(self._home, content)}
        for detail, agrees in (
            ("kind", columns.kind == content.kind),
            ("issuer", columns.issuer == content.issuer),
            ("thread", columns.thread == self._home.thread(content.thread)),
            ("audience", columns.audience == _audience_id(content)),
            ("refs", named == set(columns.refs)),
            ("files", set(columns.files) <= files),
        ):
            if not agrees:
                _differs("columns", where=where, detail=detail)
        if columns.kind == core.TOMBSTONE.name and columns.issuer == self._home.did:
            self._stones.add(bytes.fromhex(core.TOMBSTONE.read(content.body).entry.removeprefix("sha-256:")))
        if columns.kind in _CORRECTIONS:
            target = retires(Statement("", position, "", row.logged_at, content))
            self._corrections[position] = (
                bytes.fromhex((target or "").removeprefix("sha-256:")),
                columns.issuer,
                columns.kind,
            )

    def _check_tombstones(self) -> None:
        """Find what is gone without a tombstone. Where a tombstone was erased itself, nobody can tell any more."""
        if self._stones_gone:
            return
        noted = {by: entry for entry, by, *_ in self._kept.corrections()}
        for position in self._erased:
            # A correction goes with what it corrects.
            if not {self._kept.rows.entries(position, position + 1)[0], noted.get(position)} & self._stones:
                _differs("tombstone", where=f"entry {position}")

    # --- what follows from them -------------------------------------------------------------------------------------

    def _check_audiences(self) -> None:
        for name, (issuer, written) in self._audiences.items():
            try:
                plain = cbor.loads(written)
            except Malformed:
                plain = None
            if hashlib.sha256(cbor.dumps([plain, issuer])).hexdigest() != name:
                _differs("audience", where=name)

    def _check_indexes(self) -> None:
        self._tell("indexes", 0, 4)
        for number, (part, table) in enumerate((("ref", schema.ref), ("file-index", schema.file))):
            self._check_pairs(part, table is schema.ref)
            self._tell("indexes", number + 1, 4)
        noted = dict[int, tuple[bytes, str, str]]()
        for entry, by, issuer, kind in self._kept.corrections():
            noted[by] = (entry, issuer, kind)
        for by, expected in self._corrections.items():
            found = noted.pop(by, None)
            # What an erased correction named is known from this note alone.
            if (expected[0] and found != expected) or (found is not None and found[1:] != expected[1:]):
                _differs("correction", where=f"entry {by}")
        if noted:
            _differs("correction", where=f"entry {min(noted)}")
        self._tell("indexes", 3, 4)
        for key, entries in self._kept.done():
            if any(self._kept.rows.find(entry) is None for entry in entries):
                _differs("done", where=key[:80])
        self._tell("indexes", 4, 4)

    def _check_pairs(self, part: str, refs: bool) -> None:  # noqa: FBT001 - which of the two indexes
        """Compare an index of hashes with the entries, both in order of entries."""
        kept = self._kept.pairs(schema.ref if refs else schema.file)
        for start in range(0, self._head.size, _STEP):
            for row in self._kept.rows.rows(start, min(start + _STEP, self._head.size)):
                for digest in sorted(set(row.columns.refs if refs else row.columns.files)):
                    if next(kept, None) != (digest, row.index):
                        _differs(part, where=f"entry {row.index}")
        if (extra := next(kept, None)) is not None:
            _differs(part, where=f"entry {extra.at}")

    def _check_files(self) -> int:
        if (slot := self._kept.unspent()) is not None:
            _differs("spent", where=f"{self._home.keys}, slot {slot}")
        held, total = set[bytes](), self._kept.count(schema.blob)
        for number, (digest, fate) in enumerate(self._kept.files()):
            if fate == "lost":
                _differs("file", where=digest.hex())
            held.add(digest)
            self._tell("files", number + 1, total)
        if self._kept.stray_pieces():
            _differs("file", where="?")
        for pair in self._kept.pairs(schema.file):
            if pair.digest not in held and not self._kept.rows.row(pair.at).erased:
                _differs("file", where=f"{pair.digest.hex()}, entry {pair.at}")
        return len(held)


def _keys_of(did: str) -> tuple[PublicKey, ...]:
    """Return the key that a DID itself is, where it is one."""
    try:
        return (PublicKey.from_did(did),)
    except Malformed:
        return ()


def _audience_id(content: Content) -> str:
    return hashlib.sha256(cbor.dumps([msgspec.to_builtins(content.audience), content.issuer])).hexdigest()


def _differs(part: str, *, where: str, detail: str = "") -> NoReturn:
    what, do = PARTS[part]
    raise Unproven(f"fsck.{part}", what, do=do, where=where, detail=detail)


__all__ = ["PARTS", "STEPS", "Whole", "check"]
