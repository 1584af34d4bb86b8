"""What programs may ask of a node, described once (OpenAPI 3.1) from the same values that answer them.

Pages, registries, record types and verbs each become operations and schemas; nothing is written down a second time, so the
description cannot fall behind. Faults are problems (RFC 9457) in both languages; answers carry strong entity tags.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from tongqiu.node.filling import is_several, slots
from tongqiu.portal import (
    directory,
    forms,
    listing,
    members,
    models,
    norms,
    norms_models,
    progress,
    queue,
    search,
    signin,
    wizard,
)
from tongqiu.portal.problem import Problem
from tongqiu.record.faults import TABLE
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

    from tongqiu.portal.frame import Site
    from tongqiu.portal.lent import Node
    from tongqiu.practice import Column, Practice, Verb

JSON = "application/json"
PROBLEM = "application/problem+json"
_PLAIN = "text/plain"
_REF = "#/components/schemas/{name}"
_PLACE = re.compile(r"{(\w+)(?::path)?}")


class Operation(msgspec.Struct, frozen=True):
    """One page that is data, too: where, what it is called, its model, and what it may be asked."""

    path: str
    title: Text
    model: Any
    params: tuple[str, ...] = ()


_ANSWERS: Mapping[str, Any] = {
    "/index": (queue.Queue, models.Home),
    "/systems": models.Home,
    "/subject": models.SubjectPage,
    "/records": models.Records,
    "/records/{hex}/explain": models.ExplainPage,
    "/records/{hex}": models.RecordPage,
    "/findings": models.Findings,
    "/measures": models.Measures,
    "/registries": models.Registries,
    "/registries/{name}": models.Registry,
    "/areas": models.Areas,
    "/areas/{name}": models.Area,
    "/kinds/{name}/{version}": models.KindPage,
    "/jobs": models.Jobs,
    "/about": models.About,
    "/do": forms.Actions,
    "/do/{verb}": forms.FormPage,
    "/proposals": forms.Proposals,
    "/proposals/{hex}": forms.ProposalPage,
    "/drafts": forms.DraftsPage,
    "/jobs/{id}": progress.JobPage,
    "/search": search.Found,
    "/me": members.Me,
    "/people": members.Roll,
    "/sign-in": signin.SignIn,
    "/assess": wizard.Start,
    "/assess/folder": wizard.Form,
    "/norms": norms_models.ShelfPage,
    "/norms/gap": norms_models.GapPage,
    "/norms/grade": norms_models.GradePage,
    "/norms/next": norms_models.NextPage,
    "/norms/crosswalk/{have}/{want}": norms_models.WalkPage,
    "/norms/{pack}": norms_models.PackPage,
    "/norms/{pack}/{row}": norms_models.RowPage,
}
"""What each page answers; a page that is not named here is described without its form."""

_TITLES: Mapping[str, Text] = {
    "/index": Text(en="First page: work queue, or systems", zh="首页：待办或系统"),
    "/systems": Text(en="Systems at a glance", zh="系统概览"),
    "/subject": Text(en="All that is readable about one subject", zh="关于一个对象的全部可读内容"),
    "/records": Text(en="Records, newest first", zh="记录，最新在前"),
    "/records/{hex}": Text(en="One record", zh="一条记录"),
    "/records/{hex}/explain": Text(en="What a record rests on", zh="记录的来龙去脉"),
    "/findings": Text(en="Findings", zh="判定"),
    "/measures": Text(en="Measures", zh="测量"),
    "/registries": Text(en="The registries", zh="名录总表"),
    "/registries/{name}": Text(en="Rows of a registry", zh="名录各行"),
    "/areas": Text(en="The areas", zh="领域总表"),
    "/areas/{name}": Text(en="One area", zh="一个领域"),
    "/kinds/{name}/{version}": Text(en="One record type", zh="一种记录类型"),
    "/jobs": Text(en="Work in the background", zh="后台任务"),
    "/jobs/{id}": Text(en="One job", zh="一项任务"),
    "/about": Text(en="Who runs this node, and its log", zh="节点与日志"),
    "/search": Text(en="Search", zh="搜索"),
    "/do": Text(en="What may be done", zh="可用操作"),
    "/do/{verb}": Text(en="A form", zh="表单"),
    "/proposals": Text(en="What waits for a second person", zh="待第二人同意"),
    "/proposals/{hex}": Text(en="One proposal", zh="一项提议"),
    "/drafts": Text(en="Unfinished forms", zh="草稿"),
    "/me": Text(en="Whoever asks", zh="本人"),
    "/people": Text(en="Who may sign in", zh="可登录人员"),
    "/sign-in": Text(en="Ways in", zh="登录方式"),
    "/assess": Text(en="Folders to assess", zh="可评估的目录"),
    "/assess/folder": Text(en="What is asked of a folder", zh="关于目录的问题"),
    "/norms": Text(en="Law and standards", zh="法律与标准"),
    "/norms/gap": Text(en="What is still owed elsewhere", zh="在别处还欠什么"),
    "/norms/grade": Text(en="Why a system has its grade", zh="系统的分级依据"),
    "/norms/next": Text(en="Next questions over all systems", zh="各系统的下一步问题"),
    "/norms/crosswalk/{have}/{want}": Text(en="A crosswalk", zh="规范包对照"),
    "/norms/{pack}": Text(en="One pack", zh="一个规范包"),
    "/norms/{pack}/{row}": Text(en="One row of a pack", zh="规范包的一行"),
}

_DAYS = ("as_of", "known_at")

_PARAMS: Mapping[str, tuple[str, ...]] = {
    "/index": ("offset", "list"),
    "/systems": ("offset",),
    "/subject": ("id!",),
    "/records": ("kind", "subject", "search", "after"),
    "/findings": ("subject", "requirement", "verdict"),
    "/measures": ("subject", "measure"),
    "/registries/{name}": ("search", "limit", "offset"),
    "/do": ("entry", "subject"),
    "/do/{verb}": ("draft",),
    "/search": ("q", "after"),
    "/sign-in": ("refused",),
    "/assess": ("root", "at"),
    "/assess/folder": ("root!", "at"),
    "/norms": _DAYS,
    "/norms/gap": ("have", "want", "system", "state", "limit", "offset", *_DAYS),
    "/norms/grade": ("system!", "pack", "state", "limit", "offset", *_DAYS),
    "/norms/next": ("system", "limit", "offset", *_DAYS),
    "/norms/crosswalk/{have}/{want}": ("type", "limit", "offset", *_DAYS),
    "/norms/{pack}": ("list", "role", "grade", "state", "unchecked", "limit", "offset", *_DAYS),
    "/norms/{pack}/{row}": ("sort", *_DAYS),
    listing.PATH: ("limit", "after"),
}
_NUMBERS = frozenset({"offset", "limit", "after"})
_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_NAME = {"type": "string", "maxLength": 80, "pattern": "^[a-z0-9]+([.-][a-z0-9]+)*$"}
"""Places in an address that name packs and their rows."""

_COLUMNS: Mapping[str, Any] = {
    "text": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "real": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "instant": {"type": ["string", "null"]},
    "json": {},
}


def routes(site: Site, made: Sequence[Route]) -> list[Route]:
    """Return the route of the description of everything in ``made`` that a program may ask."""
    held: list[bytes] = []

    def endpoint(_request: Request) -> Response:
        if not held:
            paths = [each.path for each in made if "GET" in (each.methods or {"GET"})]
            held.append(json.dumps(describe(site.node, paths, url=site.url), ensure_ascii=False).encode())
        return Response(held[0], media_type=JSON)

    return [Route("/api/openapi.json", endpoint)]


def describe(node: Node, paths: Iterable[str], *, url: str = "") -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a node whose site serves ``paths`` (those that end in ``.json`` are data)."""
    practices = node.practices
    pages = {directory.page_path(practice, page.path): page for practice in practices.all for page in practice.pages}
    data = [each.removesuffix(".json") for each in paths if each.endswith(".json") and not each.startswith("/api/")]
    found = [
        Operation(
            each,
            pages[each].title if each in pages else _titled(each),
            pages[each].model if each in pages else _ANSWERS.get(each),
            _PARAMS.get(each, ()),
        )
        for each in data
    ]
    verbs = [(practice, verb) for practice in practices.all for verb in practice.verbs] if "/do.json" in paths else []
    kinds = {kind.name: kind for practice in practices.all for kind in practice.kinds}
    types = [one for each in found for one in _models(each)]
    types += [listing.Rows, Problem, forms.Answered, forms.Decision, *(kind.body for kind in kinds.values())]
    schemas, parts = msgspec.json.schema_components(types, ref_template=_REF)
    refs = dict(zip(map(_key, types), schemas, strict=True))
    described: dict[str, Any] = {}
    for each in found:
        described[each.path + ".json"] = {"get": _page(each, refs)}
    if "/registries/{name}" in data:
        for name, columns in _registries(node):
            described[f"/registries/{name}.json"] = {"get": _registry(name, columns, refs, node)}
    for practice, verb in verbs:
        described[f"/api/do/{verb.name}"] = {"post": _verb(practice, verb, refs, parts)}
    if verbs:
        described["/api/proposals/{hex}"] = {"post": _decision(refs)}
    described.update(_others(paths))
    if listing.PATH in paths:
        title = Text(en="Rows of a registry, newest first", zh="名录各行，最新在前")
        params = [*_places(listing.PATH), *map(_param, _PARAMS[listing.PATH])]
        described[listing.PATH] = {"get": _get(listing.PATH, title, refs[_key(listing.Rows)], params)}
    parts |= {f"kind.{name.replace('/', '.')}": refs[_key(kind.body)] for name, kind in kinds.items()}
    return _document(node, url, described, parts, refs)


def _document(
    node: Node, url: str, described: dict[str, Any], parts: dict[str, Any], refs: dict[str, Any]
) -> dict[str, Any]:
    """Return the frame around the operations ``described`` and the schemas ``parts``."""
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": f"Tongqiu 同球: {node.name}",
            "version": version("tongqiu"),
            "summary": "Systems, records and registries of one node, and what may be done there.",
            "description": "A signature proves who said something and that it is unchanged; it never proves that it is true. "
            "签名证明由谁所说、内容未变；它从不证明所说为真。",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url or "/"}],
        "tags": [{"name": each.name, "description": f"{each.title.en} {each.title.zh}"} for each in node.practices.all],
        "security": [{}, {"token": []}, {"session": []}],
        "paths": dict(sorted(described.items())),
        "components": {
            "schemas": dict(sorted(parts.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tongqiu"},
            },
            "responses": _responses(refs),
            "parameters": {
                "lang": {"name": "lang", "in": "query", "schema": {"type": "string", "enum": ["zh", "en"]}},
                "once": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "description": "A name for this call: sent again, nothing is done and the first answer comes back.",
                    "schema": {"type": "string", "maxLength": 100, "pattern": "^[!-~]*$"},
                },
            },
        },
    }


# --- operations ------------------------------------------------------------------------------------------------------


def _key(type_: Any) -> str:  # noqa: ANN401 - any type
    return f"{type_.__module__}:{type_.__qualname__}"


def _models(page: Operation) -> tuple[Any, ...]:
    """Return every form that a page's data may have."""
    return page.model if isinstance(page.model, tuple) else () if page.model is None else (page.model,)


def _titled(path: str) -> Text:
    """Return what the data of a page is called; a page nobody named here goes by its address."""
    plain = path.strip("/")
    return _TITLES.get(path, Text(en=plain, zh=f"{plain} 页"))


def _page(page: Operation, refs: Mapping[str, Any]) -> dict[str, Any]:
    answers = [refs[_key(each)] for each in _models(page)]
    schema = {"anyOf": answers} if len(answers) > 1 else answers[0] if answers else {"type": "object"}
    return _get(page.path, page.title, schema, [*_places(page.path), *map(_param, page.params)])


def _get(path: str, title: Text, schema: Any, params: list[Any], *, tag: str = "core") -> dict[str, Any]:  # noqa: ANN401
    refused = {"$ref": "#/components/responses/problem"}
    return {
        "operationId": "get" + re.sub(r"[^A-Za-z0-9]+", "_", path).rstrip("_"),
        "summary": f"{title.en} {title.zh}",
        "tags": [tag],
        "parameters": [*params, {"$ref": "#/components/parameters/lang"}],
        "responses": {
            "200": {
                "description": "As data. 数据。",
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {JSON: {"schema": schema}},
            },
            "304": {"description": "Nothing has changed. 没有变化。"},
            **{str(line.http_status): refused for line in TABLE.values()},
            **_GUARDED,
        },
    }


def _places(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _HEX
            if name == "hex"
            else _NAME
            if name in {"pack", "row", "have", "want"}
            else {"type": "string", "minLength": 1, "pattern": "^[^/.]+$"},
        }
        for name in _PLACE.findall(path)
    ]


def _param(name: str) -> dict[str, Any]:
    plain = name.rstrip("!")
    schema: dict[str, Any] = {"type": "string", "maxLength": 1024 if plain in {"id", "subject", "system"} else 200}
    if plain in _NUMBERS:
        schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    return {"name": plain, "in": "query", "required": name.endswith("!"), "schema": schema}


def _registries(node: Node) -> list[tuple[str, tuple[Column, ...]]]:
    named: dict[str, tuple[Column, ...]] = {name: view.columns for name, view in node.practices.views.items()}
    return sorted((named | {name: query.columns for name, query in node.practices.queries.items()}).items())


def _registry(name: str, columns: tuple[Column, ...], refs: Mapping[str, Any], node: Node) -> dict[str, Any]:
    held = node.practices.queries.get(name) or node.practices.views[name]
    cells = {"anyOf": [_COLUMNS[each] for each in sorted({column.type for column in columns})]}
    row = {"type": "array", "items": cells, "minItems": len(columns), "maxItems": len(columns)}
    named = [{"name": each.name, "type": each.type, "title": f"{each.title.en} {each.title.zh}"} for each in columns]
    rows = {"type": "array", "items": row, "x-columns": named}
    schema = {"allOf": [refs[_key(models.Registry)], {"properties": {"rows": rows}}]}
    params = [_param(each) for each in _PARAMS["/registries/{name}"]]
    taken = {each["name"] for each in params} | {"lang"}
    if name in node.practices.views and name not in node.practices.queries:
        params += [
            {
                "name": each.name,
                "in": "query",
                "description": each.title.en,
                "schema": {"type": "string", "maxLength": 200},
            }
            for each in columns
            if each.type != "json" and each.name not in taken
        ]
    return _get(f"/registries/{name}", held.title, schema, params, tag=_area(node, name))


def _area(node: Node, name: str) -> str:
    return next(
        (
            each.name
            for each in node.practices.all
            if name in {*(view.name for view in each.views), *(query.name for query in each.queries)}
        ),
        "core",
    )


def _verb(practice: Practice, verb: Verb, refs: Mapping[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    (schema,), more = msgspec.json.schema_components([verb.form], ref_template=_REF)
    name = f"form.{verb.name}"
    inside = dict(more.pop(schema["$ref"].rpartition("/")[2])) if "$ref" in schema else dict(schema)
    parts |= more
    inside["title"], inside["description"] = verb.name, f"{verb.about.en} {verb.about.zh}"
    inside["properties"] = {slot.name: _slot(slot, inside["properties"][slot.name]) for slot in slots(verb)}
    parts[name] = inside
    made = {
        "description": "Done: the records that were made. 已完成，所生成的记录。",
        "content": {JSON: {"schema": refs[_key(forms.Answered)]}},
    }
    waits = {"description": "A second person must agree. 须经第二人同意。", "content": made["content"]}
    return {
        "operationId": "do_" + re.sub(r"[^a-z0-9]+", "_", verb.name),
        "summary": f"{verb.title.en} {verb.title.zh}",
        "description": f"{verb.about.en} {verb.about.zh} (role: {verb.role})",
        "tags": [practice.name],
        "parameters": [{"$ref": "#/components/parameters/once"}, {"$ref": "#/components/parameters/lang"}],
        "requestBody": {"required": True, "content": {JSON: {"schema": {"$ref": _REF.format(name=name)}}}},
        "responses": {"201": made, "202": waits, **_faults()},
    }


def _slot(slot: Any, schema: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a field of a form
    """Return what a program sends for one field: as the form takes it, in words where those are easier."""
    words = {
        "title": f"{slot.field.title.en} {slot.field.title.zh}",
        "description": f"{slot.field.help.en} {slot.field.help.zh}",
    }
    if slot.field.kind == "file":
        one = {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 200},
                "media": {"type": "string", "default": "application/octet-stream"},
                "data": {"type": "string", "contentEncoding": "base64"},
            },
            "required": ["name", "data"],
            "additionalProperties": False,
        }
        return {"type": "array", "items": one, **words} if is_several(slot.type) else {**one, **words}
    return {**schema, **words}


def _decision(refs: Mapping[str, Any]) -> dict[str, Any]:
    made = {"description": "Decided. 已决定。", "content": {JSON: {"schema": refs[_key(forms.Answered)]}}}
    return {
        "operationId": "decide",
        "summary": "Agree to a proposal, or do not 同意或不同意提议",
        "tags": ["core"],
        "parameters": [
            *_places("/{hex}"),
            {"$ref": "#/components/parameters/once"},
            {"$ref": "#/components/parameters/lang"},
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": refs[_key(forms.Decision)]}}},
        "responses": {"200": made, "201": made, **_faults()},
    }


def _faults() -> dict[str, Any]:
    refused = {"$ref": "#/components/responses/problem"}
    return {**{str(line.http_status): refused for line in TABLE.values()}, **_GUARDED}


_OTHERS: Mapping[str, tuple[str, Text]] = {
    "/checkpoint": ("text/plain", Text(en="The log's signed checkpoint", zh="日志的签名检查点")),
    "/records/{hex}/envelope": ("application/cose", Text(en="A record as it was signed", zh="记录的签名封装")),
    "/records/{hex}/receipt": ("application/cose", Text(en="The log's receipt for a record", zh="记录的日志回执")),
    "/files/{hex}": ("application/octet-stream", Text(en="A file that belongs to a record", zh="记录所附文件")),
    norms.CATALOG: (JSON, Text(en="A pack as an OSCAL catalog", zh="规范包的 OSCAL 目录")),
    norms.FILE: ("application/toml", Text(en="A pack as its file", zh="规范包文件")),
    norms.MAPPING: (JSON, Text(en="A crosswalk as an OSCAL mapping", zh="对照的 OSCAL mapping")),
}


def _others(paths: Iterable[str]) -> dict[str, Any]:
    """Return the operations that answer bytes; their faults are pages, in words for people."""
    found: dict[str, Any] = {}
    for path in paths:
        if path in _OTHERS:
            media, title = _OTHERS[path]
            told = _get(path, title, {}, _places(path))
            binary = {} if media == _PLAIN else {"schema": {"type": "string", "contentMediaType": media}}
            if media == JSON:
                binary = {"schema": {"type": "object"}}
            told["responses"]["200"] = {"description": title.en, "content": {media: binary}}
            for line in TABLE.values():
                told["responses"][str(line.http_status)] = {"$ref": "#/components/responses/page"}
            found[path] = {"get": told}
    return found


_GUARDED: Mapping[str, Any] = {
    str(status): {"$ref": "#/components/responses/plain"} for status in (401, 405, 408, 413, 414, 421, 429)
}


def _responses(refs: Mapping[str, Any]) -> dict[str, Any]:
    words = {"schema": {"type": "string"}}
    return {
        "problem": {
            "description": "A problem, in both languages. 问题说明（双语）。",
            "content": {PROBLEM: {"schema": refs[_key(Problem)]}, _PLAIN: words},
        },
        "page": {"description": "A page for people. 供人阅读的页面。", "content": {"text/html": words, _PLAIN: words}},
        "plain": {
            "description": "Refused at the door, in words. 在入口处被拒绝。",
            "content": {_PLAIN: words, PROBLEM: {"schema": refs[_key(Problem)]}},
        },
    }
