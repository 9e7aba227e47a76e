"""What names stand for: aliases, routed ones, `connection/model`, allowed names, and what the environment makes."""

import asyncio

import msgspec
import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.context import Ctx
from steward.kit.errors import InvalidInput
from steward.services.models.api import (
    AliasInput,
    CallOptions,
    Candidate,
    Complexity,
    ConnectionInput,
    Size,
    Speaks,
    TaskType,
)
from steward.services.models.errors import (
    AliasNotFound,
    ConnectionNotFound,
    ModelNotAllowed,
    ModelNotFound,
    ProvidersUnavailable,
)
from tests.services.models.registry.conftest import Registries, Shelf, with_scopes

OPTIONS = CallOptions()
ONE = AliasInput(candidates=[Candidate(connection="here", model="m")])


async def connected(shelf: Shelf, ctx: Ctx, *names: str) -> None:
    for name in names or ("here",):
        given = ConnectionInput(speaks=Speaks.OPENAI, key="k")
        await shelf.connections.put(ctx, name=name, connection=given, installation=False)


async def models(shelf: Shelf, ctx: Ctx, name: str, options: CallOptions = OPTIONS) -> list[str]:
    resolved = await shelf.directory.resolve(ctx, name, options)
    return [f"{each.endpoint.name}/{each.candidate.model}" for each in resolved.targets]


async def test_alias_gives_its_candidates_in_their_order_without_those_of_weight_zero(shelf: Shelf, admin: Ctx) -> None:
    await connected(shelf, admin, "a", "b", "c")
    candidates = [
        Candidate(connection="b", model="m", order=1),
        Candidate(connection="a", model="m/with/slashes", weight=3),
        Candidate(connection="c", model="m", weight=0),
    ]
    await shelf.aliases.put(admin, name="team/x", alias=AliasInput(candidates=candidates), installation=False)
    assert await models(shelf, admin, "team/x") == ["b/m", "a/m/with/slashes"]


@pytest.mark.parametrize(
    ("task", "complexity", "size"),
    [
        (TaskType.FAQ, None, Size.SMALL),
        (TaskType.ORDER, Complexity.HIGH, Size.MEDIUM),
        (TaskType.REFUND, Complexity.NORMAL, Size.MEDIUM),
        (TaskType.TECHNICAL, Complexity.LOW, Size.SMALL),
        (TaskType.HUMAN, Complexity.HIGH, Size.LARGE),
        (None, None, Size.MEDIUM),
    ],
)
async def test_environment_makes_aliases_of_each_size_and_a_routed_one(
    registries: Registries, admin: Ctx, task: TaskType | None, complexity: Complexity | None, size: Size
) -> None:
    shelf = registries.shelf(openai_api_key="k", anthropic_base_url="http://127.0.0.1:1")
    routed = await models(shelf, admin, "default", CallOptions(task=task, complexity=complexity))
    assert routed == await models(shelf, admin, size.value)
    assert [each.partition("/")[0] for each in routed] == ["anthropic", "openai"]


async def test_environment_without_keys_makes_nothing(shelf: Shelf, admin: Ctx) -> None:
    for name in ("default", "small", "openai/gpt-4.1"):
        with pytest.raises(ModelNotFound):
            await shelf.directory.resolve(admin, name, OPTIONS)
    assert await shelf.directory.listed(admin) == []


async def test_settings_choose_what_the_environments_aliases_stand_for(registries: Registries, admin: Ctx) -> None:
    shelf = registries.shelf(
        openai_base_url="http://127.0.0.1:8000/v1", small=("openai/qwen3:4b", "anthropic/claude"), max_concurrency=7
    )
    resolved = await shelf.directory.resolve(admin, "small", OPTIONS)
    assert await models(shelf, admin, "small") == ["openai/qwen3:4b"]
    assert resolved.targets[0].endpoint.max_concurrency == 7
    assert resolved.targets[0].endpoint.key is None
    assert not resolved.own


async def test_own_alias_hides_the_installations(registries: Registries, admin: Ctx) -> None:
    shelf = registries.shelf(openai_api_key="k")
    own = AliasInput(candidates=[Candidate(connection="openai", model="mine")])
    await shelf.aliases.put(admin, name="small", alias=own, installation=False)
    assert await models(shelf, admin, "small") == ["openai/mine"]
    assert (await shelf.directory.resolve(admin, "small", OPTIONS)).own
    assert [(each.name, each.own) for each in await shelf.aliases.list_all(admin)] == [
        ("default", False),
        ("large", False),
        ("medium", False),
        ("small", True),
    ]
    await shelf.aliases.delete(admin, name="small", installation=False)
    assert await models(shelf, admin, "small") == ["openai/gpt-4.1-mini"]
    with pytest.raises(AliasNotFound):
        await shelf.aliases.delete(admin, name="small", installation=False)


async def test_revision_changes_with_alias_connection_and_size(registries: Registries, admin: Ctx) -> None:
    shelf = registries.shelf(openai_api_key="k")
    await connected(shelf, admin)
    await shelf.aliases.put(admin, name="support", alias=ONE, installation=False)
    seen = [(await shelf.directory.resolve(admin, "support", OPTIONS)).revision]
    assert (await shelf.directory.resolve(admin, "support", OPTIONS)).revision == seen[0]
    await shelf.aliases.put(admin, name="support", alias=ONE, installation=False)
    seen.append((await shelf.directory.resolve(admin, "support", OPTIONS)).revision)
    await connected(shelf, admin)
    seen.append((await shelf.directory.resolve(admin, "support", OPTIONS)).revision)
    assert len(set(seen)) == 3
    again = registries.shelf(openai_api_key="another")
    first, second = [(await each.directory.resolve(admin, "small", OPTIONS)).revision for each in (shelf, again)]
    assert first == second


async def test_allowed_names_hold_aliases_and_models_alike(shelf: Shelf, admin: Ctx) -> None:
    await connected(shelf, admin)
    for name in ("support", "other"):
        await shelf.aliases.put(admin, name=name, alias=ONE, installation=False)
    assert await shelf.aliases.get_allowed(admin) is None
    await shelf.aliases.set_allowed(admin, models=["support", "here/m-*"])
    assert await shelf.aliases.get_allowed(admin) == ["support", "here/m-*"]
    for name in ("support", "here/m-1", "here/m-"):
        await shelf.directory.resolve(admin, name, OPTIONS)
    for name in ("other", "here/m", "here/x"):
        with pytest.raises(ModelNotAllowed):
            await shelf.directory.resolve(admin, name, OPTIONS)
    assert [each.name for each in await shelf.directory.listed(admin)] == ["support"]
    await shelf.aliases.set_allowed(admin, models=None)
    assert [each.name for each in await shelf.directory.listed(admin)] == ["here/m", "other", "support"]


@pytest.mark.parametrize("names", [["a*b"], [""], ["a b"], ["*", "a\n"]])
async def test_allowed_names_that_cannot_be_are_refused(shelf: Shelf, admin: Ctx, names: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"models\["):
        await shelf.aliases.set_allowed(admin, models=names)


@pytest.mark.parametrize(
    ("alias", "error"),
    [
        (AliasInput(candidates=[Candidate(connection="nowhere", model="m")]), ConnectionNotFound),
        (AliasInput(candidates=[Candidate(connection="here", model="m", weight=0)]), InvalidInput),
        (msgspec.structs.replace(ONE, routed=True), InvalidInput),
        (AliasInput(candidates=[Candidate(connection="here", model="m", size=Size.SMALL)]), InvalidInput),
        (msgspec.structs.replace(ONE, semantic_cache_seconds=5), InvalidInput),
        (msgspec.structs.replace(ONE, embeddings="nothing"), AliasNotFound),
    ],
)
async def test_alias_that_cannot_be_is_refused(
    shelf: Shelf, admin: Ctx, alias: AliasInput, error: type[Exception]
) -> None:
    await connected(shelf, admin)
    with pytest.raises(error):
        await shelf.aliases.put(admin, name="x", alias=alias, installation=False)


async def test_alias_whose_connections_are_gone_says_so(shelf: Shelf, admin: Ctx, operator: Ctx) -> None:
    given = ConnectionInput(speaks=Speaks.OPENAI, key="k")
    await shelf.connections.put(operator, name="shared", connection=given, installation=True)
    alias = AliasInput(candidates=[Candidate(connection="shared", model="m")])
    await shelf.aliases.put(admin, name="x", alias=alias, installation=False)
    await shelf.connections.delete(operator, name="shared", installation=True)
    with pytest.raises(ProvidersUnavailable, match="shared"):
        await shelf.directory.resolve(admin, "x", OPTIONS)


async def test_directory_reads_each_tenant_once(shelf: Shelf, admin: Ctx, monkeypatch: pytest.MonkeyPatch) -> None:
    await connected(shelf, admin)
    reads: list[object] = []
    read = shelf.db.read

    def counted(ctx: Ctx) -> object:
        reads.append(ctx.tenant)
        return read(ctx)

    monkeypatch.setattr(shelf.db, "read", counted)
    await asyncio.gather(*(shelf.directory.resolve(admin, f"here/m{number}", OPTIONS) for number in range(20)))
    assert len(reads) == 2
    assert admin.tenant in reads


async def test_only_holders_of_the_permissions_may(shelf: Shelf, admin: Ctx) -> None:
    reader = with_scopes(admin, frozenset({"model:read"}))
    with pytest.raises(PermissionDenied, match="model:configure"):
        await shelf.aliases.put(reader, name="x", alias=ONE, installation=False)
    with pytest.raises(PermissionDenied, match="model:configure"):
        await shelf.aliases.set_allowed(reader, models=None)
    with pytest.raises(PermissionDenied, match="model:read"):
        await shelf.aliases.get_allowed(with_scopes(admin, frozenset()))
