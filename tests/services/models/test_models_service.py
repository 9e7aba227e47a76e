"""The service through its contract, in this process and over gRPC: the registry, calls, streams, counting."""

from collections.abc import AsyncIterator

import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.testing.provider import FakeProvider, Reply
from steward.services.costs.api import CostsApi, PriceInput, TokenPrices
from steward.services.identity.api import Role
from steward.services.models.api import (
    AliasInput,
    CallOptions,
    Candidate,
    ConnectionInput,
    Message,
    ModelRequest,
    ModelsApi,
    Speaks,
    StreamEvent,
    Text,
)
from steward.services.models.api import (
    Role as Speaker,
)
from steward.services.models.errors import ConnectionRefused, ModelNotAllowed, ModelNotFound
from tests.support.platform import PLATFORM_SCOPE, Installation

ASKED = ModelRequest(model="support", messages=[Message(role=Speaker.USER, parts=[Text(text="Where is it?")])])


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


async def test_operator_connects_a_provider_and_tenants_call_it(
    installation: Installation, provider: FakeProvider
) -> None:
    models, tenant = installation.api(ModelsApi), await installation.tenant()
    operator = installation.ctx(tenant.id, PLATFORM_SCOPE, "model:read")
    name = f"fake-{installation.mode}"
    before = await models.list_connections(tenant.owner)
    connection = ConnectionInput(speaks=Speaks.OPENAI, base_url=f"{provider.url}/v1", key="sk-fake")
    shown = await models.put_connection(operator, name=name, connection=connection, installation=True)
    assert (shown.own, shown.has_key) == (False, True)
    prices = PriceInput(prices=TokenPrices(input=1_000_000, output=2_000_000))
    await installation.api(CostsApi).put_price(tenant.owner, provider=name, model="m", price=prices)
    alias = AliasInput(candidates=[Candidate(connection=name, model="m", max_output_tokens=100)])
    await models.put_alias(tenant.owner, name="support", alias=alias)

    provider.tell(Reply(text="On its way."), Reply(text="Piece by piece."))
    reply = await models.complete(tenant.owner, request=ASKED)
    assert reply.choices[0].parts == [Text(text="On its way.")]
    assert reply.provider == name
    events: list[StreamEvent] = [
        event async for event in models.stream(tenant.owner, request=ASKED, options=CallOptions(tags={"a": "b"}))
    ]
    assert events[0].__struct_config__.tag == "started"
    assert (await models.count_tokens(tenant.owner, request=ASKED)).tokens > 0
    assert {each.name for each in await models.list_models(tenant.owner)} >= {"support", f"{name}/m"}

    await models.set_allowed(tenant.owner, models=["other"])
    assert await models.get_allowed(tenant.owner) == ["other"]
    with pytest.raises(ModelNotAllowed):
        await models.complete(tenant.owner, request=ASKED)
    await models.set_allowed(tenant.owner, models=None)
    assert await models.get_allowed(tenant.owner) is None
    await models.delete_alias(tenant.owner, name="support")
    with pytest.raises(ModelNotFound):
        await models.complete(tenant.owner, request=ASKED)
    await models.delete_connection(operator, name=name, installation=True)
    assert await models.list_connections(tenant.owner) == before


async def test_roles_call_read_and_configure_as_their_permissions_say(installation: Installation) -> None:
    models, tenant = installation.api(ModelsApi), await installation.tenant()
    connection = ConnectionInput(speaks=Speaks.OPENAI, key="sk-of-the-tenant")
    for role, permission in ((Role.VIEWER, "model:call"), (Role.AUDITOR, "model:call")):
        with pytest.raises(PermissionDenied, match=permission):
            await models.complete(await installation.user(tenant, role), request=ASKED)
    # What other tests of this worker have set up for the whole installation every tenant sees alike.
    everybodys = await models.list_models((await installation.tenant()).owner)
    for role in (Role.AGENT_OPERATOR, Role.SUPPORT_AGENT, Role.DEVELOPER):
        caller = await installation.user(tenant, role)
        assert await models.list_models(caller) == everybodys
        with pytest.raises(PermissionDenied, match="model:configure"):
            await models.put_connection(caller, name="openai", connection=connection)
    admin = await installation.user(tenant, Role.ADMIN)
    assert (await models.put_connection(admin, name="openai", connection=connection)).has_key
    with pytest.raises(PermissionDenied, match="platform:tenants"):
        await models.put_connection(admin, name="openai", connection=connection, installation=True)


async def test_refusal_of_a_connection_crosses_with_its_field_and_without_the_key(installation: Installation) -> None:
    models, tenant = installation.api(ModelsApi), await installation.tenant()
    wrong = ConnectionInput(speaks=Speaks.OPENAI, key="sk-secret", library="x")
    with pytest.raises(ConnectionRefused) as caught:
        await models.put_connection(tenant.owner, name="openai", connection=wrong)
    assert caught.value.data == {"field": "library"}
    assert "sk-secret" not in caught.value.message
