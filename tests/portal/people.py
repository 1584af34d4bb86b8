"""People on a paper node: a browser that is signed in, as whoever a test needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.testclient import TestClient

from tongqiu.portal.session import name_of

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from tongqiu.node.people import People
    from tongqiu.store.people import Person

ORIGIN = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}
"""What a browser says of a form of our own page."""


def browser(site: Starlette) -> TestClient:
    """Return a stranger's browser, which sends where its forms come from."""
    return TestClient(site, headers=ORIGIN)


def signed_in(site: Starlette, people: People, person: Person) -> TestClient:
    """Return the browser of a person who has a session."""
    made = browser(site)
    made.cookies.set(name_of(secure=False), people.begin(person.id, how="test"))
    return made


def csrf(people: People, client: TestClient) -> str:
    """Return what the forms of a browser's session send back."""
    return people.signed(client.cookies[name_of(secure=False)]).csrf
