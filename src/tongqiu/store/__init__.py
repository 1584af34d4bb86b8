"""Where a node keeps what it was told: durably, erasably, and shown only to those who may read it.

Everything is opened by :func:`tongqiu.store.house.open_store`.
"""
