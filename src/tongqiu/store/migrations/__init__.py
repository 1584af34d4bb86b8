"""How a kept log moves to the shape that newer software expects, one numbered step at a time.

Run by :mod:`tongqiu.store.database` at opening, inside the write transaction; views are not migrated, they rebuild.
"""

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every step in order; a database at any other step was written by newer software."""
