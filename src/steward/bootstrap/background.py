"""Background work of a process: repeated jobs, and intents that were left behind."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from steward.bootstrap.foundation import Foundation
from steward.bootstrap.rotation import rotation
from steward.bootstrap.services import Services
from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import Database
from steward.kit.idempotency.repository import drop_older
from steward.kit.module import Job

RESUME_SECONDS = 5.0
REPLIES_KEPT = timedelta(hours=24)
"""How long an Idempotency-Key is remembered."""


class Background:
    """Runs jobs until stopped. A job of the fleet is done by the process that holds its lock."""

    def __init__(self, foundation: Foundation, services: Services) -> None:
        self._wake = foundation.wake
        self._clock = foundation.clock
        self._log = foundation.telemetry.log
        self._jobs = [*_service_jobs(services), *_kit_jobs(foundation, services)]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._repeat(job), name=f"job-{job.name}") for job in self._jobs]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _repeat(self, job: Job) -> None:
        while True:
            try:
                if job.everywhere or await self._wake.try_lock(f"job:{job.name}"):
                    await job.run()
            except Exception as error:  # noqa: BLE001 - reported, and a job must outlive any failure
                self._log.exception("background job failed", job=job.name, exc_info=error)
            await self._clock.sleep(job.every_seconds)


async def resume_everything(services: Services) -> int:
    """Carry on with every intent at once: for a start-up that knows that no other process is there."""
    tried = 0
    for built in services.local.values():
        if built.intents is not None:
            tried += await built.intents.resume(everything=True)
    return tried


def _service_jobs(services: Services) -> Sequence[Job]:
    jobs: list[Job] = []
    for name, built in services.local.items():
        jobs.extend(built.jobs)
        if built.intents is not None:
            jobs.append(
                Job(name=f"{name} intents", every_seconds=RESUME_SECONDS, run=built.intents.resume, everywhere=True)
            )
    return jobs


def _kit_jobs(foundation: Foundation, services: Services) -> Sequence[Job]:
    replies = _Replies(foundation.database, foundation.clock, list(services.local))
    return (
        Job(name="bus clean-up", every_seconds=3600, run=lambda: foundation.bus.sweep(tuple(services.modules))),
        Job(name="idempotency clean-up", every_seconds=3600, run=replies.clean_up),
        rotation(foundation.keyring, foundation.telemetry.log),
    )


class _Replies:
    """Forgets stored answers of idempotent requests when they are old."""

    def __init__(self, database: Database, clock: Clock, services: Sequence[str]) -> None:
        self._database = database
        self._clock = clock
        self._services = services

    async def clean_up(self) -> None:
        before = self._clock.now() - REPLIES_KEPT
        for service in self._services:
            ctx = SystemCtx(reason="old idempotency keys", service=service)
            async with self._database.service(service).system_tx(ctx) as tx:
                await drop_older(tx, before)
