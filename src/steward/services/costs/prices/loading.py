"""Where the price list comes from: the file beside this module, or the package where that is another version."""

import asyncio
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from steward.services.costs.prices.price_list import PriceList

FILE: Final = Path(__file__).with_name("list.txt")
_PROGRAM: Final = "steward.services.costs.prices.extracting"
_LONGEST: Final = 30.0
_TAIL: Final = 500


class ListUnreadable(Exception):
    """The list of the installed package cannot be made."""


def shipped() -> PriceList:
    """The list that this release came with; 3 ms."""
    return PriceList(FILE.read_bytes())


def installed() -> str:
    """The version of genai-prices that is installed now; empty where none is."""
    try:
        return version("genai-prices")
    except PackageNotFoundError:
        return ""


async def extracted() -> PriceList:
    """The list of the installed package, made in a process of its own. Raises `ListUnreadable`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _PROGRAM, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_LONGEST):
            written, said = await process.communicate()
    except TimeoutError as error:
        raise ListUnreadable(f"the prices of genai-prices were not there within {_LONGEST:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        tail = said.decode(errors="replace").strip()[-_TAIL:]
        raise ListUnreadable(f"genai-prices {installed()} cannot be read: {tail}")
    return await asyncio.to_thread(PriceList, written)
