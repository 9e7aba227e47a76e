"""How to call each operation validly, and who may: one recipe or more for every operation of the contracts.

A recipe names the method of the contract. The rpc and the HTTP route of an operation are called by the same recipe,
for both carry the method's arguments under their names. Each service's recipes are a module of `recipes`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tests.authorization.recipes.audit import AUDIT
from tests.authorization.recipes.batches import BATCHES, UPLOADS
from tests.authorization.recipes.costs import COSTS, TABLES
from tests.authorization.recipes.identity import IDENTITY
from tests.authorization.recipes.knowledge import KNOWLEDGE
from tests.authorization.recipes.models import MODELS, SURFACES
from tests.authorization.recipes.recipe import Across, Arguments, Kind, Recipe, of
from tests.authorization.recipes.support import SUPPORT
from tests.authorization.recipes.tenants import TENANTS

__all__ = ["CONTRACTS", "RECIPES", "Across", "Arguments", "Kind", "Recipe", "Route", "routes_of"]

PROBES: Sequence[Recipe] = (
    of("get_health", Kind.OPEN),
    of("get_readiness", Kind.OPEN),
    of("get_metrics", Kind.OPEN),
)
"""Over HTTP only."""

CONTRACTS: Mapping[str, Sequence[Recipe]] = {
    "identity": IDENTITY,
    "tenants": TENANTS,
    "audit": AUDIT,
    "costs": COSTS,
    "models": (*MODELS, *BATCHES),
    "knowledge": KNOWLEDGE,
    "support": SUPPORT,
}
RECIPES: Sequence[Recipe] = (
    *(recipe for recipes in CONTRACTS.values() for recipe in recipes),
    *TABLES,
    *SURFACES,
    *UPLOADS,
    *PROBES,
)


class Route(msgspec.Struct, frozen=True):
    """An operation of the OpenAPI document."""

    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def operation(self) -> str:
        return self.described["operationId"]


def routes_of(document: Mapping[str, Any]) -> Mapping[str, Route]:
    """The operations of an OpenAPI document by their `operationId`."""
    found: dict[str, Route] = {}
    for path, item in document["paths"].items():
        for method, described in item.items():
            assert described["operationId"] not in found, f"two routes are {described['operationId']}"
            found[described["operationId"]] = Route(method, path, described)
    return found
