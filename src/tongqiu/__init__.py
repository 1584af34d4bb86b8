"""Tongqiu 同球: a node that any party runs, to assess AI systems and keep every result as a record anyone can verify."""
