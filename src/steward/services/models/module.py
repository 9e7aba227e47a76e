"""Registers the models service."""

from pathlib import Path

from steward.kit.module import Module
from steward.services.models.api import ModelsApi
from steward.services.models.assembly import assemble
from steward.services.models.http import ROUTES
from steward.services.models.rpc import MODELS, ModelsClient

MODULE = Module(
    name="models",
    contract=ModelsApi,
    build=assemble,
    rpc=MODELS,
    client=ModelsClient,
    routes=ROUTES,
    migrations=Path(__file__).parent / "migrations",
)
