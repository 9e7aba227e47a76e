"""The demo of one home, from start to end: which port the shop has, when it starts, whether the desk is set up."""

from collections.abc import Mapping
from typing import Self

import msgspec
from structlog.typing import FilteringBoundLogger

from steward.bootstrap.demo.plan import DemoPlan, PlanFile
from steward.bootstrap.demo.seeding import DeskSeed
from steward.bootstrap.demo.shop import HOST, DemoShop, find_shop, free_port, is_free
from steward.bootstrap.foundation import Foundation
from steward.bootstrap.home import Credentials, Home
from steward.kit.clock import Clock
from steward.kit.errors import AppError
from steward.kit.failpoints import Failpoints
from steward.kit.ids import Ids, TenantId
from steward.kit.module import Apis
from steward.services.support.shop.settings import ALLOWED_HOSTS

_PORT_PATIENCE_S = 0.5
"""How long the shop of a platform that was killed may hold its port."""
_POLL_S = 0.02
_SHOP_PATIENCE_S = 20.0


class DemoDesk:
    """The demo shop, and the demo tenant's desk that asks it."""

    def __init__(
        self, file: PlanFile, plan: DemoPlan, shop: DemoShop | None, home: Home, log: FilteringBoundLogger
    ) -> None:
        self._file = file
        self._plan = plan
        self._shop = shop
        self._home = home
        self._log = log

    @classmethod
    async def open(cls, home: Home, port: int, clock: Clock, ids: Ids, log: FilteringBoundLogger) -> Self:
        """Decide where the shop is, at `port` if that is not 0, and start it if its tenant is known already."""
        file = PlanFile(home)
        plan = file.read() or file.make(ids, port or free_port())
        settled = await _settled(plan, port, clock)
        if settled != plan:
            plan = settled
            file.write(plan)
        root = find_shop()
        if root is None:
            log.info("no examples here, so there is no demo shop", event_type="demo.no_shop")
            return cls(file, plan, None, home, log)
        shop = DemoShop(root, file.directory, plan.port, plan.credential, clock, log)
        known = home.read_credentials()
        if known is not None:
            shop.start(msgspec.convert(known.tenant, TenantId))
        return cls(file, plan, shop, home, log)

    def environment(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """The platform's variables, with leave to call the demo shop and nothing else inside."""
        if self._shop is None:
            return environment
        hosts = [host for host in (environment.get(ALLOWED_HOSTS, ""), f"{HOST}:{self._plan.port}") if host]
        return {**environment, ALLOWED_HOSTS: ",".join(hosts)}

    async def furnish(self, foundation: Foundation, apis: Apis, credentials: Credentials) -> Credentials:
        """Set the desk up where it is not yet; what fails is said, and tried again at the next start."""
        if self._shop is not None:
            self._shop.start(msgspec.convert(credentials.tenant, TenantId))
        url = self._shop.url if self._shop is not None else ""
        if self._plan.done and credentials.shop_url == url:
            return credentials
        try:
            seed = DeskSeed(foundation, apis, self._plan.key)
            furnished = await self._furnish(seed, credentials, foundation.failpoints)
        except AppError as error:
            self._log.warning(
                "the demo desk is not set up", event_type="demo.desk_failed", code=error.code, problem=error.message
            )
            return credentials
        self._home.write_credentials(furnished)
        return furnished

    async def stop(self) -> None:
        """End the shop."""
        if self._shop is not None:
            await self._shop.stop()

    async def _furnish(self, seed: DeskSeed, credentials: Credentials, failpoints: Failpoints) -> Credentials:
        if not self._plan.done:
            await seed.import_faqs(credentials)
            failpoints.passing("demo:faqs")
        publishable_key = await seed.open_to_pages(credentials)
        failpoints.passing("demo:page")
        furnished = msgspec.structs.replace(credentials, publishable_key=publishable_key)
        if self._shop is None:
            self._finish()
            return furnished
        await seed.connect_shop(credentials, self._shop.url, self._plan.credential)
        failpoints.passing("demo:shop")
        key = await self._shop.customer_key(_SHOP_PATIENCE_S)
        if key is None:
            self._log.warning("the demo shop does not answer", event_type="demo.shop_silent", url=self._shop.url)
            return furnished
        await seed.trust_shop(credentials, key)
        self._finish()
        failpoints.passing("demo:done")
        return msgspec.structs.replace(furnished, shop_url=self._shop.url)

    def _finish(self) -> None:
        self._plan = msgspec.structs.replace(self._plan, done=True)
        self._file.write(self._plan)


async def _settled(plan: DemoPlan, wanted: int, clock: Clock) -> DemoPlan:
    """The plan with the port to take: the wanted one, else the remembered one, else another where that is taken."""
    if wanted:
        return msgspec.structs.replace(plan, port=wanted)
    ends = clock.monotonic() + _PORT_PATIENCE_S
    while not is_free(plan.port):
        if clock.monotonic() > ends:
            return msgspec.structs.replace(plan, port=free_port())
        await clock.sleep(_POLL_S)
    return plan
