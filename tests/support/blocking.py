"""A plugin of pytest: a callback that keeps the event loop busy for too long fails the test during which it ran.

What counts is the CPU time of the loop's thread, so that a machine with other work raises no false alarm. What the
garbage collector takes of it does not count either: it walks through all that the tests before have left, and strikes
whoever is at work. A callback that waits (a blocking read, `time.sleep`) is not seen by this: ruff's rules `ASYNC` look
for those.
"""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager

import pytest

BOUND_S = 0.25
"""The longest that one callback may compute. A request is to be answered in some milliseconds, and all wait for it."""

MARK = "blocks_loop"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(reason): may keep the event loop busy, for a reason")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    mark = item.get_closest_marker(MARK)
    if mark is not None:
        if not mark.kwargs.get("reason"):
            pytest.fail(f"mark {MARK} without a reason: give one that a reader can act on", pytrace=False)
        yield
        return
    blocks: list[str] = []
    with watched(blocks.append):
        yield
    if blocks:
        pytest.fail(
            f"the event loop was blocked, for more than {BOUND_S} s of CPU time at once: {'; '.join(blocks)}. Give CPU "
            "work to a thread or process, or let others run in between",
            pytrace=False,
        )


@contextmanager
def watched(report: Callable[[str], None], bound_s: float = BOUND_S) -> Iterator[None]:
    """Report each callback of any asyncio loop (not of uvloop, which runs its own) that computes for longer."""
    original = asyncio.Handle._run
    collector = _Collector()

    def run(handle: asyncio.Handle) -> None:
        began, collecting = time.thread_time(), collector.seconds
        try:
            original(handle)
        finally:
            spent = time.thread_time() - began - (collector.seconds - collecting)
            if spent > bound_s:
                report(f"{spent:.2f} s by {_name(handle)}")

    asyncio.Handle._run = run
    gc.callbacks.append(collector)
    try:
        yield
    finally:
        gc.callbacks.remove(collector)
        asyncio.Handle._run = original


class _Collector:
    """CPU seconds that the garbage collector has taken of this thread; it is told of each collection's phases."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._thread = threading.get_ident()
        self._began = 0.0

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._began


def _name(handle: asyncio.Handle) -> str:
    """Whose callback it was: the coroutine of its task, or the function."""
    callback = handle._callback
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"{owner.get_coro()!r} of {owner.get_name()}"
    return repr(callback)
