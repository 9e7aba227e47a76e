"""The settings of the platform itself and of its command line, without the rest: it must start fast."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

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
    rpc_advertise: Annotated[
        str,
        Meta(
            pattern=r"^([^=\s]+:[0-9]{1,5})?$",
            description="Address, `host:port`, that other processes reach this one's gRPC at, where it is not the one "
            "it listens on, such as 0.0.0.0.",
        ),
    ] = ""
    failpoint: Annotated[
        str, Meta(description="For tests of recovery: the place at which this process kills itself. Leave it empty.")
    ] = ""
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
    demo: Annotated[
        bool | None,
        Meta(
            description="Whether `steward up` makes a demo tenant with a log-in and a key; unset, it does on its own "
            "PostgreSQL and does not on that of DATABASE_URL."
        ),
    ] = None
    shop_port: Annotated[
        Port,
        Meta(
            description="Port of the demo shop that `steward up` starts beside a demo tenant; 0 takes a free one and "
            "stays with it."
        ),
    ] = 0
    db_pool_size: Annotated[
        int, Meta(ge=1, le=200, description="Most database connections of one process in use at a time.")
    ] = 10

    @property
    def makes_demo(self) -> bool:
        """Whether `steward up` makes the demo tenant."""
        return self.database_url is None if self.demo is None else self.demo

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
