"""Practices as strangers write them: a whole one in a wheel, and a small one that is spoiled in every way."""
