"""How nodes and other software speak with this node's log: the wire protocols that standards define, each a door."""
