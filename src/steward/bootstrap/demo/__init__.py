"""The demo beside the embedded platform: the shop of `examples/shop` as a child process, and the demo tenant's desk.

Purpose: what `make up` shows needs a shop to ask and a desk that is set up. Pitfalls: the shop is somebody else's
system, so nothing here may hold up or end the platform when it does not start; outside a check-out there is none.
"""
