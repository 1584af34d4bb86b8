"""The guards of the desk, each taken away to see whether a test fails: ``python -m benchmarks.desk_guards``.

The way it is done, and what is printed, is that of :mod:`benchmarks.mutations`.
"""

from __future__ import annotations

import sys

from benchmarks.mutations import Guard, judge

WALK, ORACLE = "tests/portal/test_walk.py", "tests/portal/test_oracle.py"
SESSION, PEOPLE = "tests/portal/test_session.py", "tests/node/test_people.py"
GUARDS = (
    Guard(
        "a form brings back its session's token",
        "portal/guard.py",
        "if signed.session and not hmac.compare_digest(given.encode(), signed.csrf.encode()):",
        "if False:",
        (WALK,),
    ),
    Guard(
        "a form comes from a page of this site",
        "portal/guard.py",
        "        if not same_origin(headers, self._url):\n",
        "        if False:\n",
        (WALK,),
    ),
    Guard(
        "only named hosts are served",
        "portal/guard.py",
        "if self._hosts is not None and _name(",
        "if self._hosts is None and _name(",
        ("tests/portal/test_hostile.py",),
    ),
    Guard(
        "a session ends",
        "node/people.py",
        "if person.state != ACTIVE or now >= session.until or now >= self._after(IDLE, session.seen):",
        "if person.state != ACTIVE:",
        (SESSION, PEOPLE),
    ),
    Guard(
        "a token ends",
        "node/people.py",
        "if found is None or now >= found.until:",
        "if found is None:",
        (SESSION, PEOPLE),
    ),
    Guard(
        "a verb asks for its role",
        "node/verbs.py",
        "    if not signed.may(verb.role, verb.name):\n",
        "    if False:\n",
        (WALK,),
    ),
    Guard(
        "a token does no more than its scopes name",
        "node/people.py",
        "return allowed and may(self.principal, role)",
        "return may(self.principal, role)",
        (PEOPLE, SESSION),
    ),
    Guard(
        "a guest speaks of its own systems alone",
        "node/verbs.py",
        "if not verb.anywhere and not all(owned(node, principal.party, each) for each in subjects):",
        "if False:",
        ("tests/node/test_verbs.py",),
    ),
    Guard(
        "nobody agrees to their own proposal",
        "node/proposals.py",
        "        and principal.person != body.by\n",
        "",
        (WALK,),
    ),
    Guard(
        "who agrees is an owner or a reviewer",
        "node/proposals.py",
        "        and bool(principal.roles & verbs.APPROVERS)\n",
        "",
        (WALK,),
    ),
    Guard(
        "an unfinished form is its writer's alone",
        "store/forms.py",
        "wanted = sa.select(schema.draft).where(_D.person == person, _D.id == id)",
        "wanted = sa.select(schema.draft).where(_D.id == id)",
        ("tests/store/test_forms.py",),
    ),
    Guard(
        "a record is read by whom it names",
        "record/audience.py",
        "return audience.readers is None or not principal.names.isdisjoint(audience.readers)",
        "return True",
        (ORACLE,),
    ),
    Guard(
        "an embargo holds",
        "record/audience.py",
        "if audience.embargo is not None and now < audience.embargo:",
        "if False:",
        (ORACLE,),
    ),
    Guard(
        "a reader of our own party does not stand in its place",
        "node/people.py",
        "            None if own_reader else person.party,",
        "            person.party,",
        (WALK,),
    ),
    Guard(
        "what is missing and what is hidden look alike",
        "portal/frame.py",
        "        if isinstance(fault, Missing) and fault.code not in _PUBLIC:\n            fault = directory.absent()\n",
        "",
        ("tests/client/test_client.py",),
    ),
)


def main() -> int:
    """Take every guard away in turn; returns 1 if one stays alive."""
    alive = judge(GUARDS)
    print(f"{len(GUARDS)} guards removed, {len(GUARDS) - len(alive)} noticed, alive: {', '.join(alive) or 'none'}")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
