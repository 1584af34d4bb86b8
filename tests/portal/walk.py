"""A node with something hidden behind every address, people of every role, and a walk that knocks at each door as each.

What each person may see is written down here once more, from the rules alone; every hidden thing holds a word of its own.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.routing import Route

from tests.portal.people import browser, csrf, signed_in
from tongqiu.node import verbs
from tongqiu.portal.site import app
from tongqiu.record.audience import EVERYONE, only_for
from tongqiu.record.core import COMPOSITION, NOTICE, PROVIDER, Composition, Provider
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject
from tongqiu.seal import keyfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from tongqiu.node import Node
    from tongqiu.node.people import Signed
    from tongqiu.store.people import Person

GUEST = keyfile.from_seed(b"g" * 32).public.did
"""Another organisation."""

PUBLIC, OURS, THEIRS, PRESS = "Wpublic0001", "Wours0002", "Wtheirs0003", "Wpress0004"
DRAFT, JOB, PLAN, TOKEN = "Wdraft0005", "Wjob0006", "Wplan0007", "Wtoken0008"
NAMES = {
    "owner": "Wowner0010",
    "issuer": "Wissuer0011",
    "reviewer": "Wreviewer0012",
    "reader": "Wreader0013",
    "guest": "Wguest0014",
    "guest-reader": "Wguest0015",
}
WORD = re.compile(r"W[a-z]+[0-9]{4}")
PRESS_GROUP = "urn:example:group:press"


class Visitor(NamedTuple):
    """Somebody at the door: their browser, what their forms send back, who they are, what words they may read."""

    name: str
    client: TestClient
    csrf: str
    signed: Signed | None
    sees: frozenset[str]


class World(NamedTuple):
    """A node, its pages, everybody who comes, and the names of what is hidden."""

    node: Node
    site: Starlette
    visitors: dict[str, Visitor]
    ours: str
    theirs: str
    notice: str
    file: str
    job: str
    proposal: str
    draft: str
    people: dict[str, Person]


SYSTEM = {word: Subject("system", f"urn:example:{word}", None, word) for word in (PUBLIC, OURS, THEIRS, PRESS)}


def world(node: Node) -> World:
    """Fill ``node`` and let everybody in who has a way in."""
    people = {"owner": node.people.change(node.people.owner().id, name=NAMES["owner"])}
    people |= {
        role: node.people.add(NAMES[role], role, groups={PRESS_GROUP} if role == "reader" else ())
        for role in ("issuer", "reviewer", "reader")
    }
    people["guest"] = node.people.add(NAMES["guest"], "contributor", party=GUEST)
    people["guest-reader"] = node.people.add(NAMES["guest-reader"], "reader", party=GUEST)

    def say(word: str, audience: Any, **more: Any) -> Said:
        return Said(COMPOSITION.name, SYSTEM[word], Composition(parts=(), purpose=f"to {word}"), (), audience, **more)

    file = (Attachment(f"{OURS}.txt", "text/plain", f"the file of {OURS}".encode()),)
    _, ours, theirs, _ = node.publish(
        [
            say(PUBLIC, EVERYONE),
            say(OURS, None, files=file),
            say(THEIRS, only_for([node.me, GUEST])),
            say(PRESS, only_for([node.me, PRESS_GROUP])),
        ]
    )
    until = "2027-11-23T00:00:00.000Z"
    (assign,) = node.publish(
        [Said(PROVIDER.name, SYSTEM[THEIRS], Provider(party=GUEST), (), only_for([node.me, GUEST]))]
    )
    assert assign.subject == SYSTEM[THEIRS]
    issuer = node.people.at_terminal()._replace(
        principal=node.people.principal(people["issuer"]), person=people["issuer"]
    )
    noticed = verbs.act(node, issuer, "core.publish", {"entry": theirs.entry, "told": [GUEST], "until": until})
    notice = next(each for each in noticed.statements if each.kind == NOTICE.name)
    theirs = node.statement(notice.body["entry"])
    site = app(node)
    visitors = {"stranger": Visitor("stranger", browser(site), "", None, frozenset({PUBLIC}))}
    own = frozenset({PUBLIC, OURS, THEIRS, PRESS, JOB, PLAN, *NAMES.values()})
    sees = {
        "owner": own | {TOKEN},
        "issuer": own | {DRAFT},
        "reviewer": own,
        "reader": frozenset({PUBLIC, PRESS, NAMES["reader"]}),
        # Who is told of a record by another organisation may learn which of its people did so; nothing else of them.
        "guest": frozenset({PUBLIC, THEIRS, NAMES["guest"]}),
        "guest-reader": frozenset({PUBLIC, THEIRS, NAMES["guest-reader"]}),
    }
    for name, person in people.items():
        client = signed_in(site, node.people, person)
        secret = csrf(node.people, client)
        signed = node.people.at_terminal()._replace(principal=node.people.principal(person), person=person)
        visitors[name] = Visitor(name, client, secret, signed, sees[name])
    owner = visitors["owner"].signed
    assert owner is not None
    draft = node.store.drafts.keep(people["issuer"].id, "core.withdraw", {"why": f"because {DRAFT}"}, now=node.now)
    job = node.store.jobs.create("assess", {"folder": f"/srv/{JOB}", "out": "", "ran_by": "first"}, people["owner"].id)
    node.store.jobs.cancel(job)  # what goes on has pages that grow, and a walk does not stop to watch
    node.people.make_token(people["owner"].id, TOKEN)
    proposal = verbs.act(node, owner, "core.erase", {"entry": ours.entry, "ground": f"for {PLAN}"}).proposal
    assert proposal is not None
    digest = ours.content.files[0].digest
    return World(
        node, site, visitors, ours.entry, theirs.entry, notice.entry, digest, job, proposal.entry, draft, people
    )


def hexed(entry: str) -> str:
    """Return an entry as addresses name it."""
    return entry.removeprefix("sha-256:")


def addresses(made: World, route: Route) -> Iterator[str]:
    """Yield addresses of ``route``, each place filled with what is hidden there. Raises KeyError for a place unknown."""
    from urllib.parse import quote

    places = {
        "hex": [hexed(made.ours), hexed(made.theirs), hexed(made.proposal), hexed(made.file), "0" * 64],
        "verb": [verb.name for _, verb in made.node.practices.verbs],
        "id": [made.job, made.draft, made.people["issuer"].id, "none"],
        "name": [*made.node.practices.views, *(each.name for each in made.node.practices.all), "none"],
        "version": ["1"],
        "secret": ["nobody-gave-this-out"],
        "party": [quote(GUEST, safe="")],
        "pack": ["eu-ai-act", "none"],
        "row": ["art9.1", "none"],
        "have": ["nist-ai-rmf"],
        "want": ["eu-ai-act", "none"],
    }
    if "/kinds/" in route.path:
        places["name"] = [COMPOSITION.name.partition("/")[0], "none"]
    found = [route.path]
    for place in re.findall(r"\{([^}]+)\}", route.path):
        found = [each.replace("{" + place + "}", value) for each in found for value in places[place.partition(":")[0]]]
    for each in found:
        yield each
        if "GET" in (route.methods or ()) and route.path == "/do/{verb}.json":
            yield f"{each}?draft={made.draft}&entry={quote(made.ours)}"
        if "GET" in (route.methods or ()) and "{" not in route.path:
            yield f"{each}?id={quote(SYSTEM[OURS].id)}&subject={quote(SYSTEM[OURS].id)}"
            if each.startswith("/norms/"):
                yield f"{each}?system={quote(SYSTEM[OURS].id)}&have=nist-ai-rmf&want=kr-ai-basic-act&pack=kr-ai-basic-act"
            yield f"{each}?search={OURS}&q={OURS}&entry={quote(made.ours)}&draft={made.draft}&folder=%2Fsrv%2F{JOB}"


def routes(made: World, method: str) -> list[Route]:
    """Return every route that answers ``method``."""
    return [each for each in made.site.routes if isinstance(each, Route) and method in (each.methods or ())]


def state(home: Path) -> str:
    """Return a digest over all that a node keeps: every table of every database, and every other file's bytes."""
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        if path.suffix in {".db", ".sqlite"} and path.is_file():
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
                for name, sql in tables.fetchall():
                    # What is searched is derived from the rest, and cannot be listed.
                    if not sql.upper().startswith("CREATE VIRTUAL"):
                        rows = database.execute(f"SELECT * FROM {name}")  # noqa: S608 - the name of a table of ours
                        digest.update(f"{name}\n{sorted(map(repr, rows))}".encode())
        elif path.is_file() and not path.name.endswith(("-wal", "-shm", "-journal")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
