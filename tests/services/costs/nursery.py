"""A process that forks workers of the costs engine, each of which makes many calls at once and may be killed.

    python -m tests.services.costs.nursery DSN TENANT PORT

Each line on its input, `PROCESSES CALLS`, is one round: it answers with the processes' ids, and with `done` when all
have ended. Forking saves each worker half a second of imports.
"""

import asyncio
import os
import random
import sys
from uuid import UUID

from steward.kit.clock import SystemClock
from steward.kit.ids import TenantId
from steward.services.costs.errors import BudgetExhausted
from tests.services.costs.house import Process
from tests.support.database import database_at

BEAT_SECONDS = 1.0


class Provider:
    """The way to the provider: a line `call input output` is answered by what it billed, `call input output`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, asyncio.Future[tuple[int, int]]] = {}
        self._task = asyncio.create_task(self._read())

    async def ask(self, call_id: UUID, input_tokens: int, output_tokens: int) -> tuple[int, int]:
        future = self._waiting[str(call_id)] = asyncio.get_running_loop().create_future()
        self._writer.write(f"{call_id} {input_tokens} {output_tokens}\n".encode())
        return await future

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def _read(self) -> None:
        while line := await self._reader.readline():
            call_id, read, written = line.decode().split()
            self._waiting.pop(call_id).set_result((int(read), int(written)))


async def call(process: Process, tenant: TenantId, provider: Provider) -> None:
    read, wanted = random.randint(10, 200), random.randint(10, 2000)
    try:
        granted = await process.reserve(tenant, (read, wanted), least=5)
    except BudgetExhausted:
        return
    used = await provider.ask(granted.call_id, read, granted.output_tokens)
    await process.settle(tenant, granted.call_id, used)


async def beat(process: Process) -> None:
    while True:
        await process.engine.beat()
        await asyncio.sleep(BEAT_SECONDS)


async def work(dsn: str, tenant: TenantId, port: int, calls: int) -> None:
    clock = SystemClock()
    async with database_at(dsn, clock=clock, pool_size=4) as database:
        process = Process(database, clock)
        beating = asyncio.create_task(beat(process))
        provider = Provider(*await asyncio.open_connection("127.0.0.1", port))
        await asyncio.gather(*(call(process, tenant, provider) for _ in range(calls)))
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await provider.close()
        await process.engine.stop()


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(dsn: str, tenant: TenantId, port: int) -> None:
    for line in sys.stdin:
        count, calls = map(int, line.split())
        children: list[int] = []
        for _ in range(count):
            child = os.fork()
            if child == 0:
                random.seed()
                asyncio.run(work(dsn, tenant, port, calls))
                os._exit(0)
            children.append(child)
        say(*children)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        say("done", *codes)


if __name__ == "__main__":
    main(sys.argv[1], TenantId(UUID(sys.argv[2])), int(sys.argv[3]))
