"""The desk: customers write, and are answered from knowledge, from the tenant's shop, or by a person.

Purpose: conversations, what a message means, playbooks that answer it, tools of the shop, hand-off. Invariants: a
message is durable before anything is done with it, and an accepted one is always answered in the end; a reply comes
from knowledge, a tool's result or a playbook's text and is never made up; a customer sees only their own orders and
sessions. Pitfalls: a message may be worked on again after a crash, so every call of a tool carries a key made from the
message; workers keep sessions in memory, so a session is written only on the version it was read at.
"""
