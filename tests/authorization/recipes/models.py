"""How the operations of the models service are called, but those of files and batches."""

from collections.abc import Sequence

from steward.services.models.api import (
    AliasInput,
    Candidate,
    ConnectionInput,
    EmbeddingRequest,
    Message,
    ModelRequest,
    ModelsApi,
    Speaks,
    Text,
)
from steward.services.models.api import Role as Speaker
from tests.authorization.recipes.recipe import HIDDEN, Across, Arguments, Prepare, Recipe, by
from tests.authorization.stage import Stage

ASKED = "probe/m"
"""A model that the house's provider answers for."""
SAID = [{"role": "user", "content": "Hi"}]


async def model_request(_: Stage) -> Arguments:
    return {"request": ModelRequest(model=ASKED, messages=[Message(role=Speaker.USER, parts=[Text(text="Hi")])])}


async def embedding_request(_: Stage) -> Arguments:
    return {"request": EmbeddingRequest(model=ASKED, texts=["Hi"])}


async def chat_completion(_: Stage) -> Arguments:
    return {"model": ASKED, "messages": SAID}


async def model_response(_: Stage) -> Arguments:
    return {"model": ASKED, "input": "Hi"}


async def embeddings(_: Stage) -> Arguments:
    return {"model": ASKED, "input": "Hi"}


async def anthropic_message(_: Stage) -> Arguments:
    return {"model": ASKED, "max_tokens": 10, "messages": SAID}


async def connection(stage: Stage) -> Arguments:
    name = f"c-{stage.unique()[-8:]}"
    return {"name": name, "connection": ConnectionInput(speaks=Speaks.OPENAI, key="sk-of-a-probe")}


async def own_connection(stage: Stage) -> Arguments:
    made = await connection(stage)
    await stage.house.installation.api(ModelsApi).put_connection(stage.tenant.owner, **made)
    return {"name": made["name"]}


async def alias(stage: Stage) -> Arguments:
    candidates = [Candidate(connection="probe", model="m")]
    return {"name": f"a-{stage.unique()}", "alias": AliasInput(candidates=candidates)}


async def own_alias(stage: Stage) -> Arguments:
    made = await alias(stage)
    await stage.house.installation.api(ModelsApi).put_alias(stage.tenant.owner, **made)
    return {"name": made["name"]}


async def own_model(stage: Stage) -> Arguments:
    return await own_alias(stage)


def for_all(prepare: Prepare) -> Prepare:
    async def prepared(stage: Stage) -> Arguments:
        return {**await prepare(stage), "installation": True}

    return prepared


async def allowed(_: Stage) -> Arguments:
    return {"models": None}


MODELS: Sequence[Recipe] = (
    by("model:call", "complete", model_request),
    by("model:call", "stream", model_request),
    by("model:call", "embed", embedding_request),
    by("model:call", "count_tokens", model_request),
    by("model:call", "list_models"),
    by("model:configure", "put_connection", connection),
    by("platform:tenants", "put_connection", for_all(connection), "for all tenants", across=Across.REFUSED),
    by("model:read", "list_connections"),
    by("model:configure", "delete_connection", own_connection, **HIDDEN),
    by("model:configure", "put_alias", alias),
    by("platform:tenants", "put_alias", for_all(alias), "for all tenants", across=Across.REFUSED),
    by("model:read", "list_aliases"),
    by("model:configure", "delete_alias", own_alias, **HIDDEN),
    by("model:configure", "set_allowed", allowed),
    by("model:read", "get_allowed"),
)

SURFACES: Sequence[Recipe] = (
    by("model:call", "create_chat_completion", chat_completion),
    by("model:call", "create_response", model_response),
    by("model:call", "create_embeddings", embeddings),
    by("model:call", "create_message", anthropic_message),
    by("model:call", "count_message_tokens", anthropic_message),
    by("model:call", "get_model", own_model, **HIDDEN),
)
"""Over HTTP only: what the contract of models has, in other APIs' dialects."""
