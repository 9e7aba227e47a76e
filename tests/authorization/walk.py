"""Calling a recipe's operation over HTTP and over gRPC, and collecting what is not as it should be."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping

import msgspec

from steward.kit.clock import SystemClock
from tests.authorization.operations import RECIPES, Arguments, Kind, Recipe, Route
from tests.support.house import RPCS, Answer, House

WAYS = ("http", "grpc")
NOBODY: Mapping[str, str] = {}
PATIENCE = 10.0
"""Seconds to wait for another process or the collector; what is remembered of a credential lives three times longer."""


class Walk(msgspec.Struct, frozen=True):
    """One way into the platform."""

    house: House
    routes: Mapping[str, Route]
    way: str

    def recipes(self, *, closed: bool = False) -> Iterator[Recipe]:
        """The recipes of what can be called this way; `closed` leaves out what is open to all."""
        known = self.routes if self.way == "http" else RPCS
        for recipe in RECIPES:
            if recipe.method in known and not (closed and recipe.kind is Kind.OPEN):
                yield recipe

    async def call(self, recipe: Recipe, arguments: Arguments, headers: Mapping[str, str]) -> Answer:
        if self.way == "grpc":
            return await self.house.rpc(RPCS[recipe.method], arguments, headers)
        route = self.routes[recipe.method]
        request = recipe.request(route.method, route.path, route.described, arguments)
        headers = {**headers, **request.headers}
        return await self.house.http(request.method, request.path, headers, request.body, **request.query)


class Findings:
    """What was not as it should be; all of it is told at the end, not only the first."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._looked = 0

    def expect(self, holds: bool, recipe: Recipe, answer: Answer, wanted: object) -> None:
        self._looked += 1
        if not holds:
            shown = answer.body[:300].decode(errors="replace")
            self._lines.append(f"{recipe.name}: wanted {wanted}, got {answer.status} {answer.code}: {shown}")

    def none(self) -> None:
        assert not self._lines, "\n" + "\n".join(self._lines)
        assert self._looked, "nothing was called"


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until something has come true."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await SystemClock().sleep(0.02)
