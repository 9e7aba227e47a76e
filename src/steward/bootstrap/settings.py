"""The settings of the whole platform: one struct per part, composed here, each filled from the environment."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, get_args

import msgspec
from msgspec import Meta

from steward.bootstrap.platform_settings import ClientSettings, PlatformSettings
from steward.gateway.settings import GatewaySettings
from steward.kit import settings
from steward.kit.bus.bus import BusSettings
from steward.kit.cache_redis import RedisSettings
from steward.kit.cluster.registry import ClusterSettings
from steward.kit.crypto.passwords import PasswordSettings
from steward.kit.settings import Problem, SettingsError, Variable
from steward.kit.telemetry.settings import TelemetrySettings
from steward.services.audit.collector import AuditSettings
from steward.services.costs.settings import PREFIX as COSTS_PREFIX
from steward.services.costs.settings import CostsSettings
from steward.services.identity.module import PASSWORD_PREFIX, SETTINGS_PREFIX
from steward.services.identity.settings import IdentitySettings
from steward.services.knowledge.settings import PREFIX as KNOWLEDGE_PREFIX
from steward.services.knowledge.settings import KnowledgeSettings
from steward.services.models.settings import REDIS_PREFIX, ModelsSettings
from steward.services.models.settings import SETTINGS_PREFIX as MODELS_PREFIX
from steward.services.support.settings import SETTINGS_PREFIX as SUPPORT_PREFIX
from steward.services.support.settings import SupportSettings
from steward.services.support.shop.settings import SETTINGS_PREFIX as SHOP_PREFIX
from steward.services.support.shop.settings import ShopSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every part's settings; a part's title and the prefix of its variables stand in its field's metadata."""

    platform: Annotated[PlatformSettings, Meta(title="Platform", extra={"prefix": "STEWARD_"})]
    telemetry: Annotated[TelemetrySettings, Meta(title="Logs, traces, metrics", extra={"prefix": "STEWARD_"})]
    gateway: Annotated[GatewaySettings, Meta(title="Edge", extra={"prefix": "STEWARD_GATEWAY_"})]
    identity: Annotated[IdentitySettings, Meta(title="Identity", extra={"prefix": SETTINGS_PREFIX})]
    passwords: Annotated[PasswordSettings, Meta(title="Passwords", extra={"prefix": PASSWORD_PREFIX})]
    audit: Annotated[AuditSettings, Meta(title="Audit", extra={"prefix": "STEWARD_AUDIT_"})]
    knowledge: Annotated[KnowledgeSettings, Meta(title="Knowledge", extra={"prefix": KNOWLEDGE_PREFIX})]
    costs: Annotated[CostsSettings, Meta(title="Costs", extra={"prefix": COSTS_PREFIX})]
    models: Annotated[ModelsSettings, Meta(title="Models", extra={"prefix": MODELS_PREFIX})]
    redis: Annotated[RedisSettings, Meta(title="Redis", extra={"prefix": REDIS_PREFIX})]
    support: Annotated[SupportSettings, Meta(title="Desk", extra={"prefix": SUPPORT_PREFIX})]
    bus: Annotated[BusSettings, Meta(title="Events", extra={"prefix": "STEWARD_BUS_"})]
    cluster: Annotated[ClusterSettings, Meta(title="Discovery", extra={"prefix": "STEWARD_CLUSTER_"})]
    shop: Annotated[ShopSettings, Meta(title="Shops", extra={"prefix": SHOP_PREFIX})]
    client: Annotated[ClientSettings, Meta(title="Command line", extra={"prefix": "STEWARD_"})]


class Part(NamedTuple):
    """One part's settings class with the title and the prefix that it has in `Settings`."""

    field: str
    title: str
    cls: type[msgspec.Struct]
    prefix: str


def parts() -> Sequence[Part]:
    """The parts of `Settings`, in its order."""
    found: list[Part] = []
    for field in msgspec.structs.fields(Settings):
        cls, meta = get_args(field.type)
        found.append(Part(field.name, meta.title, cls, meta.extra["prefix"]))
    return found


def load_settings(env: Mapping[str, str]) -> Settings:
    """Read every part's settings. Raises `SettingsError` with the problems of all of them."""
    loaded: dict[str, Any] = {}
    problems: list[Problem] = []
    for part in parts():
        try:
            loaded[part.field] = settings.load(part.cls, env, part.prefix)
        except SettingsError as error:
            problems.extend(error.problems)
    if problems:
        raise SettingsError(problems)
    return Settings(**loaded)


def unknown_variables(env: Mapping[str, str]) -> Sequence[Problem]:
    """The `STEWARD_…` variables that no part reads: to be reported at start, since one may be misspelt."""
    declared: list[Variable] = []
    for part in parts():
        declared.extend(settings.describe(part.cls, part.prefix))
    return settings.unknown_variables(env, declared)
