"""The settings of the whole platform: one struct per part, composed here, each filled from the environment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

import msgspec
from msgspec import Meta

from steward.kit import settings
from steward.kit.settings import Problem, SettingsError, Variable

Port = Annotated[int, Meta(ge=0, le=65535)]
Peer = Annotated[str, Meta(pattern=r"^[a-z][a-z-]*=[^=\s]+:[0-9]{1,5}$", examples=["identity=10.0.0.7:9001"])]
DatabaseUrl = Annotated[
    str, Meta(pattern=r"^postgres(ql)?://", examples=["postgresql://steward_app:secret@db:5432/steward"])
]


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the platform keeps its data, where it listens and how it reaches its parts."""

    home: Annotated[
        Path,
        Meta(description="Directory of the embedded mode: database, keys, credentials. Also where `serve` keeps keys."),
    ] = Path(".steward")
    host: Annotated[
        str,
        Meta(description="Address that `steward serve` answers HTTP on; `steward up` always takes 127.0.0.1."),
    ] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port for HTTP; 0 takes any free one.")] = 8080
    rpc_host: Annotated[str, Meta(description="Address that `steward serve` answers gRPC on.")] = "127.0.0.1"
    rpc_port: Annotated[Port, Meta(description="Port for gRPC in `steward serve`; 0 takes any free one.")] = 0
    peers: Annotated[
        tuple[Peer, ...],
        Meta(
            description="Where the services that this process does not run are reached, as `identity=host:port`; "
            "a service named several times is balanced over."
        ),
    ] = ()
    database_url: Annotated[
        DatabaseUrl | None,
        Meta(
            description="PostgreSQL as the login role `steward_app`. Without it `steward up` runs its own.",
            extra={"variable": "DATABASE_URL", "sensitive": True},
        ),
    ] = None
    database_admin_url: Annotated[
        DatabaseUrl | None,
        Meta(
            description="PostgreSQL as the owner of the schemas, for migrations; needed with DATABASE_URL.",
            extra={"variable": "DATABASE_ADMIN_URL", "sensitive": True},
        ),
    ] = None
    db_pool_size: Annotated[
        int, Meta(ge=1, le=200, description="Most database connections of one process in use at a time.")
    ] = 10

    def peer_addresses(self) -> Mapping[str, Sequence[str]]:
        """The `host:port` pairs of each service named in `peers`."""
        found: dict[str, list[str]] = {}
        for peer in self.peers:
            service, address = peer.split("=", 1)
            found.setdefault(service, []).append(address)
        return found


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line needs to talk to a platform."""

    url: Annotated[str | None, Meta(description="Address of the platform that the command line talks to.")] = None
    api_key: Annotated[
        str | None, Meta(description="API key that the command line uses.", extra={"sensitive": True})
    ] = None
    lang: Annotated[str | None, Meta(description="Language of the command line: `en`, `zh-Hant` or `zh-Hans`.")] = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every part's settings; a part's title and the prefix of its variables stand in its field's metadata."""

    platform: Annotated[PlatformSettings, Meta(title="Platform", extra={"prefix": "STEWARD_"})]
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
