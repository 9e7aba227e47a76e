"""Tenants: who the platform's customers are, on which plan, within which quotas.

Purpose: the life of a tenant (create, change, suspend, resume, delete), its quotas and their use, and what the edge
must know of it. Invariants: a quota is never exceeded, however many ask at once; a hold is counted once per holder;
only listed changes of state happen; a deleted tenant's keys are gone, so nothing sealed for it can be read. Pitfalls:
creating and deleting take several services, so they are intents (`provisioning.py`): every step must bear to be done
twice; the rows of a tenant are reached under that tenant, so a platform operator's context is moved there first.
"""
