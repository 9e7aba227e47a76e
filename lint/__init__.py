"""Steward's own lint rules: what the design forbids and no general linter knows. Run with `python -m lint`.

Every rule is one file in `lint/rules` with one test in `lint/tests`. There is no way to silence a rule: where code and
rule disagree, one of the two is wrong and is changed.
"""
