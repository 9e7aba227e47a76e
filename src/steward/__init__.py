"""Steward: an enterprise platform for AI agents."""
