"""The node: where the parts of the house meet. It finds practices and never names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tongqiu.node.node import Node, open_node

__all__ = ["Node", "open_node"]


def __getattr__(name: str) -> object:
    """Load the node only when it is used, so that naming this room costs nothing."""
    if name in __all__:
        from tongqiu.node import node

        return getattr(node, name)
    raise AttributeError(name)
