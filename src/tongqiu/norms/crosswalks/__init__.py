"""Crosswalks that travel with the software, one TOML file for each pair of packs, and the reader of such files."""
