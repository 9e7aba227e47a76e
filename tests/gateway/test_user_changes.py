"""What the edge forgets when a user changes: that user, or everybody of the tenant where the user's keys rest too."""

from uuid import UUID

import pytest

from tests.gateway.fakes import API_KEY, USER
from tests.gateway.rig import BEARER, Rig, running

ME = "/api/v1/auth/me"
KEY_HEADER = {"X-API-Key": API_KEY}
SOMEBODY_ELSE = UUID("018f3c5a-0000-7000-8000-0000000000ee")


async def asked_after(rig: Rig, method: str, path: str, body: object = None) -> tuple[int, int]:
    """How often the edge asked anew, after this request of the user, who that user is and who the key is."""
    for headers in (BEARER, KEY_HEADER):
        assert (await rig.call("GET", ME, headers=headers)).status == 200
    assert (await rig.call(method, path, headers=BEARER, json=body)).status == 200
    counts: list[int] = []
    for headers in (BEARER, KEY_HEADER):
        before = rig.identity.asked
        assert (await rig.call("GET", ME, headers=headers)).status == 200
        counts.append(rig.identity.asked - before)
    return counts[0], counts[1]


@pytest.mark.parametrize(
    ("method", "path", "body", "asked"),
    [
        ("PATCH", f"/api/v1/users/{USER}", {"name": "New"}, (1, 0)),
        ("PATCH", f"/api/v1/users/{SOMEBODY_ELSE}", {"name": "New"}, (0, 0)),
        ("PATCH", f"/api/v1/users/{SOMEBODY_ELSE}", {"state": "disabled"}, (1, 1)),
        ("PATCH", f"/api/v1/users/{SOMEBODY_ELSE}", {"name": "New", "state": "disabled"}, (1, 1)),
        ("PUT", f"/api/v1/users/{USER}/roles/admin", None, (1, 0)),
        ("PUT", f"/api/v1/users/{SOMEBODY_ELSE}/roles/admin", None, (0, 0)),
    ],
)
async def test_change_of_a_user_makes_the_edge_forget_no_more_than_it_must(
    method: str, path: str, body: object, asked: tuple[int, int]
) -> None:
    async with running() as rig:
        assert await asked_after(rig, method, path, body) == asked
