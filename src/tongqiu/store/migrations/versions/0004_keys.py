"""Contents and files are enciphered, each under a key of its own in the file of keys; what lay here in clear is scrubbed."""

import time

import sqlalchemy as sa
from alembic import context, op

from tongqiu.store.keys import KEYS, Keys, enciphered, open_keys, piece_of

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Encipher all of it in this one transaction; the keys are durable before it is committed."""
    keys = open_keys(context.config.attributes["keys"], create=True)
    try:
        op.create_table(
            "spent",
            sa.Column("slot", _NUMBER, autoincrement=False, nullable=False),
            sa.PrimaryKeyConstraint("slot"),
        )
        op.create_table(
            "content_sealed",
            sa.Column("idx", _NUMBER, autoincrement=False, nullable=False),
            sa.Column("slot", _NUMBER, nullable=False),
            sa.Column("sealed", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("idx"),
        )
        op.create_table(
            "blob_sealed",
            sa.Column("digest", sa.LargeBinary(), nullable=False),
            sa.Column("size", _NUMBER, nullable=False),
            sa.Column("staged_at", sa.Float(), nullable=False),
            sa.Column("slot", _NUMBER, nullable=False),
            sa.PrimaryKeyConstraint("digest"),
        )
        connection = op.get_bind()
        found = _seal_contents(connection, keys) + _seal_files(connection, keys)
        for name in ("content", "blob"):
            op.drop_table(name)
            op.rename_table(f"{name}_sealed", name)
        notes = {KEYS: keys.name}
        if found:
            notes["unscrubbed"] = str(time.time_ns())
        for name, value in notes.items():
            connection.execute(sa.text("DELETE FROM state WHERE name = :name"), {"name": name})
            connection.execute(sa.text("INSERT INTO state VALUES (:name, :value)"), {"name": name, "value": value})
    finally:
        keys.close()


def _seal_contents(connection: sa.Connection, keys: Keys) -> int:
    after = -1
    wanted = sa.text(
        "SELECT c.idx, e.entry, c.salt, c.content FROM content c JOIN entry e ON e.idx = c.idx"
        " WHERE c.idx > :after ORDER BY c.idx LIMIT 500"
    )
    count = 0
    while rows := connection.execute(wanted, {"after": after}).all():
        sealed = keys.seal((bytes(entry), bytes(salt) + bytes(content)) for _, entry, salt, content in rows)
        connection.execute(
            sa.text("INSERT INTO content_sealed VALUES (:idx, :slot, :sealed)"),
            [{"idx": row[0], "slot": slot, "sealed": data} for row, (slot, data) in zip(rows, sealed, strict=True)],
        )
        count, after = count + len(rows), rows[-1][0]
    return count


def _seal_files(connection: sa.Connection, keys: Keys) -> int:
    files = connection.execute(sa.text("SELECT digest, size, staged_at FROM blob")).all()
    for digest, size, staged_at in files:
        ((slot, key),) = keys.take(1)
        connection.execute(
            sa.text("INSERT INTO blob_sealed VALUES (:digest, :size, :at, :slot)"),
            {"digest": digest, "size": size, "at": staged_at, "slot": slot},
        )
        pieces = sa.text("SELECT number FROM chunk WHERE digest = :digest")
        for number in connection.execute(pieces, {"digest": digest}).scalars().all():
            chosen = {"digest": digest, "number": number}
            data = connection.execute(
                sa.text("SELECT bytes FROM chunk WHERE digest = :digest AND number = :number"), chosen
            ).scalar_one()
            connection.execute(
                sa.text("UPDATE chunk SET bytes = :data WHERE digest = :digest AND number = :number"),
                {**chosen, "data": enciphered(key, piece_of(bytes(digest), number), bytes(data))},
            )
    return len(files)
