"""The plugin that fails a test during which the event loop was blocked."""

import asyncio
import gc
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.blocking import watched

pytestmark = pytest.mark.xdist_group("blocking")
ROOT = Path(__file__).parents[1]
SAMPLES = """
import asyncio, time
import pytest

def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

async def test_body():
    burn(0.3)

async def test_task():
    async def hog():
        burn(0.3)
    await asyncio.create_task(hog(), name="the-hog")

async def test_callback():
    asyncio.get_running_loop().call_soon(burn, 0.3)
    await asyncio.sleep(0)

@pytest.mark.blocks_loop
async def test_mark_without_a_reason():
    pass

async def test_own_failure():
    burn(0.3)
    assert "this" == "that"

async def test_pieces():
    for _ in range(10):
        burn(0.05)
        await asyncio.sleep(0)

async def test_thread():
    await asyncio.to_thread(burn, 0.3)

def test_without_a_loop():
    burn(0.3)

@pytest.mark.blocks_loop(reason="of this test")
async def test_mark_with_a_reason():
    burn(0.3)
"""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What pytest with the plugin says of each sample; empty for one that passed."""
    directory = tmp_path_factory.mktemp("samples")
    (directory / "test_samples.py").write_text(SAMPLES)
    report = directory / "report.xml"
    options = ("-p", "no:cacheprovider", "-p", "tests.support.blocking", "-o", "asyncio_mode=auto", "--strict-markers")
    subprocess.run(
        (sys.executable, "-m", "pytest", *options, f"--junitxml={report}", "--rootdir", str(directory), str(directory)),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *(path for path in sys.path if path)])},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    cases = ET.parse(report).getroot().iter("testcase")
    return {case.attrib["name"]: "".join(failure.attrib["message"] for failure in case) for case in cases}


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ("test_body", "test_body"),
        ("test_task", "of the-hog"),
        ("test_callback", "function burn"),
        ("test_mark_without_a_reason", "without a reason"),
        ("test_own_failure", "assert 'this' == 'that'"),
    ],
)
def test_test_that_blocks_the_loop_fails_and_says_who_did(failures: Mapping[str, str], sample: str, says: str) -> None:
    assert says in failures[sample]


@pytest.mark.parametrize("sample", ["test_pieces", "test_thread", "test_without_a_loop", "test_mark_with_a_reason"])
def test_test_that_lets_others_run_passes(failures: Mapping[str, str], sample: str) -> None:
    assert failures[sample] == ""


def test_time_of_other_threads_and_of_a_busy_machine_does_not_count() -> None:
    """Four threads compute, so that the loop's own gets little of the processor, and little is what it takes."""
    blocks: list[str] = []

    async def little() -> None:
        loop = asyncio.get_running_loop()
        hogs = [loop.run_in_executor(None, _burn, 0.4) for _ in range(4)]
        began = time.thread_time()
        while time.thread_time() - began < 0.02:
            pass
        await asyncio.gather(*hogs)

    with watched(blocks.append):
        asyncio.run(little())
    assert blocks == []


def test_time_of_the_garbage_collector_does_not_count() -> None:
    blocks: list[str] = []
    rings: list[object] = []
    for _ in range(100_000):
        ring: list[object] = []
        ring.append(ring)
        rings.append(ring)

    async def collects() -> None:
        began = time.thread_time()
        gc.collect()
        took.append(time.thread_time() - began)

    took: list[float] = []
    with watched(blocks.append, bound_s=0.002):
        asyncio.run(collects())
    assert took[0] > 0.002
    assert [block for block in blocks if "collects" in block] == []


def _burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
