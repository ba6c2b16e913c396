"""All text of the interface: a folder a language, in it a YAML file an area."""
