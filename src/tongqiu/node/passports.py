"""Evidence files: writing one for a system from the node's log, and reading one as a stranger would, offline.

Reading proves who signed, when it was logged and that nothing changed (:mod:`tongqiu.ledger.passport`); here the
arithmetic is done again as well: every number that a body derives from its own counts, every shape it shows, and every
rule whose inputs are all disclosed.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.ledger.passport import Claim, Item, PassportReport, read_passport, write_passport
from tongqiu.node.ask import SUPERSESSION, WITHDRAWAL, Listed, Snapshot, retires
from tongqiu.node.assess import standing
from tongqiu.node.discovery import matches
from tongqiu.node.home import own_policy
from tongqiu.practice import load
from tongqiu.record import cbor, core
from tongqiu.record.audience import STRANGER, permits
from tongqiu.record.faults import Fault, Malformed, Missing, Unproven, Unreachable
from tongqiu.record.statement import Statement, instant, moment_of, read_content
from tongqiu.record.text import Text
from tongqiu.seal.policy import LogPin, PartyPin, Policy, write_trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tongqiu.node.discovery import Practices
    from tongqiu.node.home import Home
    from tongqiu.node.node import Node
    from tongqiu.norms.library import Norms
    from tongqiu.practice import Assessor
    from tongqiu.record.statement import Asked
    from tongqiu.record.subject import Subject

MAX_FILES = 48 << 20
"""Bytes of attached files that travel in one evidence file; larger ones are left out and say so."""


class Checked(NamedTuple):
    """One disclosed record of an evidence file: what it says, and how its arithmetic came out when done again.

    ``derived`` is True when everything was computed again and agrees, False when something does not, and None where it
    was not computed; ``notes`` say why, and are empty for a record that holds nothing to compute. ``standing`` is False
    where the file itself shows that its issuer withdrew or replaced it.
    """

    statement: Statement
    derived: bool | None
    notes: tuple[Text, ...]
    standing: bool = True


class Verification(NamedTuple):
    """What reading an evidence file came to."""

    report: PassportReport
    records: tuple[Checked, ...]
    missing: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Tell whether no arithmetic came out differently."""
        return all(each.derived is not False for each in self.records)


def export(
    node: Node, system: Subject, *, withhold: Sequence[str] = (), files: bool = True, room: int = MAX_FILES
) -> bytes:
    """Return the evidence file of ``system``: all of this party's that stands about it and its parts, and what that
    rests on, with the corrections of any of it; what no longer stands travels without its content.

    Records of other parties are shown only where they are for everyone; others travel as withheld. ``withhold`` are kinds (or patterns) whose content is not shown; their seals and receipts travel all the same. With
    ``files`` attached files travel, up to ``room`` bytes in all, smallest first.
    """
    chosen, ended = _chosen(node, system)
    ordered = sorted(chosen.values(), key=lambda each: each.index)
    note, receipts = node.log.proofs([each.index for each in ordered])
    shown = [
        each
        for each in ordered
        if each.entry not in ended
        and not any(matches(pattern, each.kind) for pattern in withhold)
        and (each.issuer == node.me or _for_everyone(node, each))
    ]
    visible = {each.entry for each in shown}
    items = []
    for each, receipt in zip(ordered, receipts, strict=True):
        row = node.store.backend.row(each.index)
        open_ = each.entry in visible
        items.append(Item(row.statement, receipt, row.content if open_ else None, row.salt if open_ else None))
    return write_passport(
        subject=system.id,
        exported_at=node.now,
        origin=node.log.origin,
        log_key=node.log.public,
        checkpoint_note=note,
        items=items,
        files=_files(node, shown, room) if files else [],
        parties=[],
        exporter=node.me,
        signer=node.home.party,
    )


def _chosen(node: Node, system: Subject) -> tuple[dict[str, Statement], set[str]]:
    """Return, by entry, what belongs into the evidence file of ``system``, and which of it no longer stands.

    What no longer stands is there only where something that stands rests on it, such as a report that compares itself with
    the one before; its seal and receipt travel, its content does not.
    """
    subjects = (system, *(part for _, part in node.desk(node.owner).parts(system)))
    chosen = {each.entry: each for each in standing(node, subjects)}
    snapshot = node.snapshot()
    # What others said about it for everyone to read is passed on as they said it.
    for subject in subjects:
        for each in snapshot.standing("*", subject=subject):
            if each.subject.id == subject.id and _for_everyone(node, each):
                chosen[each.entry] = each
    ended = _rested(node, chosen)
    # That a record ended travels, so that whoever holds an earlier file learns of it; the ended record itself does not.
    for subject in subjects:
        for each in (
            *snapshot.standing(WITHDRAWAL, subject=subject),
            *snapshot.standing(SUPERSESSION, subject=subject),
        ):
            if each.issuer == node.me:
                chosen[each.entry] = each
    issuers = {each.issuer for each in chosen.values()} | {node.me}
    for each in snapshot.standing(core.PARTY.name):
        if each.issuer in issuers:
            chosen[each.entry] = each
    return chosen, ended


def _rested(node: Node, chosen: dict[str, Statement]) -> set[str]:
    """Add to ``chosen`` what its records rest on, and that in turn; return which of it no longer stands."""
    snapshot = node.snapshot()
    ended: set[str] = set()
    waiting = [entry for each in chosen.values() for entry in each.content.rests_on]
    while waiting:
        entry = waiting.pop()
        if entry in chosen:
            continue
        try:
            found = node.statement(entry)
        except Missing:
            continue
        chosen[entry] = found
        if snapshot.stands(found):
            waiting.extend(found.content.rests_on)
        else:
            ended.add(entry)
    return ended


def _for_everyone(node: Node, statement: Statement) -> bool:
    return permits(statement.content.audience, statement.issuer, STRANGER, node.clock.now())


def trust_file(home: Home) -> str:
    """Return a trust file that pins this node's party and log: what it hands to those who shall verify its records."""
    return write_trust(
        Policy(
            (PartyPin(home.settings.name, home.did),),
            (LogPin(home.settings.name, home.settings.origin, home.log.public, home.beside.public),),
        )
    )


def read_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a file of at most ``limit`` bytes. Raises Missing, Unreachable, Malformed as the disk does."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError as error:
        raise Missing(
            "file.absent",
            Text(en="There is no file {path}.", zh="没有文件 {path}。"),
            do=Text(en="Check the name.", zh="请核对文件名。"),
            path=str(path),
        ) from error
    except OSError as error:
        raise Unreachable(
            "file.unreadable",
            Text(en="The file {path} cannot be read: {error}.", zh="无法读取文件 {path}：{error}。"),
            do=Text(en="Check the disk and the permissions.", zh="请检查磁盘与权限。"),
            path=str(path),
            error=error.strerror or type(error).__name__,
        ) from error


def verify(data: bytes, *, policy: Policy, practices: Practices, now: str, where: str = "") -> Verification:
    """Read an evidence file as a stranger: proofs first, then all arithmetic that can be done again here.

    Raises Malformed and Unproven as :func:`tongqiu.ledger.passport.read_passport`. What is consistent but not pinned,
    withheld or not computable here is named in the result, never passed over.
    """
    report = _report(data, policy, now, where)
    statements = [
        Statement(f"sha-256:{item.entry.hex()}", item.index, report.origin, item.logged_at, read_content(item.content))
        for item in report.items
        if item.content is not None
    ]
    signed = {f"sha-256:{item.entry.hex()}": item.issuer for item in report.items}
    for each in statements:
        if each.issuer != signed[each.entry]:
            raise Unproven(
                "statement.issuer",
                Text(
                    en="A record says it is from {claimed}, but {signer} signed it.",
                    zh="有记录自称出自 {claimed}，签署者却是 {signer}。",
                ),
                do=Text(en="Trust nothing in it.", zh="请勿信任其中任何内容。"),
                where=each.entry,
                claimed=each.issuer[:200],
                signer=signed[each.entry][:200],
            )
    present = set(signed)
    rested = {entry for each in statements if retires(each) is None for entry in each.content.rests_on}
    missing = sorted(rested - present)
    ended = {ending.entry for ending in Listed(statements).endings(statements)}
    weighed: dict[Any, Any] = {}
    checked = (_check(each, statements, practices, weighed) for each in statements)
    records = tuple(_dated(each)._replace(standing=each.statement.entry not in ended) for each in checked)
    return Verification(report, records, tuple(missing))


def _files(node: Node, shown: Iterable[Statement], room: int) -> list[bytes]:
    blobs = {blob.digest: blob.size for each in shown for blob in each.content.files}
    chosen: list[bytes] = []
    for digest, size in sorted(blobs.items(), key=lambda pair: (pair[1], pair[0])):
        if size > room:
            break
        room -= size
        with node.store.backend.blob(bytes.fromhex(digest.removeprefix("sha-256:"))) as file:
            chosen.append(file.read())
    return chosen


def _check(
    statement: Statement, all_: Sequence[Statement], practices: Practices, weighed: dict[Any, Any] | None = None
) -> Checked:
    """Do all arithmetic of one record again that can be done here."""
    kind = practices.kind(statement.kind)
    if kind is None:
        return Checked(statement, None, (_UNKNOWN,))
    if kind.schema_digest != statement.content.schema:
        return Checked(statement, None, (_OTHER_SCHEMA,))
    try:
        body = kind.read(statement.body)
        held = list(kind.holds(body)) if kind.holds else []
        shapes = (
            tuple(kind.evidence(body)) if kind.evidence else (),
            tuple(kind.findings(body)) if kind.findings else (),
        )
    except Fault as fault:
        return Checked(statement, derived=False, notes=(fault.what,))
    notes = [_WRONG.fill(fields=", ".join(sorted(held)))] if held else []
    if not _same_shapes(shapes, statement):
        notes.append(_SHAPES)
    if notes:
        return Checked(statement, derived=False, notes=tuple(notes))
    maker = next((each for each in practices.assessors if f"{each.name}@{each.version}" == statement.content.by), None)
    if maker is None:
        if any(kind.name in each.makes for each in practices.assessors):
            return Checked(statement, None, (_NO_MAKER.fill(by=statement.content.by or "-"),))
        computed = kind.holds is not None or kind.evidence is not None or kind.findings is not None
        return Checked(statement, True if computed else None, (_AGAIN,) if computed else ())
    return _weigh_again(statement, maker, all_, kind, {} if weighed is None else weighed)


def _same_shapes(shapes: tuple[tuple[Any, ...], tuple[Any, ...]], statement: Statement) -> bool:
    """Compare the shapes a body makes with those that were signed; who ran it is said by the node, not by the body."""
    import msgspec

    relation = {each.ran_by for each in statement.content.evidence}
    if len(relation) > 1:
        return False
    made = shapes[0]
    if relation:
        made = tuple(msgspec.structs.replace(each, ran_by=next(iter(relation))) for each in made)
    return (made, shapes[1]) == (statement.content.evidence, statement.content.findings)


def _weigh_again(
    statement: Statement,
    maker: Assessor,
    all_: Sequence[Statement],
    kind: Any,  # noqa: ANN401 - a kind of any body
    weighed: dict[Any, Any],
) -> Checked:
    """Run the rule that made a record again, over what the file discloses, and compare.

    One run of a rule says several records, one for each pack; ``weighed`` keeps what it said, so that it runs once.
    """
    from tongqiu.node import shelf

    asked = statement.content.asked
    if not asked:
        return Checked(statement, None, (_NO_QUESTIONS,))
    run = (maker.name, statement.subject, statement.issuer, asked)
    if run not in weighed:
        snapshot = Snapshot(
            Listed(all_),
            receiver=statement.issuer,
            as_of=asked[0].as_of,
            known_at=asked[0].known_at,
            size=asked[0].size,
            norms=lambda seen: shelf.norms(seen, statement.issuer),
        )
        try:
            weighed[run] = snapshot, list(load(maker.assess)(statement.subject, snapshot))
        except Fault as fault:
            weighed[run] = snapshot, fault
    snapshot, said = weighed[run]
    if isinstance(said, Fault):
        return Checked(
            statement, None, (Text(_CANNOT.en.format(why=said.what.en), _CANNOT.zh.format(why=said.what.zh)),)
        )
    if "pack" in statement.body and not _same_edition(statement.body, snapshot.norms):
        return Checked(statement, None, (_OTHER_PACK,))
    if not _same_answers(snapshot.asked, asked):
        return Checked(statement, None, (_PARTIAL,))
    signed = cbor.dumps(statement.body)
    same = any(each.kind == statement.kind and cbor.dumps(kind.write(each.body)) == signed for each in said)
    return Checked(statement, derived=same, notes=(_WEIGHED,) if same else (_DIFFERENT,))


def _report(data: bytes, policy: Policy, now: str, where: str) -> PassportReport:
    """Read the proofs; what is not even of the form of an evidence file is called just that."""
    try:
        return read_passport(data, policy, datetime.datetime.fromisoformat(now), where=where)
    except Malformed as fault:
        if not fault.code.startswith("cbor."):
            raise
        raise Malformed(
            "passport.form",
            Text(
                en="This is not an evidence file, or it was cut short or damaged.",
                zh="这不是证据档案，或已被截断、损坏。",
            ),
            do=Text(en="Get it again from whoever made it.", zh="请向制作方重新索取。"),
            where=where,
        ) from fault


def _dated(checked: Checked) -> Checked:
    """Point out a record that says it was made at a time far from when the log took it."""
    said, logged = moment_of(checked.statement.at), moment_of(checked.statement.logged)
    if abs(logged - said) <= _APART:
        return checked
    note = _OTHER_TIME.fill(said=checked.statement.at, logged=checked.statement.logged)
    return checked._replace(notes=(*checked.notes, note))


def _same_edition(body: dict[str, Any], norms: Norms) -> bool:
    """Tell whether the pack that a record names is here, byte for byte."""
    name = body["pack"]
    return name in norms.ids and norms.edition(name) == body.get("digest")


def _same_answers(mine: Iterable[Asked], theirs: Iterable[Asked]) -> bool:
    """Tell whether every question put to both logs was answered alike; whoever has other packs asks other questions."""
    told = {(each.kind, each.subject, each.digest, each.thread, each.ref): each for each in theirs}
    return all(told.get((each.kind, each.subject, each.digest, each.thread, each.ref), each) == each for each in mine)


def now() -> str:
    """Return the present instant by this machine's clock."""
    return instant(datetime.datetime.now(datetime.UTC))


_UNKNOWN = Text(
    en="This kind of record is not known here; it is kept as it came.", zh="此处不认识该记录类型，原样保留。"
)
_OTHER_SCHEMA = Text(en="Made under another version of this kind's schema.", zh="依据该类型的另一版本模式制作。")
_WRONG = Text(
    en="Computed again, these fields come out differently: {fields}.", zh="重新计算后，以下字段不一致：{fields}。"
)
_SHAPES = Text(en="The measures or verdicts shown are not those of the body.", zh="所示测量或结论与记录正文不符。")
_AGAIN = Text(en="Its numbers were computed again and agree.", zh="其数值已重新计算，结果一致。")
_WEIGHED = Text(en="The rule was run again over its inputs and agrees.", zh="已对输入重新运行该规则，结果一致。")
_DIFFERENT = Text(
    en="The rule, run again over the same inputs, says something else.", zh="对相同输入重新运行该规则，结果不同。"
)
_PARTIAL = Text(
    en="Not everything that was weighed is disclosed here, so it cannot be computed again.",
    zh="所依据的内容未全部披露，无法重新计算。",
)
_NO_QUESTIONS = Text(
    en="It does not say what was asked, so it cannot be computed again.", zh="未记录所提问题，无法重新计算。"
)
_NO_MAKER = Text(
    en="The rule that made it ({by}) is not installed here, so it cannot be computed again.",
    zh="此处未安装生成它的规则（{by}），无法重新计算。",
)
_OTHER_PACK = Text(
    en="It was made under another edition of the framework than the one here.", zh="其依据的规范包版本与此处不同。"
)
_OTHER_TIME = Text(
    en="It says it was made at {said}; the log took it at {logged}.", zh="它自称作于 {said}；日志于 {logged} 收录。"
)
_APART = datetime.timedelta(days=1)
_CANNOT = Text(en="It could not be computed again: {why}", zh="无法重新计算：{why}")


__all__ = [
    "Checked",
    "Claim",
    "Verification",
    "export",
    "now",
    "own_policy",
    "read_file",
    "trust_file",
    "verify",
]
