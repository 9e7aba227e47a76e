"""The Python client of a Steward platform: typed, asynchronous, for programs and for the command line.

    async with StewardClient("http://127.0.0.1:8080", ApiKeyAuth(key)) as steward:
        page = await steward.users.list(limit=20)
        async for entry in walk(steward.audit.entries):
            ...
        async for event in steward.desk.chat_stream("Where is my order?", user_id="ann"):
            ...

It speaks HTTP only, and shares its data types with the services' contracts (`steward.services.*.api`), of which it
imports nothing else. Failures are `ApiError` (the platform refused; `code` is stable), `Unreachable` (no answer) and
`NotLoggedIn` (nothing to authenticate with).
"""

from steward.client.auth import ApiKeyAuth, Auth, NoAuth, SavedTokens, SessionAuth, TokenStore
from steward.client.client import StewardClient
from steward.client.errors import ApiError, ClientError, NotLoggedIn, Unreachable
from steward.client.health import Dependency, Health
from steward.client.transport import walk

__all__ = [
    "ApiError",
    "ApiKeyAuth",
    "Auth",
    "ClientError",
    "Dependency",
    "Health",
    "NoAuth",
    "NotLoggedIn",
    "SavedTokens",
    "SessionAuth",
    "StewardClient",
    "TokenStore",
    "Unreachable",
    "walk",
]
