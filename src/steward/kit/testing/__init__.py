"""One fake per port of the kit, for tests and for the simulator."""
