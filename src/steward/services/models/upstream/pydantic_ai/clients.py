"""Makes the library's model for an endpoint."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.pydantic_ai.library import Library, missing
from steward.services.models.upstream.pydantic_ai.transport import make_client
from steward.services.models.upstream.sessions import Sessions

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

_MOST = 256
_URL_NAMES = ("base_url", "azure_endpoint")
_CHAT: Mapping[str, str] = {"openai": "openai-chat"}
"""Names that the library takes for another of the provider's interfaces than the common one."""


class Clients:
    """Providers of the library by connection, kept as long as the connection is unchanged."""

    def __init__(self, library: Library, sessions: Sessions) -> None:
        self._library = library
        self._sessions = sessions
        self._providers: dict[UUID, Provider[Any]] = {}

    def knows(self, endpoint: Endpoint) -> bool:
        """Whether `model` has nothing to import."""
        return endpoint.revision in self._providers

    def model(self, endpoint: Endpoint, name: str) -> "Model":
        """The model. Raises `ProviderFailure` for a connection that the library cannot use."""
        kind = _CHAT.get(endpoint.library, endpoint.library)
        try:
            return self._library.models.infer_model(f"{kind}:{name}", lambda _: self._provider(endpoint, kind))
        except ImportError as error:
            raise missing(error) from error
        except (ValueError, TypeError, self._library.exceptions.UserError) as error:
            raise _unusable(endpoint, str(error)) from error

    def _provider(self, endpoint: Endpoint, kind: str) -> "Provider[Any]":
        known = self._providers.get(endpoint.revision)
        if known is None:
            if len(self._providers) >= _MOST:
                self._providers.clear()
            known = self._providers[endpoint.revision] = self._make(endpoint, kind)
        return known

    def _make(self, endpoint: Endpoint, kind: str) -> "Provider[Any]":
        """The provider with nothing of this process's environment: key, address and client are the connection's."""
        made = self._library.providers.infer_provider_class(kind)
        takes = inspect.signature(made).parameters
        if "http_client" not in takes or "api_key" not in takes:
            raise _unusable(endpoint, f"{kind!r} is not reached by a key and an HTTP client of ours")
        if endpoint.key is None:
            raise _unusable(endpoint, "it needs a key")
        given: dict[str, object] = {
            "api_key": endpoint.key.reveal(),
            "http_client": make_client(self._library, self._sessions, endpoint),
        }
        if endpoint.base_url:
            name = next((name for name in _URL_NAMES if name in takes), None)
            if name is None:
                raise _unusable(endpoint, f"{kind!r} takes no base_url: leave it out")
            given[name] = endpoint.base_url
        if "api_version" in takes and "api-version" in endpoint.query:
            given["api_version"] = endpoint.query["api-version"]
        return made(**given)


def _unusable(endpoint: Endpoint, problem: str) -> ProviderFailure:
    message = f"connection {endpoint.name!r} cannot be used through pydantic-ai: {problem}"
    return ProviderFailure(FailureKind.UNAUTHORIZED, message, code="connection_unusable", unbilled=True)
