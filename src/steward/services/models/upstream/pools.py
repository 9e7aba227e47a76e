"""The connections of a process: one pool for hosts that tenants name, one for those of the installation."""

from collections.abc import Sequence

from steward.kit.http.addresses import AddressPolicy, CheckedResolver, Resolver
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.http1.connecting import Connector, Names
from steward.services.models.upstream.http1.pool import Pool


class Pools:
    """A tenant's connections and the installation's never share a socket: only the former are held to public
    addresses, and a pooled socket is not resolved again.
    """

    def __init__(self, resolver: Resolver, policy: AddressPolicy) -> None:
        checked = CheckedResolver(resolver, policy)

        async def look_up(host: str, port: int) -> Sequence[str]:
            return [found["host"] for found in await checked.resolve(host, port)]

        self._checked = Pool(Connector(Names(look_up)))
        self._free = Pool(Connector(Names(resolver.resolve)))

    def of(self, endpoint: Endpoint) -> Pool:
        """The pool for calls to an endpoint."""
        return self._free if endpoint.owner is None else self._checked

    async def close(self) -> None:
        """Close every connection; a later call opens new ones."""
        await self._checked.close()
        await self._free.close()
