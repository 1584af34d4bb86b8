"""The tests: they mirror ``src``; a package here, because a library we use installs one of the same name."""
