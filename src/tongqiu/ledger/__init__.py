"""The log: what was said, in order, so that nobody can take a word back unseen.

Pure arithmetic and proofs over bytes; storage is behind the :class:`tongqiu.ledger.backend.Backend` door, which
``store`` implements on disk and :class:`tongqiu.ledger.memory.MemoryBackend` in memory.
"""
