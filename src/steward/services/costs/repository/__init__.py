"""All SQL of the costs service."""
