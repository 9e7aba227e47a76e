"""The platform in miniature of the command line's tests, for the client's."""

from tests.cli.conftest import remote

__all__ = ["remote"]
