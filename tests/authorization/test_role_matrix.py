"""Which role may call which operation: found out by calling each as a user with just that role; the golden matrix."""

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest_asyncio

from steward.kit.authz import LoginNeeded
from steward.kit.context import ANONYMOUS, Ctx
from steward.kit.errors import Forbidden, NotFound
from steward.services.identity.api import Role
from tests.authorization.operations import CONTRACTS, Arguments, Kind, Recipe
from tests.authorization.stage import Behind, Stage
from tests.authorization.walk import until
from tests.support.house import RPCS, House, Member
from tests.support.platform import TestTenant

GOLDEN = Path(__file__).parent / "golden" / "role_matrix.txt"
REWRITE = "STEWARD_REWRITE_GOLDEN"
"""Set it to write the golden file anew, then read the difference with care."""

ROLES: Sequence[Role] = tuple(reversed(Role))
NOBODY = "nobody"
ALLOWED, DENIED = "yes", "-"

Row = Mapping[str, bool]
"""Whether it was allowed, by caller."""


class Matrix:
    """What calling everything as everybody has shown."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.refused: dict[str, str] = {}
        """Of refused calls with a credential: what was called as whom, by request id."""
        self.contradictions: list[str] = []


@pytest_asyncio.fixture(scope="module")
async def matrix(house: House, behind: Behind) -> Matrix:
    tenant = await house.installation.tenant()
    await until(lambda: behind.all_sealed(tenant.id))
    members = {role: await house.member(tenant, role) for role in ROLES}
    found = Matrix()
    for service, recipes in CONTRACTS.items():
        for recipe in recipes:
            found.rows[f"{service}.{recipe.name}"] = await _row(found, recipe, house, tenant, members)
    return found


def test_every_role_may_exactly_what_the_golden_file_says(matrix: Matrix) -> None:
    found = _as_text(matrix.rows)
    if os.environ.get(REWRITE):
        GOLDEN.write_text(found)
    kept = GOLDEN.read_text()
    change = "\n".join(difflib.unified_diff(kept.splitlines(), found.splitlines(), "golden", "found", lineterm="", n=0))
    assert not change, f"\n{change}\nIf that is meant, write the file anew with {REWRITE}=1."


def test_contracts_say_who_may(matrix: Matrix) -> None:
    """The permissions that the docstrings name decide, nothing else."""
    assert not matrix.contradictions, "\n".join(matrix.contradictions)


async def test_every_refusal_is_in_the_trail(matrix: Matrix, behind: Behind) -> None:
    assert len(matrix.refused) > 100
    written = await behind.denials(list(matrix.refused))
    assert {what for request, what in matrix.refused.items() if request not in written} == set()


async def _row(
    found: Matrix, recipe: Recipe, house: House, tenant: TestTenant, members: Mapping[Role, Member]
) -> Mapping[str, bool]:
    row: dict[str, bool] = {}
    for role, standing in members.items():
        # What may end the caller's session gets one of its own.
        ends = recipe.kind is Kind.SELF
        member = await house.logged_in(tenant.id, standing.email) if ends else standing
        arguments = await recipe.prepare(Stage(house=house, caller=member, tenant=tenant))
        ctx = house.installation.ctx(
            member.tenant, *member.ctx.scopes, actor=member.ctx.actor, session_id=member.ctx.session_id
        )
        row[role.value] = await _may(house, recipe, arguments, ctx)
        if not row[role.value]:
            found.refused[ctx.request_id] = f"{recipe.name} as {role}"
        if row[role.value] is not recipe.allows(ctx.scopes):
            found.contradictions.append(f"{recipe.name} as {role}: allowed is {row[role.value]}")
    arguments = await recipe.prepare(Stage(house=house, caller=members[Role.VIEWER], tenant=tenant))
    nobody = house.installation.ctx(None, actor=ANONYMOUS)
    row[NOBODY] = await _may(house, recipe, arguments, nobody)
    if row[NOBODY] is not (recipe.kind is Kind.OPEN):
        found.contradictions.append(f"{recipe.name} as nobody: allowed is {row[NOBODY]}")
    return row


async def _may(house: House, recipe: Recipe, arguments: Arguments, ctx: Ctx) -> bool:
    """Whether the call is carried out; a failure other than a refusal is a failure of the test."""
    method = house.method(recipe.method)
    try:
        if RPCS[recipe.method].streams:
            async for _ in method(ctx, **arguments):
                pass
        else:
            await method(ctx, **arguments)
    except LoginNeeded:
        assert ctx.tenant is None
        return False
    except Forbidden:
        return False
    except NotFound:
        assert recipe.refusal(ctx.scopes) == 404
        return False
    return True


def _as_text(rows: Mapping[str, Row]) -> str:
    callers = [NOBODY, *(role.value for role in ROLES)]
    width = max(len(name) for name in rows)
    head = "  ".join([" " * width, *callers])
    lines = [
        "  ".join([name.ljust(width), *((ALLOWED if row[who] else DENIED).center(len(who)) for who in callers)])
        for name, row in rows.items()
    ]
    return "\n".join(line.rstrip() for line in (head, *lines)) + "\n"
