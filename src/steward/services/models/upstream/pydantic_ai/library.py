"""The library pydantic-ai and its HTTP client, imported when they are needed."""

from steward.services.models.errors import CannotExpress
from steward.services.models.failures import FailureKind, ProviderFailure

DIALECT = "pydantic-ai"


class Library:
    """The modules of the library. Making it imports them, which takes a second: make it in a thread."""

    def __init__(self) -> None:
        try:
            import httpx2
            from pydantic_ai import exceptions, messages, models, output, providers, settings, tools, usage
        except ImportError as error:
            raise missing(error) from error
        self.exceptions = exceptions
        self.http = httpx2
        self.messages = messages
        self.models = models
        self.output = output
        self.providers = providers
        self.settings = settings
        self.tools = tools
        self.usage = usage


def missing(error: ImportError) -> ProviderFailure:
    """What to install."""
    message = (
        f"a connection that speaks `pydantic-ai` needs the extra `providers` (pip install 'steward[providers]') and "
        f"the provider's own package: {error.name or error} cannot be imported"
    )
    return ProviderFailure(FailureKind.REFUSED, message, code="extra_missing", unbilled=True)


def inexpressible(param: str) -> CannotExpress:
    """For what the library's messages have no words for."""
    return CannotExpress(param, DIALECT)
