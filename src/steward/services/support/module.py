"""Registers the support service."""

from collections.abc import Collection
from pathlib import Path

from steward.kit.context import Ctx
from steward.kit.module import Built, Module, Parts
from steward.kit.settings import load
from steward.services.support.api import SupportApi
from steward.services.support.assembly import Rooms, assemble
from steward.services.support.dialogue.build import build as build_dialogue
from steward.services.support.http import ROUTES
from steward.services.support.model.desk_model import DeskModel
from steward.services.support.rpc import SUPPORT, SupportClient
from steward.services.support.settings import SETTINGS_PREFIX, SupportSettings
from steward.services.support.shop.build import build as build_shop
from steward.services.support.understanding.build import build as build_understanding
from steward.services.support.websocket import SOCKETS


def build(parts: Parts) -> Built:
    shop = build_shop(parts)
    understanding = build_understanding(parts)
    settings = load(SupportSettings, parts.environment, SETTINGS_PREFIX)
    model = DeskModel(parts.apis, parts.clock, alias=settings.model, seconds=settings.model_seconds)

    async def intents_of(ctx: Ctx) -> Collection[str]:
        return (await understanding.models.of(ctx)).intents

    dialogue = build_dialogue(parts, shop.tools.specs, intents_of)
    rooms = Rooms(
        understander=understanding.room,
        dialogue=dialogue.dialogue,
        tools=shop.tools,
        model=model,
        intents=understanding.use_case,
        playbooks=dialogue.use_case,
        shop=shop.use_case,
        subscriptions=(*understanding.subscriptions, dialogue.subscription, shop.subscription),
        listeners=(understanding.models.heed,),
        jobs=(understanding.job,),
        start=(understanding.start, shop.tools.start),
        stop=(shop.tools.stop, understanding.stop),
    )
    return assemble(parts, rooms)


MODULE = Module(
    name="support",
    contract=SupportApi,
    build=build,
    rpc=SUPPORT,
    client=SupportClient,
    routes=ROUTES,
    sockets=SOCKETS,
    migrations=Path(__file__).parent / "migrations",
)
