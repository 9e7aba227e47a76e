"""Knowledge: a tenant's FAQs and documents, and the search over both.

Purpose: store, version and find what the desk and agents answer from; learn what is asked and what finds nothing.
Invariants: what was stored is searchable when the call returns; a hit is of the searching tenant; both Chinese scripts
find each other. Pitfalls: the segmentation is part of the stored form, so a change of it needs a re-index
(`index_version`).
"""
