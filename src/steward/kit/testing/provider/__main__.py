"""Runs the lean provider: `python -m steward.kit.testing.provider --port 0`. Its first line of output is its URL."""

import argparse
import asyncio
import signal
import sys

import uvloop

from steward.kit.testing.provider.lean import LeanProvider, Plan


def plan_of(arguments: list[str]) -> tuple[str, int, Plan]:
    """Host, port and plan that a command line names."""
    parser = argparse.ArgumentParser(prog="python -m steward.kit.testing.provider", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--input-tokens", type=int, default=20)
    parser.add_argument("--output-tokens", type=int, default=20, help="at most; fewer where fewer are asked for")
    parser.add_argument("--deltas", type=int, default=20, help="of a streamed answer")
    parser.add_argument("--first-ms", type=float, default=0.0, help="before anything is sent")
    parser.add_argument("--between-ms", type=float, default=0.0, help="between deltas; 0 sends all at once")
    parser.add_argument("--fault", default="", choices=["", "429", "500", "503", "529", "reset", "cut", "hang"])
    parser.add_argument("--fault-every", type=int, default=0, help="strike every so many requests; 0 never")
    given = parser.parse_args(arguments)
    plan = Plan(
        input_tokens=given.input_tokens,
        output_tokens=given.output_tokens,
        deltas=given.deltas,
        first=given.first_ms / 1000,
        between=given.between_ms / 1000,
        fault=given.fault,
        fault_every=given.fault_every,
    )
    return given.host, given.port, plan


async def serve(host: str, port: int, plan: Plan) -> None:
    """Answer until a signal comes."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    server = await loop.create_server(LeanProvider(plan).connection, host, port, backlog=4096)
    sys.stdout.write(f"http://{host}:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await over.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve(*plan_of(sys.argv[1:])))
