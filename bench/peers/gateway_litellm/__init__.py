"""LiteLLM's proxy as a peer of `bench/gateway.py`."""
