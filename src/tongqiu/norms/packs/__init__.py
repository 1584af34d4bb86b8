"""The packs that travel with the software, one TOML file each (``docs/spec/norm-pack.md``)."""
