"""The demo shop: a customer's own system, which knows nothing of Steward."""
