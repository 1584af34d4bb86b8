"""Results of other tools, taken in as what they are: somebody else's record, incomplete until it tells what a verdict needs."""
