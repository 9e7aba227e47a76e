"""Customers: who writes, and how that is known."""
