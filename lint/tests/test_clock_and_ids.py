"""The rule `clock-and-ids`."""

import pytest

from lint.rules.clock_and_ids import check
from lint.tests.samples import lines_found, marked

MODULE = "src/steward/kit/cache.py"

BAD_TIME = """
import asyncio
import datetime as dt
import time
from datetime import date, datetime
from time import monotonic as now


async def run(clock=time.time):  # bad
    now()  # bad
    time.perf_counter()  # bad
    time.monotonic_ns()  # bad
    datetime.now()  # bad
    datetime.utcnow()  # bad
    dt.datetime.now(dt.UTC)  # bad
    date.today()  # bad
    time.sleep(1)  # bad
    time.sleep(0)  # bad
    await asyncio.sleep(0.1)  # bad
    run(asyncio.sleep)  # bad
"""

BAD_CHANCE = """
import os
import random
import secrets
import uuid
from random import choice
from uuid import uuid4


def run():
    uuid4()  # bad
    uuid.uuid1()  # bad
    random.random()  # bad
    choice([1])  # bad
    secrets.token_hex()  # bad
    os.urandom(8)  # bad
"""

GOOD = """
import asyncio
import secrets
from datetime import UTC, datetime
from uuid import UUID


async def run(self, row):
    self._clock.now()
    await self._clock.sleep(1)
    self._ids.new()
    await asyncio.sleep(0)
    row.random.time()
    datetime(2026, 1, 1, tzinfo=UTC)
    return secrets.compare_digest(row.a, row.b), UUID(int=0)
"""


@pytest.mark.parametrize("code", [BAD_TIME, BAD_CHANCE])
def test_time_and_chance_from_elsewhere_are_found(code: str) -> None:
    assert lines_found(check, code, MODULE) == marked(code)


def test_time_and_ids_from_the_kit_pass() -> None:
    assert lines_found(check, GOOD, MODULE) == []


@pytest.mark.parametrize("path", ["src/steward/kit/clock.py", "src/steward/kit/ids.py", "tests/a.py", "bench/a.py"])
def test_their_own_places_tests_and_benchmarks_are_free(path: str) -> None:
    assert lines_found(check, BAD_TIME + BAD_CHANCE, path) == []


def test_the_command_line_may_read_the_time_but_not_draw() -> None:
    path = "src/steward/bootstrap/cli/status.py"
    assert lines_found(check, BAD_TIME, path) == []
    assert lines_found(check, BAD_CHANCE, path) == marked(BAD_CHANCE)
