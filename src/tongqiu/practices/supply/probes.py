"""Looking at what a system is made of: licences, model files, and every part for the bill of materials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tongqiu.practice import Run
from tongqiu.practices.supply.kinds import Declared, Licences, Piece, Pieces, Place, WeightFile, Weights
from tongqiu.record import digest
from tongqiu.record.faults import Malformed
from tongqiu.record.statement import Attachment, Said
from tongqiu.scan import tree as scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tongqiu.practice import Target, World
    from tongqiu.practices.supply.bom import Item, Part
    from tongqiu.practices.supply.manifests import Dependency
    from tongqiu.record.subject import Subject
    from tongqiu.scan.tree import Tree

MANIFEST = "tongqiu.toml"
MOST_WEIGHTS = 2_000
MOST_NEEDS = 50_000
"""Packages named in one part, over all its lock files; files beyond that are listed as unread."""

_SAYS = ("version", "description", "licence", "task", "architecture", "provider")


# --- licences ---------------------------------------------------------------------------------------------------------


def plan_licences(target: Target) -> Iterator[Run]:
    """Look for licences in every model, data set and software that has files here."""
    if target.path is not None and target.subject.type in {"model", "dataset", "software"}:
        yield Run(target.subject, Place(target.path, _text(target.declared.get("licence"))), (target.path,))


def observe_licences(subject: Subject, params: Place, world: World) -> Iterator[Said]:
    """Yield the licences found in the files of one part, and the one its owner names."""
    yield Said("supply.licences/1", subject, look_for_licences(_tree(world, params.path), params.licence, world))


def look_for_licences(tree: Tree, licence: str, world: World | None = None) -> Licences:
    """Return the licences in ``tree``, with the ``licence`` that the owner names in the manifest first."""
    from tongqiu.practices.supply import expressions, survey

    body = survey.survey(tree, None if world is None else world.progress)
    if not licence:
        return body
    read = expressions.plain(licence)
    said = Declared(
        path=MANIFEST,
        field="licence",
        says=licence[:200],
        expression=read.text if read else "",
        ids=read.ids if read else (),
    )
    return msgspec.structs.replace(body, declared=(said, *body.declared))


# --- model files ------------------------------------------------------------------------------------------------------


def plan_weights(target: Target) -> Iterator[Run]:
    """Look at the files of every model and data set that lies here."""
    if target.path is not None and target.subject.type in {"model", "dataset"}:
        yield Run(target.subject, Place(target.path), (target.path,))


def observe_weights(subject: Subject, params: Place, world: World) -> Iterator[Said]:
    """Yield what the model files of one part are; nothing for a data set that holds none."""
    body = look_at_weights(_tree(world, params.path), world)
    if body.files or subject.type == "model":
        yield Said("supply.weights/1", subject, body)


def look_at_weights(tree: Tree, world: World | None = None) -> Weights:
    """Return every file of ``tree`` whose content is a known model format or whose name is that of weights."""
    from tongqiu.practices.supply import weights

    names = frozenset(file.path for file in tree.files)
    found: list[WeightFile] = []
    more = done = 0
    for file in tree.files:
        with scan.open_regular(file.real, inside=tree.root) as stream:
            seen = weights.look(file.path, stream, file.size, names)
            done += file.size
            if world is not None:
                world.progress(done, tree.size)
            if not weights.counts(file.path, seen):
                continue
            if len(found) >= MOST_WEIGHTS:
                more += 1
                continue
            stream.seek(0)
            value, size = digest.of_stream(stream)
        found.append(
            WeightFile(
                path=file.path[-500:],
                digest=str(value),
                size=size,
                format=seen.format,
                state=seen.state,
                code=seen.code,
                reason=seen.reason,
                facts=dict(sorted(seen.facts.items())),
            )
        )
    return Weights(looked_at=len(tree.files), files=tuple(found), left_out=len(tree.oddities), more=more)


# --- bill of materials ------------------------------------------------------------------------------------------------


def plan_bom(target: Target) -> Iterator[Run]:
    """Write one bill of materials for the system, over all its parts."""
    if target.subject.type != "system":
        return
    pieces = tuple(
        Piece(part.subject, part.path or "", _says(part.declared), _names(part.declared.get("trained_on")))
        for part in target.parts
    )
    reads = tuple(piece.path for piece in pieces if piece.path)
    yield Run(target.subject, Pieces(_says(target.declared), pieces), tuple(dict.fromkeys(reads)))


def observe_bom(subject: Subject, params: Pieces, world: World) -> Iterator[Said]:
    """Yield the bill of materials, as a file and in numbers."""
    from tongqiu.practices.supply import bom

    parts: list[Part] = []
    unread: list[str] = []
    for index, piece in enumerate(params.parts):
        world.progress(index, len(params.parts))
        parts.append(_part(piece, _tree(world, piece.path) if piece.path else None, unread))
    made = bom.compose(bom.Part(subject, params.says), parts, at=world.clock.now(), unread=tuple(unread))
    yield Said("supply.bom/1", subject, made.body, files=(Attachment(bom.NAME, bom.MEDIA, made.data),))


def _part(piece: Piece, tree: Tree | None, unread: list[str]) -> Part:
    from tongqiu.practices.supply import bom

    if tree is None:
        return bom.Part(piece.subject, piece.says, trained_on=piece.trained_on)
    return bom.Part(
        subject=piece.subject,
        says=piece.says,
        items=_items(tree),
        licences=look_for_licences(tree, ""),
        weights=look_at_weights(tree).files if piece.subject.type == "model" else (),
        needs=_needs(tree, unread) if piece.subject.type == "software" else (),
        trained_on=piece.trained_on,
    )


def _items(tree: Tree) -> tuple[Item, ...]:
    """Return name, SHA-256 and length of every file, or none of a part with more files than are listed."""
    from tongqiu.practices.supply import bom

    if len(tree.files) > bom.MAX_FILES:
        return ()
    found = []
    for file in tree.files:
        with scan.open_regular(file.real, inside=tree.root) as stream:
            value, size = digest.of_stream(stream)
        found.append(bom.Item(file.path, value.hex, size))
    return tuple(found)


def _needs(tree: Tree, unread: list[str]) -> tuple[Dependency, ...]:
    from tongqiu.practices.supply import manifests, survey

    found: list[Dependency] = []
    for file in tree.files:
        if manifests.locks(file.path) and not survey.third_party(file.path):
            with scan.open_regular(file.real, inside=tree.root) as stream:
                data = stream.read(manifests.MAX_BYTES + 1)
            try:
                named = manifests.dependencies(file.path, data)
            except Malformed:
                unread.append(file.path)
                continue
            if len(found) + len(named) > MOST_NEEDS:
                unread.append(file.path)
            else:
                found += named
    return manifests.merge(found)


# --- shared -----------------------------------------------------------------------------------------------------------


def _tree(world: World, path: str) -> Tree:
    """Return the walk of a lent folder, or of a lent file as a folder of one."""
    return tree_of(world.tree.locate(path))


def tree_of(real: Path) -> Tree:
    """Return the walk of the folder ``real``, or of the file ``real`` as a folder of one."""
    if real.is_dir():
        return scan.walk(real)
    return scan.Tree(real.parent, (scan.File(real.name, real, real.stat().st_size),), ())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _names(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()


def _says(declared: dict[str, Any]) -> dict[str, str]:
    """Return the owner's words that the bill of materials has a place for."""
    says = {key: declared[key] for key in _SAYS if isinstance(declared.get(key), str) and declared[key]}
    purpose = _text(declared.get("purpose"))
    return {"description": purpose, **says} if purpose else says
