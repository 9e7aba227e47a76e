"""How the operations of the support service are called."""

from collections.abc import Sequence

from steward.services.support.api import IntentExamples, SupportApi
from tests.authorization.recipes.recipe import HIDDEN, Arguments, Recipe, by, needs
from tests.authorization.stage import Stage


async def message(_: Stage) -> Arguments:
    return {"message": "How long does delivery take?"}


async def conversation(stage: Stage) -> Arguments:
    support = stage.house.installation.api(SupportApi)
    return {"session_id": (await support.chat(stage.tenant.owner, message="Hello")).session_id}


async def ticket(stage: Stage) -> Arguments:
    support = stage.house.installation.api(SupportApi)
    answer = await support.chat(stage.tenant.owner, message="I want to talk to a person, please")
    assert answer.ticket_id is not None, answer
    return {"ticket_id": answer.ticket_id}


async def intents(_: Stage) -> Arguments:
    examples = {"weather": ["will it rain", "is it cold outside"], "music": ["play a song", "turn up the volume"]}
    return {"intents": [IntentExamples(name=name, examples=said) for name, said in examples.items()]}


async def texts(_: Stage) -> Arguments:
    return {"texts": ["where is my order"]}


async def playbook(stage: Stage) -> Arguments:
    shipped = (await stage.house.installation.api(SupportApi).list_playbooks(stage.tenant.owner))[0]
    return {"name": shipped.name, "source": shipped.source}


async def own_playbook(stage: Stage) -> Arguments:
    made = await playbook(stage)
    await stage.house.installation.api(SupportApi).put_playbook(stage.tenant.owner, **made)
    return {"name": made["name"]}


async def shop(_: Stage) -> Arguments:
    return {"base_url": "https://shop.example", "credential": "probe"}


async def connected_shop(stage: Stage) -> Arguments:
    await stage.house.installation.api(SupportApi).put_shop(stage.tenant.owner, **await shop(stage))
    return {}


async def customer_keys(_: Stage) -> Arguments:
    return {"keys": []}


SUPPORT: Sequence[Recipe] = (
    by("conversation:write", "chat", message),
    by("conversation:write", "chat_stream", message),
    by(
        "",
        "get_history",
        conversation,
        needs=(needs("conversation:read"), needs("conversation:write")),
        **HIDDEN,
    ),
    by("conversation:write", "clear_session", conversation, **HIDDEN),
    by("conversation:read", "list_chat_sessions"),
    by("ticket:read", "list_tickets"),
    by("ticket:read", "get_ticket", ticket, **HIDDEN),
    by("support:configure", "put_intents", intents),
    by("conversation:read", "get_intents"),
    by("conversation:read", "classify", texts),
    by("conversation:read", "list_playbooks"),
    by("support:configure", "put_playbook", playbook),
    by("support:configure", "delete_playbook", own_playbook),
    by("support:configure", "put_shop", shop),
    by("support:configure", "get_shop", connected_shop),
    by("support:configure", "delete_shop", connected_shop),
    by("support:configure", "put_customer_keys", customer_keys),
)
