"""A cursor that lies ahead of the database, as after a restore from a dump, is told and not passed over in silence."""

import pytest

from steward.kit.bus import Position, Reader
from steward.kit.bus.repository import CursorAhead
from tests.support.platform import Installation


async def test_cursor_ahead_of_the_database_is_refused(platform: Installation) -> None:
    reader = Reader(platform.foundation.database)
    await reader.check("tenants", await reader.tip("tenants"))
    with pytest.raises(CursorAhead, match=r"docs/operations/backup\.md"):
        await reader.check("tenants", Position(2**60))
