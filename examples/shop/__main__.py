"""Runs the shop: `python -m examples.shop --data DIR --port N --tenant ID`."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from examples.shop.app import create_app, described
from examples.shop.service import open_shop

HOST = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    shop = open_shop(options.data, options.tenant, options.credential_sha256)
    app = create_app(shop)
    if options.openapi:
        document = msgspec.json.encode(described(app), order="sorted")
        sys.stdout.write(msgspec.json.format(document).decode() + "\n")
        return 0
    if shop.new_credential:
        print(f"Credential, shown this once: {shop.new_credential}")
    try:
        _check_free(options.port)
    except OSError as error:
        print(f"cannot listen on {HOST}:{options.port}: {error}; choose another --port", file=sys.stderr)
        return 1
    server = Server(
        app,
        address=HOST,
        port=options.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    )
    print(f"The shop is at http://{HOST}:{options.port}", flush=True)
    asyncio.run(_serve(server, until_stdin_ends=options.until_stdin_ends))
    shop.database.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.shop", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the shop's database")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--tenant", default="demo", help="whom customer tokens are for (their `aud`)")
    parser.add_argument("--credential-sha256", help="hash of the credential to accept, instead of one made here")
    parser.add_argument("--until-stdin-ends", action="store_true", help="end with whoever holds the other end")
    parser.add_argument("--openapi", action="store_true", help="print the OpenAPI document and end")
    return parser


def _check_free(port: int) -> None:
    """The server itself would share a port in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


async def _serve(server: Server, *, until_stdin_ends: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_ends:
        loop.add_reader(sys.stdin.fileno(), _heed_end, stop)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    await serving
    stopping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await stopping


def _heed_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
