"""Connections: sealed keys, who may see and change them, and how a change comes into use."""

import msgspec
import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.context import Ctx
from steward.kit.http.errors import AddressRefused
from steward.kit.ids import PLATFORM
from steward.services.models.api import AliasInput, CallOptions, Candidate, ConnectionInput, Speaks
from steward.services.models.errors import ConnectionInUse, ConnectionNotFound, ConnectionRefused, ModelNotFound
from steward.services.models.ports import Endpoint, Key
from tests.services.models.registry.conftest import Registries, Shelf, other_tenant, with_scopes
from tests.support.database import as_owner, database_of
from tests.support.postgres import PostgresForTests

SECRET = "sk-of-a-tenant-0123456789"
OPENAI = ConnectionInput(speaks=Speaks.OPENAI, key=SECRET)
OPTIONS = CallOptions()


async def endpoint(shelf: Shelf, ctx: Ctx, model: str) -> Endpoint:
    return (await shelf.directory.resolve(ctx, model, OPTIONS)).targets[0].endpoint


async def put(shelf: Shelf, ctx: Ctx, name: str = "openai", given: ConnectionInput = OPENAI, **rest: bool) -> None:
    await shelf.connections.put(ctx, name=name, connection=given, installation=rest.get("installation", False))


async def test_key_is_used_and_never_shown_or_stored_readable(
    shelf: Shelf, admin: Ctx, postgres: PostgresForTests, own_dsn: str
) -> None:
    shown = await shelf.connections.put(admin, name="openai", connection=OPENAI, installation=False)
    assert shown.has_key
    found = await endpoint(shelf, admin, "openai/gpt-4.1-mini")
    assert found.key == Key(SECRET)
    assert found.owner == admin.tenant
    everything = (shown, await shelf.connections.list_all(admin), repr(found), str(found.key))
    assert SECRET not in f"{everything}"
    owner = postgres.dsn(database_of(own_dsn))
    rows = await as_owner(owner, "SELECT row_to_json(c)::text AS row FROM models.connection c")
    trail = await as_owner(
        owner, "SELECT body AS row FROM models.audit_outbox UNION ALL SELECT body FROM models.outbox"
    )
    assert rows
    assert trail
    told = " ".join(row["row"] for row in (*rows, *trail))
    assert SECRET not in told
    assert SECRET.encode().hex() not in told


async def test_replaced_key_is_in_use_with_the_next_call(shelf: Shelf, admin: Ctx) -> None:
    await put(shelf, admin)
    before = await endpoint(shelf, admin, "openai/m")
    await put(shelf, admin, given=msgspec.structs.replace(OPENAI, key="sk-another"))
    after = await endpoint(shelf, admin, "openai/m")
    assert before.key == Key(SECRET)
    assert after.key == Key("sk-another")
    assert before.revision != after.revision


async def test_absent_key_keeps_the_one_that_is_there_for_the_same_place_only(shelf: Shelf, admin: Ctx) -> None:
    await put(shelf, admin)
    await put(shelf, admin, given=ConnectionInput(speaks=Speaks.OPENAI, base_url="https://api.openai.com/v1beta"))
    assert (await endpoint(shelf, admin, "openai/m")).key == Key(SECRET)
    with pytest.raises(ConnectionRefused, match="give it again"):
        await put(shelf, admin, given=ConnectionInput(speaks=Speaks.OPENAI, base_url="https://elsewhere.example/v1"))
    assert (await endpoint(shelf, admin, "openai/m")).base_url == "https://api.openai.com/v1beta"


async def test_own_connection_hides_the_installations_and_uncovers_it_when_deleted(
    registries: Registries, admin: Ctx
) -> None:
    shelf = registries.shelf(openai_api_key="sk-of-the-installation")
    assert (await endpoint(shelf, admin, "openai/m")).owner is None
    await put(shelf, admin)
    assert (await endpoint(shelf, admin, "openai/m")).key == Key(SECRET)
    assert (await endpoint(shelf, other_tenant(admin), "openai/m")).key == Key("sk-of-the-installation")
    await shelf.connections.delete(admin, name="openai", installation=False)
    assert (await endpoint(shelf, admin, "openai/m")).key == Key("sk-of-the-installation")


async def test_installations_connection_is_for_all_tenants_and_they_do_not_see_into_it(
    shelf: Shelf, admin: Ctx, operator: Ctx
) -> None:
    given = ConnectionInput(
        speaks=Speaks.OPENAI, base_url="http://10.0.0.7:8000/v1", key="sk-inside", headers={"X-Team": "core"}
    )
    await put(shelf, operator, "inside", given, installation=True)
    found = await endpoint(shelf, admin, "inside/m")
    assert (found.owner, found.key, found.base_url) == (None, Key("sk-inside"), "http://10.0.0.7:8000/v1")
    (shown,) = [each for each in await shelf.connections.list_all(admin) if each.name == "inside"]
    assert (shown.own, shown.base_url, shown.headers, shown.has_key) == (False, "", {}, True)
    await shelf.connections.delete(operator, name="inside", installation=True)
    with pytest.raises(ModelNotFound):
        await endpoint(shelf, admin, "inside/m")


async def test_only_holders_of_the_permissions_may(shelf: Shelf, admin: Ctx) -> None:
    reader = with_scopes(admin, frozenset({"model:read"}))
    with pytest.raises(PermissionDenied, match="model:configure"):
        await put(shelf, reader)
    with pytest.raises(PermissionDenied, match="platform:tenants"):
        await put(shelf, admin, installation=True)
    with pytest.raises(PermissionDenied, match="platform:tenants"):
        await put(shelf, admin.for_tenant(PLATFORM))
    with pytest.raises(PermissionDenied, match="model:read"):
        await shelf.connections.list_all(with_scopes(admin, frozenset()))
    assert await shelf.connections.list_all(reader) == []


async def test_connection_in_use_is_not_deleted(shelf: Shelf, admin: Ctx) -> None:
    await put(shelf, admin)
    alias = AliasInput(candidates=[Candidate(connection="openai", model="m")])
    await shelf.aliases.put(admin, name="support", alias=alias, installation=False)
    with pytest.raises(ConnectionInUse, match="support"):
        await shelf.connections.delete(admin, name="openai", installation=False)
    with pytest.raises(ConnectionNotFound):
        await shelf.connections.delete(admin, name="other", installation=False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"base_url": "https://user:pw@api.example/v1"}, "base_url"),
        ({"headers": {"Authorization": "Bearer x"}}, "headers"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
        ({"headers": {"a b": "c"}}, "headers"),
        ({"query": {"api-version": "\n"}}, "query"),
        ({"key_header": "not a name"}, "key_header"),
        ({"library": "google-gla"}, "library"),
        ({"speaks": Speaks.PYDANTIC_AI}, "library"),
        ({"speaks": Speaks.PYDANTIC_AI, "library": "groq", "batches": True}, "batches"),
    ],
)
async def test_what_cannot_be_is_refused_and_named(
    shelf: Shelf, admin: Ctx, change: dict[str, object], field: str
) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        await put(shelf, admin, given=msgspec.structs.replace(OPENAI, **change))
    assert caught.value.data == {"field": field}
    assert SECRET not in caught.value.message


async def test_tenants_lead_to_public_addresses_and_hosts_that_the_installation_allows(
    shelf: Shelf, admin: Ctx
) -> None:
    for url in ("http://api.example/v1", "https://10.0.0.1/v1", "https://127.0.0.1/v1", "https://api.example:81/v1"):
        with pytest.raises(AddressRefused):
            await put(shelf, admin, given=msgspec.structs.replace(OPENAI, base_url=url))
    await put(shelf, admin, given=msgspec.structs.replace(OPENAI, base_url="http://models.internal:8080/v1/"))
    assert (await endpoint(shelf, admin, "openai/m")).base_url == "http://models.internal:8080/v1"
