"""Work that is taken up again, by whom it was begun, and how far each person has looked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what jobs need to be shared out and taken up again, and the place where each person last looked."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("job", sa.Column("person", sa.Text(), nullable=False, server_default=""))
    op.add_column("job", sa.Column("tries", number, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("step", number, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("began", sa.Text(), nullable=False, server_default=""))
    op.add_column("job", sa.Column("away", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("job_state", "job", ["state", "created"], unique=False)
    op.create_table(
        "look",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("idx", number, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    # In the order in which clocks are read, so that very many of one instant need no sorting.
    op.drop_index("due_at", table_name="due")
    op.create_index("due_at", "due", ["done", "at", "duty", "entry"], unique=False)
