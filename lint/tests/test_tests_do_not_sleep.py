"""The rule `tests-do-not-sleep`."""

from lint.rules.tests_do_not_sleep import check
from lint.tests.samples import lines_found, marked

SLEEPS = """
import asyncio
import time
from asyncio import sleep


async def test_it():
    time.sleep(1)  # bad
    await asyncio.sleep(0.1)  # bad
    await sleep(delay=2)  # bad
    await asyncio.sleep(0.05)
    await asyncio.sleep(0)
    await clock.sleep(5)
    await asyncio.sleep(pause)
    await asyncio.sleep("soon")
"""

OFF = """
import pytest


@pytest.mark.skip  # bad
def test_a(): ...


@pytest.mark.xfail()  # bad
def test_b(): ...


@pytest.mark.skipif(True, reason="")  # bad
@pytest.mark.xfail(raises=ValueError)  # bad
@marked(pytest.mark.xfail)  # bad
def test_c():
    pytest.skip()  # bad


@pytest.mark.skip("no Chromium: run `make browsers`")
@pytest.mark.skipif(True, reason="no Chromium")
@pytest.mark.xfail(reason="upstream bug 7")
@pytest.mark.xfail(reason=BUG)
@pytest.mark.skip(BUG)
def test_d():
    pytest.skip("no Chromium")
"""


def test_sleeps_are_found() -> None:
    assert lines_found(check, SLEEPS, "tests/kit/test_a.py") == marked(SLEEPS)


def test_tests_from_outside_may_sleep() -> None:
    assert lines_found(check, SLEEPS, "tests/e2e/test_a.py") == []


def test_tests_switched_off_without_a_reason_are_found() -> None:
    assert lines_found(check, OFF, "tests/kit/test_a.py") == marked(OFF)
    assert lines_found(check, OFF, "tests/e2e/test_a.py") == marked(OFF)


def test_other_code_is_not_looked_at() -> None:
    assert lines_found(check, SLEEPS + OFF, "bench/edge.py") == []
