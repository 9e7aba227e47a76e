"""Providers through the model classes of the library pydantic-ai, where the extra `providers` is installed.

The library is imported with the first call that needs it, for it takes a second and some 100 MB.
"""
