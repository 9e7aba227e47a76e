"""Budgets and teams as people set them."""

from steward.services.costs.budgets.budgets import Budgets

__all__ = ["Budgets"]
