"""What `/health` says of services that run elsewhere."""

from collections.abc import Sequence

import pytest

from steward.bootstrap.ops import NEEDED, Remote, ServiceDown


class Pool:
    """Processes that come and go."""

    def __init__(self) -> None:
        self.addresses: Sequence[str] = ()

    async def ready(self) -> Sequence[str]:
        return self.addresses


async def test_service_that_was_never_seen_is_absent_and_one_that_was_is_down_without_it() -> None:
    pool = Pool()
    remote = Remote("support", pool)
    assert "steward serve support" in await remote.check()
    pool.addresses = ["127.0.0.1:7001"]
    assert await remote.check() == "at 127.0.0.1:7001"
    pool.addresses = ()
    with pytest.raises(ServiceDown, match="support"):
        await remote.check()


@pytest.mark.parametrize("name", sorted(NEEDED))
async def test_service_that_every_installation_needs_is_down_from_the_start(name: str) -> None:
    with pytest.raises(ServiceDown, match=name):
        await Remote(name, Pool()).check()
