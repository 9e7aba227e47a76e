"""Registers the audit service."""

from pathlib import Path

from steward.kit.module import Built, Job, Module, Parts
from steward.kit.settings import load
from steward.services.audit.anchor import Anchor
from steward.services.audit.api import AuditApi
from steward.services.audit.collector import AuditSettings, Collector
from steward.services.audit.http import ROUTES
from steward.services.audit.rpc import AUDIT, AuditClient
from steward.services.audit.service import AuditService
from steward.services.audit.signing import Signer


def build(parts: Parts) -> Built:
    settings = load(AuditSettings, parts.environment, "STEWARD_AUDIT_")
    signer = Signer(parts.db, parts.envelope, parts.clock, parts.ids)
    anchor = Anchor(parts.home / "audit" / "checkpoints.jsonl")
    collector = Collector(
        parts.db, parts.reader, parts.wake, signer, anchor, parts.sources, settings, parts.clock, parts.telemetry
    )
    return Built(
        api=AuditService(parts.db, parts.authz, signer, anchor),
        jobs=(Job(name="audit outbox clean-up", every_seconds=3600, run=collector.clean_up),),
        start=collector.start,
        stop=collector.stop,
    )


MODULE = Module(
    name="audit",
    contract=AuditApi,
    build=build,
    rpc=AUDIT,
    client=AuditClient,
    routes=ROUTES,
    migrations=Path(__file__).parent / "migrations",
)
