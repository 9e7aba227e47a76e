"""Conversations: from a customer's message to its durable answer."""
