"""Taking in results of other tools that the manifest names: each file by what is in it, whatever it is called.

Files are read in the run's own process, without network, and nothing in them is executed, unpickled or shown as anything but
text. A file is attached to the record only where its owner says so, it is small, and no key or password is found in it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple

import msgspec

from tongqiu.practice import Run
from tongqiu.practices.evaluation.imports import every_eval_ever, garak, helm, inspect_log, lm_eval, pyrit
from tongqiu.practices.evaluation.imports.declared import ImportParams, ResultKeys
from tongqiu.practices.evaluation.imports.reading import MAX_FILE, damaged, large, name, whole
from tongqiu.practices.evaluation.imports.told import Told, record
from tongqiu.practices.evaluation.object_kinds import RUN
from tongqiu.practices.evaluation.objects import Detail
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.text import Text
from tongqiu.scan import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tongqiu.practice import Target, World
    from tongqiu.record.subject import Subject

MAX_ATTACHED: Final = 4 << 20
"""Largest file that is attached to a record, in bytes."""

MAX_FILES: Final = 1000
_HEAD: Final = 1 << 20
_ZIP: Final = b"PK\x03\x04"


class Found(NamedTuple):
    """What one file or folder told, and the files themselves: name, digest and size."""

    told: tuple[Told, ...]
    files: tuple[Detail, ...]


def plan(target: Target) -> Iterator[Run]:
    """Plan one run for each file or folder of results that a system, model or service names."""
    if target.subject.type not in {"system", "model", "service"}:
        return
    names = {field.name for field in msgspec.structs.fields(ResultKeys)}
    keys = msgspec.convert({key: value for key, value in target.declared.items() if key in names}, ResultKeys)
    for path in dict.fromkeys(keys.results):
        yield Run(target.subject, ImportParams(path, attach=keys.attach_results), (path,))


def observe(subject: Subject, params: ImportParams, world: World) -> Iterator[Said]:
    """Read one file or folder and hand back a record for each method it tells of.

    Raises Malformed (``imports.*``); Missing (``imports.zstd``, ``path.missing``).
    """
    now = world.clock.now()
    found = read(world, params.path)
    if not found.told:
        raise damaged(params.path, "no result in it")
    attached = _attached(world, params, found)
    bodies = [record(each, found.files, now) for each in found.told]
    for at, body in enumerate(bodies):
        world.progress(at + 1, len(bodies))
        yield Said(RUN.name, subject, body, files=attached if at == 0 else ())


def read(world: World, path: str) -> Found:
    """Return what a lent file or folder tells. Raises Malformed (``imports.*``), Missing (``imports.zstd``)."""
    if world.tree.locate(path).is_dir():
        return _folder(world, path)
    with world.tree.open(path) as stream:
        told = _file(stream, path, world)
    with world.tree.open(path) as stream:
        size = stream.seek(0, 2)
    sort: Literal["inspect.eval", "import"] = "import"
    if told and told[0].tool == inspect_log.TOOL:
        sort = "inspect.eval"
    return Found(told, (Detail(sort, name(path), world.tree.digest(path), size),))


def _file(stream: BinaryIO, where: str, world: World) -> tuple[Told, ...]:
    """Return what one file tells, by what its first bytes are."""
    if stream.seek(0, 2) > MAX_FILE:
        raise large(where, MAX_FILE)
    stream.seek(0)
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith(_ZIP):
        return inspect_log.from_archive(stream, where)
    if head.startswith(pyrit.MAGIC):
        return pyrit.from_database(world.tree.locate(where), where)
    if garak.looks(head):
        return garak.from_report(stream, where)
    if inspect_log.looks(head):
        return inspect_log.from_json(stream, where)
    if lm_eval.looks_like_samples(head) or every_eval_ever.looks_like_answers(head):
        raise _beside(where)
    if pyrit.looks(head):
        return pyrit.from_json(stream, where)
    data = whole(stream, where)
    stream.seek(0)
    if every_eval_ever.looks(data):
        return every_eval_ever.from_document(stream, where)
    if lm_eval.looks(data):
        return lm_eval.from_results(stream, where)
    raise _unknown(where)


def _folder(world: World, path: str) -> Found:
    """Return what a folder tells: a run of HELM, or results with the scores of single items beside them."""
    files = list(world.tree.walk(path))
    if len(files) > MAX_FILES:
        raise Malformed(
            "imports.many",
            Text(en="The folder holds more than {most} files.", zh="文件夹中的文件超过 {most} 个。"),
            do=Text(en="Name the folder of one run.", zh="请写明单次运行的文件夹。"),
            where=path,
            most=MAX_FILES,
        )
    inside = {each.removeprefix(f"{path.rstrip('/')}/"): (each, size) for each, size in files}
    if helm.SPEC in inside:
        used = [inside[each] for each in (helm.SPEC, helm.ALL, helm.EACH, helm.STATE) if each in inside]
        told = helm.from_folder(lambda each: world.tree.open(inside[each][0]), frozenset(inside), path)
        return Found(told, tuple(_detail(world, *each) for each in used))
    return _beside_results(world, path, files)


def _beside_results(world: World, path: str, files: list[tuple[str, int]]) -> Found:
    """Return what the results in a folder tell, with the single items that lie beside them."""
    results: list[tuple[str, int]] = []
    used: list[tuple[str, int]] = []
    samples: list[lm_eval.Samples] = []
    answers: list[every_eval_ever.Answers] = []
    for each, size in files:
        with world.tree.open(each) as stream:
            head = stream.read(_HEAD)
            stream.seek(0)
            if size > MAX_FILE:
                raise large(each, MAX_FILE)
            if lm_eval.looks_like_samples(head):
                samples.append(lm_eval.samples(stream, each))
            elif every_eval_ever.looks_like_answers(head):
                answers.append(every_eval_ever.Answers(stream, each))
            elif head.lstrip()[:1] == b"{" and not garak.looks(head):
                results.append((each, size))
                continue
            else:
                continue
        used.append((each, size))
    found: list[Told] = []
    for each, size in results:
        with world.tree.open(each) as stream:
            data = whole(stream, each)
            stream.seek(0)
            if every_eval_ever.looks(data):
                found += every_eval_ever.from_document(stream, each, answers)
            elif lm_eval.looks(data):
                found += lm_eval.from_results(stream, each, samples)
            else:
                continue
        used.append((each, size))
    if not found:
        raise _unknown(path)
    return Found(tuple(found), tuple(_detail(world, *each) for each in sorted(used)))


def _detail(world: World, path: str, size: int) -> Detail:
    total = hashlib.sha256()
    with world.tree.open(path) as stream:
        while piece := stream.read(_HEAD):
            total.update(piece)
    return Detail("import", name(path), f"sha-256:{total.hexdigest()}", size)


def _attached(world: World, params: ImportParams, found: Found) -> tuple[Attachment, ...]:
    """Return the one file to attach, where its owner wants it, it is small, and nothing secret is found in it.

    An archive is packed, so that nothing can be found in it: it is never attached.
    """
    if not params.attach or len(found.files) != 1 or found.files[0].size > MAX_ATTACHED:
        return ()
    with world.tree.open(params.path) as stream:
        data = stream.read(MAX_ATTACHED + 1)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return ()
    if secrets.scan(data.decode()):
        return ()
    return (Attachment(found.files[0].name, "application/json", data),)


def _beside(where: str) -> Malformed:
    return Malformed(
        "imports.alone",
        Text(
            en="These are single items without the results they belong to.", zh="这只是单个条目，缺少其所属的结果文件。"
        ),
        do=Text(
            en="Name the folder that holds both, or the file of results.",
            zh="请写明同时含有两者的文件夹，或写明结果文件。",
        ),
        where=where,
    )


def _unknown(where: str) -> Malformed:
    return Malformed(
        "imports.unknown",
        Text(en="This is no result of a tool that can be read here.", zh="这不是此处可读取的工具结果。"),
        do=Text(
            en="Name a log of Inspect, a garak report, PyRIT's database, results of lm-eval, a HELM run or a document of "
            "Every Eval Ever.",
            zh="请写明 Inspect 日志、garak 报告、PyRIT 数据库、lm-eval 结果、HELM 运行文件夹或 Every Eval Ever 文档。",
        ),
        where=where,
    )


__all__ = ["MAX_ATTACHED", "Found", "observe", "plan", "read"]
