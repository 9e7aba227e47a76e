"""The version of this installation."""

from importlib.metadata import version as installed_version


def version() -> str:
    """As released, for example `0.1.0`."""
    return installed_version("steward")
