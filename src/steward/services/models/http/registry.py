"""Routes of what calls go by: connections, aliases, allowed names."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from litestar import delete, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from steward.kit.errors import InvalidInput
from steward.kit.web import Caller, Items
from steward.services.models.api import (
    Alias,
    AliasInput,
    AliasName,
    Connection,
    ConnectionInput,
    ConnectionName,
)
from steward.services.models.http.openai import ModelsPort

TAGS: Final = ("Models: set-up",)

ForAll = Annotated[bool, QueryParameter(description="For all tenants of the installation; needs `platform:tenants`.")]


class AllowedModels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names that calls are held to; `*` ends a prefix, and null allows all."""

    models: Annotated[Sequence[Annotated[str, Meta(min_length=1, max_length=300)]], Meta(max_length=200)] | None


@get("/api/v1/models/connections", tags=TAGS)
async def list_connections(ctx: Caller, models: ModelsPort) -> Items[Connection]:
    """List the connections to providers, the tenant's and the installation's

    No key is ever shown. Needs `model:read`.
    """
    return Items(list(await models.list_connections(ctx)))


@put("/api/v1/models/connections/{name:str}", tags=TAGS)
async def put_connection(
    ctx: Caller,
    models: ModelsPort,
    name: FromPath[str],
    data: JSONBody[ConnectionInput],
    installation: ForAll = False,  # noqa: FBT002 - a query parameter
) -> Connection:
    """Make or change a connection to a provider

    In use with the next call; calls in flight end as begun. Without `key` the one that is there stays. Needs
    `model:configure`.
    """
    return await models.put_connection(ctx, name=_connection(name), connection=data, installation=installation)


@delete("/api/v1/models/connections/{name:str}", tags=TAGS)
async def delete_connection(
    ctx: Caller,
    models: ModelsPort,
    name: FromPath[str],
    installation: ForAll = False,  # noqa: FBT002 - a query parameter
) -> None:
    """Delete a connection with its key

    One that an alias uses is not deleted. Needs `model:configure`.
    """
    await models.delete_connection(ctx, name=_connection(name), installation=installation)


@get("/api/v1/models/aliases", tags=TAGS)
async def list_aliases(ctx: Caller, models: ModelsPort) -> Items[Alias]:
    """List the aliases, the tenant's and the installation's

    Needs `model:read`.
    """
    return Items(list(await models.list_aliases(ctx)))


@put("/api/v1/models/aliases/{name:path}", tags=TAGS)
async def put_alias(
    ctx: Caller,
    models: ModelsPort,
    name: FromPath[str],
    data: JSONBody[AliasInput],
    installation: ForAll = False,  # noqa: FBT002 - a query parameter
) -> Alias:
    """Make or change an alias: what callers ask for, and who may answer it

    Needs `model:configure`.
    """
    return await models.put_alias(ctx, name=_alias(name), alias=data, installation=installation)


@delete("/api/v1/models/aliases/{name:path}", tags=TAGS)
async def delete_alias(
    ctx: Caller,
    models: ModelsPort,
    name: FromPath[str],
    installation: ForAll = False,  # noqa: FBT002 - a query parameter
) -> None:
    """Delete an alias

    One of the installation of the same name holds again. Needs `model:configure`.
    """
    await models.delete_alias(ctx, name=_alias(name), installation=installation)


@put("/api/v1/models/allowed", tags=TAGS)
async def set_allowed(ctx: Caller, models: ModelsPort, data: JSONBody[AllowedModels]) -> AllowedModels:
    """Hold the tenant to some names of models, or to none

    Needs `model:configure`.
    """
    await models.set_allowed(ctx, models=data.models)
    return data


@get("/api/v1/models/allowed", tags=TAGS)
async def get_allowed(ctx: Caller, models: ModelsPort) -> AllowedModels:
    """Get the names of models that the tenant is held to

    Needs `model:read`.
    """
    return AllowedModels(models=await models.get_allowed(ctx))


def _connection(name: str) -> ConnectionName:
    """Raises `InvalidInput`, for the bounds of a path's parameter are not looked at before."""
    try:
        return msgspec.convert(name, ConnectionName)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"name is {name[:60]!r}: a connection has a lower-case letter, then at most 39 of these, digits and `-`",
            field="name",
        ) from error


def _alias(path: str) -> AliasName:
    """The alias that a path ends with, slashes included. Raises `InvalidInput`."""
    name = str(path).removeprefix("/")
    try:
        return msgspec.convert(name, AliasName)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"name is {name[:60]!r}: an alias has 1 to 100 letters, digits and `. _ : / -`", field="name"
        ) from error


ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    list_connections,
    put_connection,
    delete_connection,
    list_aliases,
    put_alias,
    delete_alias,
    set_allowed,
    get_allowed,
)
