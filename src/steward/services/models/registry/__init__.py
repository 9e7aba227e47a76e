"""Connections, aliases and allow-lists: kept by use cases, and read from memory by the `Directory`."""
