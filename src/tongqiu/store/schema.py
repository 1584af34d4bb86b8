"""The shape of what is kept: which tables there are, the same in SQLite and PostgreSQL.

Two sorts of table: those that hold the log and what cannot be derived (made and changed by migrations), and the rows of
registries (made and dropped by :mod:`tongqiu.store.registry`; listed in ``view`` so that erasing reaches every one).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
)

METADATA = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit integer; in SQLite the name that makes a primary key the row's own number."""

HASH = 32
"""Length of an entry hash, a root or a salt, in bytes."""

head = Table(
    "head",
    METADATA,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("size", Number, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("logged_at", Text, nullable=False),
    Column("epoch", Number, nullable=False),
    CheckConstraint("id = 1", name="head_once"),
)
"""One row: where the log ends. Writers lock it first."""

entry = Table(
    "entry",
    METADATA,
    Column("idx", Number, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False, unique=True),
    Column("statement", LargeBinary, nullable=False),
    Column("logged_at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("refs", LargeBinary, nullable=False),
    Column("files", LargeBinary, nullable=False),
    Column("erased", Boolean, nullable=False),
    Index("entry_kind", "kind", "idx"),
    Index("entry_subject", "subject", "idx"),
    Index("entry_issuer", "issuer", "idx"),
    Index("entry_audience", "audience", "idx"),
    Index("entry_thread", "thread", "idx"),
)
"""One row an entry: the envelope as it was signed and the pseudonymous columns. Only ``erased`` ever changes."""

content = Table(
    "content",
    METADATA,
    Column("idx", Number, primary_key=True, autoincrement=False),
    Column("slot", Number, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""Salt and content, enciphered under the key in ``slot`` (:mod:`tongqiu.store.keys`), bound to the entry hash."""

ref = Table(
    "ref",
    METADATA,
    Column("ref", LargeBinary, primary_key=True),
    Column("idx", Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Which entries name which: the index of ``entry.refs``."""

file = Table(
    "file",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("idx", Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Which entries carry which file: the index of ``entry.files``."""

gone = Table(
    "gone",
    METADATA,
    Column("entry", LargeBinary, primary_key=True),
    Column("by", Number, primary_key=True, autoincrement=False),
    Column("issuer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Index("gone_by", "by"),
    sqlite_with_rowid=False,
)
"""Which entries were withdrawn or superseded, by which entry of which issuer; written with that entry."""

tile = Table(
    "tile",
    METADATA,
    Column("level", Number, primary_key=True, autoincrement=False),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

done = Table(
    "done",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("entries", LargeBinary, nullable=False),
)

blob = Table(
    "blob",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("size", Number, nullable=False),
    Column("staged_at", Float, nullable=False),
    Column("slot", Number, nullable=False),
)
"""A staged file; ``staged_at`` in seconds since 1970; its pieces are enciphered under the key in ``slot``."""

chunk = Table(
    "chunk",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("bytes", LargeBinary, nullable=False),
)
"""The bytes of a staged file, in pieces of :data:`CHUNK` bytes, each enciphered and bound to digest and number."""

CHUNK = 256 * 1024
"""Length of every piece of a file but the last, in bytes, before it is enciphered."""

spent = Table(
    "spent",
    METADATA,
    Column("slot", Number, primary_key=True, autoincrement=False),
)
"""The slots whose keys are to be destroyed, written with the erasure and never removed: every start makes sure of it."""

SLOTS = "content.keys slots"
"""The note in ``state`` of how many slots of the key file are used."""

audience = Table(
    "audience",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("issuer", Text, nullable=False),
    Column("audience", LargeBinary, nullable=False),
)
"""Who may read what: ``id`` is the SHA-256 (hex) of the deterministic CBOR of ``[audience, issuer]``."""

job = Table(
    "job",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("args", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", Float, nullable=False),
    Column("total", Float),
    Column("note", Text, nullable=False),
    Column("result", Text),
    Column("fault", Text),
    Column("cancel", Boolean, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Number, nullable=False),
    Column("born", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("beat", Text, nullable=False),
    Column("person", Text, nullable=False, server_default=""),
    Column("tries", Number, nullable=False, server_default="0"),
    Column("step", Number, nullable=False, server_default="0"),
    Column("began", Text, nullable=False, server_default=""),
    Column("away", Boolean, nullable=False, server_default=false()),
    Index("job_owner", "owner", "created"),
    Index("job_state", "state", "created"),
)

look = Table(
    "look",
    METADATA,
    Column("person", Text, primary_key=True),
    Column("idx", Number, nullable=False),
)
"""Up to which entry of the log each person has looked at what arrived; forgotten with the person."""

due = Table(
    "due",
    METADATA,
    Column("duty", Text, primary_key=True),
    Column("entry", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("done", Boolean, nullable=False),
    Index("due_at", "done", "at", "duty", "entry"),
)

person = Table(
    "person",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("groups", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", Text, nullable=False),
)
"""Who may sign in. None of what follows is a record: a person, and every way in, can be forgotten."""

session = Table(
    "session",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("until", Text, nullable=False),
    Index("session_person", "person"),
)
"""Who is signed in: SHA-256 of a cookie's secret; ``id`` names the session to its person and opens nothing."""

token = Table(
    "token",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("groups", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("used", Text, nullable=False),
    Index("token_person", "person"),
)
"""Secrets that programs send: of a person, or (``person`` empty) of another party at a door."""

passkey = Table(
    "passkey",
    METADATA,
    Column("credential", LargeBinary, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("uses", Number, nullable=False),
    Column("created", Text, nullable=False),
    Column("used", Text, nullable=False),
    Index("passkey_person", "person"),
)
"""Public keys of WebAuthn credentials (``key`` is a COSE key) and how often each has signed (``uses``)."""

binding = Table(
    "binding",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("sub", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Index("binding_person", "person"),
)
"""Which account at an OpenID provider is which person."""

once = Table(
    "once",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("until", Text, nullable=False),
    Index("once_person", "person"),
    Index("once_until", "until"),
)
"""What works one time: links, challenges, states, and the numbers of signed requests; gone once used."""

draft = Table(
    "draft",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("kept", Text, nullable=False),
    Index("draft_person", "person", "kept"),
)
"""Forms that somebody has not finished: what was typed so far, as JSON, for that one person."""

view = Table(
    "view",
    METADATA,
    Column("tbl", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Number, nullable=False),
    Column("shape", Text, nullable=False),
    Column("position", Number, nullable=False),
    Column("token", Text, nullable=False),
    Column("live", Boolean, nullable=False),
)
"""Every table of registry rows: how far it is folded (``position``: last entry taken), and whether it is being built."""

problem = Table(
    "problem",
    METADATA,
    Column("tbl", Text, primary_key=True),
    Column("idx", Number, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("what_en", Text, nullable=False),
    Column("what_zh", Text, nullable=False),
)
"""Entries that a registry could not take in, and why."""

state = Table(
    "state",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Notes of the store to itself: ``unscrubbed`` while erased bytes may still lie in free pages; ``writer``, the one home
that appends here, and where the store lay when it began to; ``content.keys``, the name of the key file, and how many of its slots are used."""
