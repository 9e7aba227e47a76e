"""gRPC under uvloop, the loop of the real processes; in a process of its own, for gRPC serves one loop a process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio
import uvloop
from steward.kit.ids import TenantId
from tests.support.rpc import IDS, TenantGone, ctx, running

async def main():
    assert type(asyncio.get_running_loop()) is uvloop.Loop
    async with running() as world:
        async with world.tenants_client() as tenants, world.audit_client() as audit:
            for _ in range(20):
                await asyncio.gather(
                    *(tenants.get_tenant(ctx(), tenant_id=TenantId(IDS.new())) for _ in range(20))
                )
            world.audit.count = 300
            assert len([one async for one in audit.export_entries(ctx())]) == 300
            world.tenants.fails = TenantGone(IDS.new())
            try:
                await tenants.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
            except TenantGone:
                world.tenants.fails = None
            world.tenants.hangs = True
            world.tenants.entered.clear()
            call = asyncio.create_task(tenants.get_tenant(ctx(), tenant_id=TenantId(IDS.new())))
            await world.tenants.entered.wait()
            call.cancel()
            await asyncio.wait_for(world.tenants.cancelled.wait(), 5)
    print("all is well")

uvloop.run(main())
"""


def test_calls_streams_failures_and_cancellation_work_under_uvloop() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "GRPC_VERBOSITY": "ERROR"},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("all is well\n", "", 0)
