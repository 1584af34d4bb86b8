"""The seal: who signed which bytes, with which key, and whom we trust for it.

Signatures prove who said something, never that it is true. Nothing here knows what a statement means: it works on bytes.
"""
