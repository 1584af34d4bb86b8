"""What programs are told about a node holds: the document is sound and whole, and answers are of the form it says."""

from __future__ import annotations

import collections
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.node.conftest import HandClock
from tests.node.shop import PRACTICE
from tests.portal.people import browser
from tongqiu.node.node import open_node
from tongqiu.portal.openapi import describe
from tongqiu.portal.site import app
from tongqiu.record import core
from tongqiu.record.audience import EVERYONE
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from tongqiu.node import Node

SYSTEM = Subject("system", "urn:tongqiu:test:one", None, "One")
EXAMPLES = 6


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    place: Path = tmp_path_factory.mktemp("api")
    with open_node(place / "home", create=True, name="Laboratory", clock=HandClock(), extra=[PRACTICE]) as opened:
        files = (Attachment("a.txt", "text/plain", b"a"),)
        opened.publish(
            [
                Said(core.COMPOSITION.name, SYSTEM, core.Composition(parts=()), audience=EVERYONE),
                Said("shop.thing/1", SYSTEM, {"words": "private"}, files=files),
            ]
        )
        for number in range(7):
            fact = core.Fact(f"fact.n{number}", float(number))
            opened.publish([Said(core.FACT.name, SYSTEM, fact, audience=EVERYONE, thread=f"urn:tongqiu:fact:{number}")])
        yield opened


@pytest.fixture(scope="module")
def site(node: Node) -> Starlette:
    return app(node)


@pytest.fixture(scope="module")
def program(node: Node, site: Starlette) -> TestClient:
    """Return a program that holds a token of the owner."""
    made = browser(site)
    made.headers.update({"authorization": f"Bearer {secret_of(node)}"})
    return made


def secret_of(node: Node) -> str:
    secret, _ = node.people.make_token(node.people.owner().id, "robot", scopes=["read", "*"])
    return secret


@pytest.fixture(scope="module")
def document(program: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = program.get("/api/openapi.json").json()
    return found


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, told) for path, each in document["paths"].items() for method, told in each.items()]


def test_the_document_is_sound_openapi_3_1(document: dict[str, Any]) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    names = [told["operationId"] for _, _, told in operations(document)]
    assert len(names) == len(set(names))
    for _, _, told in operations(document):
        assert re.search(r"[一-鿿]", told["summary"]), told["summary"]


def test_every_page_has_its_data_described(site: Starlette, document: dict[str, Any]) -> None:
    served = {route.path for route in site.routes if getattr(route, "path", "").endswith(".json")}  # type: ignore[attr-defined]
    served -= {"/api/openapi.json"}
    assert served <= set(document["paths"])
    for path in served:
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema != {"type": "object"}, f"{path} says nothing of its form"


def test_every_kind_registry_and_verb_is_described(node: Node, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {f"kind.{name.replace('/', '.')}" for name in node.practices.kinds} <= set(schemas)
    assert {f"/registries/{name}.json" for name in (*node.practices.views, *node.practices.queries)} <= set(
        document["paths"]
    )
    for _, verb in node.practices.verbs:
        told = document["paths"][f"/api/do/{verb.name}"]["post"]
        form = schemas[told["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        assert list(form["properties"]) == list(verb.fields)
        assert form["additionalProperties"] is False


def test_a_node_without_people_is_described_without_forms() -> None:
    from tests.portal.paper import PaperNode

    told = describe(PaperNode(), ["/records.json", "/about.json"], url="https://node.example")
    assert sorted(told["paths"]) == ["/about.json", "/records.json"]
    assert told["servers"] == [{"url": "https://node.example"}]


ASKED = {
    "/subject.json": {"id": SYSTEM.id},
    "/norms/grade.json": {"system": SYSTEM.id, "pack": "eu-ai-act"},
    "/norms/gap.json": {"have": "nist-ai-rmf", "want": "eu-ai-act", "system": SYSTEM.id},
}


def test_answers_are_of_the_form_that_is_described(program: TestClient, document: dict[str, Any], node: Node) -> None:
    entry = node.desk(node.owner).said("shop.thing/1")[0]
    places = {"hex": entry.entry[8:], "name": "systems", "version": "1", "verb": "shop.say", "id": "0" * 32}
    places |= {"pack": "nist-ai-rmf", "row": "govern-1.1", "have": "eu-ai-act", "want": "nist-ai-rmf"}
    asked = 0
    for path, method, told in operations(document):
        if method != "get":
            continue
        where = re.sub(r"{(\w+)}", lambda found: places[found[1]], path).replace(
            "/files/" + places["hex"], f"/files/{entry.content.files[0].digest[8:]}"
        )
        where = where.replace("/kinds/systems/", "/kinds/shop.thing/").replace("/areas/systems", "/areas/shop")
        answer = program.get(where, params=ASKED.get(path, {}))
        status = str(answer.status_code)
        assert status in told["responses"], f"{where}: {status}"
        said = told["responses"][status]
        if "$ref" in said:
            said = document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        media = answer.headers["content-type"].partition(";")[0]
        assert media in said["content"], f"{where}: {media}"
        if media in {"application/json", "application/problem+json"}:
            jsonschema.Draft202012Validator(resolved(document, said["content"][media]["schema"])).validate(
                answer.json()
            )
            asked += status == "200"
    assert asked >= 30


def test_what_the_document_says_of_a_form_is_taken(program: TestClient, document: dict[str, Any]) -> None:
    schema = resolved(document, document["components"]["schemas"]["form.shop.say"])
    sent = {"subject": SYSTEM.id, "words": "as described", "count": 3, "tags": ["a"], "colours": ["red"]}
    sent |= {
        "sort": "fancy",
        "until": "2026-12-31T18:00:00.000Z",
        "whole": True,
        "pages": [{"name": "a", "data": "YQ=="}],
    }
    jsonschema.Draft202012Validator(schema).validate(sent)
    answer = program.post("/api/do/shop.say", json=sent)
    assert answer.status_code == 201
    told = document["components"]["schemas"]["Answered"]
    jsonschema.Draft202012Validator(resolved(document, told)).validate(answer.json())


# --- tags of content --------------------------------------------------------------------------------------------------


def test_data_has_a_strong_tag_that_changes_with_the_content_alone(program: TestClient, node: Node) -> None:
    first, second = (program.get("/registries/systems.json") for _ in range(2))
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}(-gzip)?"', tag)
    assert tag == second.headers["etag"]
    for named in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        held = program.get("/registries/systems.json", headers={"if-none-match": named})
        assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in held.headers
    assert program.get("/registries/systems.json", headers={"if-none-match": '"x"'}).status_code == 200
    assert program.get("/registries/systems.csv").headers["etag"] != tag
    node.publish(
        [
            Said(
                core.COMPOSITION.name,
                Subject("system", "urn:tongqiu:test:two"),
                core.Composition(parts=()),
                audience=EVERYONE,
            )
        ]
    )
    assert program.get("/registries/systems.json").headers["etag"] != tag


def test_what_is_pressed_together_has_a_tag_of_its_own(program: TestClient) -> None:
    path = "/api/openapi.json"
    plain = program.get(path, headers={"accept-encoding": "identity"})
    packed = program.get(path, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    assert plain.content == packed.content
    assert (
        program.get(path, headers={"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]}).status_code
        == 304
    )
    assert (
        program.get(path, headers={"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]}).status_code
        == 200
    )


def test_head_tells_what_get_would(program: TestClient) -> None:
    for path in ("/records.json", "/api/openapi.json", "/registries/systems.csv"):
        head, got = program.head(path), program.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == got.headers["etag"]


def test_pages_and_problems_have_no_tag(program: TestClient) -> None:
    assert "etag" not in program.get("/about").headers
    assert "etag" not in program.get("/records/" + "0" * 64 + ".json").headers
    assert "etag" not in program.post("/api/do/shop.say", json={}).headers


# --- cursors ----------------------------------------------------------------------------------------------------------


def test_a_cursor_goes_on_where_it_stood_whatever_is_logged_meanwhile(program: TestClient, node: Node) -> None:
    whole = program.get("/api/registries/measures").json()
    assert [each["name"] for each in whole["columns"]] == [
        each.name for each in node.practices.views["measures"].columns
    ]
    first = program.get("/api/registries/measures?limit=3").json()
    assert first["next"] is not None
    node.publish(
        [Said(core.FACT.name, SYSTEM, core.Fact("fact.late", 1.0), audience=EVERYONE, thread="urn:tongqiu:fact:late")]
    )
    second = program.get("/api/registries/measures", params={"limit": 500, "after": first["next"]}).json()
    assert first["entries"] + second["entries"] == whole["entries"]
    assert second["next"] is None
    assert program.get("/api/registries/none").status_code == 404
    assert program.get("/api/registries/measures?after=x").json()["code"] == "portal.number"


def test_a_stranger_gets_no_row_it_may_not_read(site: Starlette, program: TestClient) -> None:
    stranger = browser(site)
    own = {
        tuple(row)
        for row in program.get("/api/registries/found?limit=500").json()["rows"]
        if "private" in json.dumps(row)
    }
    assert own
    assert "private" not in stranger.get("/api/registries/found?limit=500").text


# --- any call at all --------------------------------------------------------------------------------------------------


@pytest.mark.system
def test_no_call_at_all_breaks_the_node(node: Node, site: Starlette) -> None:
    """Call every operation with what the document allows and with what it does not, as the owner: nothing may be a 5xx."""
    import schemathesis
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    names = ["not_a_server_error", "status_code_conformance", "content_type_conformance"]
    checks = CHECKS.get_by_names([*names, "response_schema_conformance", "response_headers_conformance"])
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", site)
    headers = {"authorization": f"Bearer {secret_of(node)}"}
    entry = node.desk(node.owner).said("shop.thing/1")[0].entry
    known = {
        "subject": SYSTEM.id,
        "entry": entry,
        "hex": entry[8:],
        "name": "systems",
        "pack": "eu-ai-act",
        "row": "art9.1",
    }
    known |= {"have": "eu-ai-act", "want": "nist-ai-rmf", "system": SYSTEM.id}
    counted: collections.Counter[int] = collections.Counter()
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
                derandomize=True,
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def call(case: Any) -> None:
                for again in (False, True):
                    if again:
                        # With what exists here, so that calls come through to where things are done.
                        for held in (case.body, case.path_parameters):
                            if isinstance(held, dict):
                                held.update({name: value for name, value in known.items() if name in held})
                    answer = case.call(headers=headers)
                    counted[answer.status_code] += 1
                    case.validate_response(answer, checks=checks)

            call()
    assert not any(status >= 500 for status in counted)
    assert sum(counted.values()) > 1000
    assert counted[201] + counted[202] > 0
