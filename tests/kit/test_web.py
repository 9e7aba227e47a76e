"""What the routes share: instants as the database can hold them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from steward.kit.errors import InvalidInput
from steward.kit.web import aware


def test_instant_is_the_same_in_utc() -> None:
    found = aware(datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8))), "since")
    assert found == datetime(2026, 3, 1, tzinfo=UTC)
    assert found is not None
    assert found.tzinfo is UTC
    assert aware(None, "since") is None


@pytest.mark.parametrize(
    "given",
    [
        datetime(2026, 3, 1),  # noqa: DTZ001 without an offset on purpose
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))),
    ],
)
def test_instant_that_nobody_can_place_is_refused_with_its_field(given: datetime) -> None:
    with pytest.raises(InvalidInput, match="since") as refused:
        aware(given, "since")
    assert refused.value.data == {"field": "since"}
