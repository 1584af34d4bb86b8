"""The common ground: what a record is, whom it is about, who may read it, and what can go wrong."""
