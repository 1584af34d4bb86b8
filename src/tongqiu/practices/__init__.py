"""The areas of governance, one folder each; the node finds them, and none of them knows another."""
