"""Registers the identity service."""

from pathlib import Path

from steward.kit.crypto.passwords import Passwords, PasswordSettings
from steward.kit.module import Built, Job, Module, Parts
from steward.kit.settings import load
from steward.services.identity.api import IdentityApi
from steward.services.identity.http import ROUTES
from steward.services.identity.people import People
from steward.services.identity.platform.housekeeping import Housekeeping
from steward.services.identity.platform.last_use import LastUse
from steward.services.identity.platform.lock_out import LockOut
from steward.services.identity.platform.signing import SigningKeys
from steward.services.identity.quotas import Quotas
from steward.services.identity.rpc import IDENTITY, IdentityClient
from steward.services.identity.service import IdentityService
from steward.services.identity.settings import IdentitySettings
from steward.services.identity.use_case import IdentityParts

SETTINGS_PREFIX = "STEWARD_IDENTITY_"
PASSWORD_PREFIX = "STEWARD_PASSWORD_"  # noqa: S105 the beginning of variables' names


def build(parts: Parts) -> Built:
    settings = load(IdentitySettings, parts.environment, SETTINGS_PREFIX)
    passwords = Passwords(load(PasswordSettings, parts.environment, PASSWORD_PREFIX), parts.ids)
    signing = SigningKeys(parts.db, parts.envelope, parts.clock, parts.ids, settings)
    last_use = LastUse(parts.db, parts.clock, settings)
    housekeeping = Housekeeping(parts.db, parts.clock, parts.telemetry.metrics)
    identity_parts = IdentityParts(
        db=parts.db,
        clock=parts.clock,
        ids=parts.ids,
        authz=parts.authz,
        idempotency=parts.idempotency,
        intents=parts.intents,
        apis=parts.apis,
        passwords=passwords,
        people=People(parts.envelope),
        signing=signing,
        lock_out=LockOut(parts.db, parts.clock, settings),
        last_use=last_use,
        quotas=Quotas(parts.db, parts.apis, parts.intents),
        settings=settings,
    )

    service: IdentityApi = IdentityService(identity_parts)

    async def stop() -> None:
        passwords.close()
        await last_use.flush()

    return Built(
        api=service,
        jobs=(
            Job(name="identity-signing-keys", every_seconds=settings.rotation_check_seconds, run=signing.rotate),
            Job(name="identity-sweep", every_seconds=settings.sweep_seconds, run=housekeeping.sweep),
            Job(name="identity-sessions", every_seconds=30, run=housekeeping.count_sessions, everywhere=True),
            Job(
                name="identity-last-use",
                every_seconds=settings.last_used_seconds,
                run=last_use.flush,
                everywhere=True,
            ),
        ),
        intents=parts.intents,
        start=signing.rotate,
        stop=stop,
    )


MODULE = Module(
    name="identity",
    contract=IdentityApi,
    build=build,
    rpc=IDENTITY,
    client=IdentityClient,
    routes=ROUTES,
    migrations=Path(__file__).parent / "migrations",
)
