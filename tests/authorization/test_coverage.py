"""Every operation of the OpenAPI document and of the proto descriptors has a recipe, or is named as uncovered."""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path

import steward_proto.v1
from steward.bootstrap.modules import MODULES
from tests.authorization.operations import CONTRACTS, RECIPES, Route
from tests.support.house import RPCS

UNCOVERED = Path(__file__).with_name("uncovered.txt")
COVERED = {recipe.method for recipe in RECIPES}


def described_services() -> set[str]:
    """The gRPC services of all proto files."""
    files = [
        importlib.import_module(f"steward_proto.v1.{module.name}")
        for module in pkgutil.iter_modules(steward_proto.v1.__path__)
        if module.name.endswith("_pb2")
    ]
    return {service.full_name for file in files for service in file.DESCRIPTOR.services_by_name.values()}


def test_nothing_is_uncovered() -> None:
    assert UNCOVERED.read_text() == ""


def test_every_operation_of_the_openapi_document_has_a_recipe(routes: Mapping[str, Route]) -> None:
    assert set(routes) - COVERED - set(UNCOVERED.read_text().split()) == set()


def test_every_rpc_has_a_recipe() -> None:
    assert described_services() == {module.rpc.full_name for module in MODULES}
    assert set(RPCS) - COVERED - set(UNCOVERED.read_text().split()) == set()


def test_methods_of_all_contracts_have_different_names() -> None:
    """Recipes go by them, over both transports."""
    names = [operation.method for module in MODULES for operation in module.rpc.operations.values()]
    assert sorted(names) == sorted(set(names))


def test_every_recipe_is_of_an_operation(routes: Mapping[str, Route]) -> None:
    assert COVERED - set(routes) - set(RPCS) == set()
    by_module = {module.name: {one.method for one in module.rpc.operations.values()} for module in MODULES}
    assert {name: {recipe.method for recipe in recipes} for name, recipes in CONTRACTS.items()} == by_module


def test_recipes_have_names_of_their_own() -> None:
    names = [recipe.name for recipe in RECIPES]
    assert len(names) == len(set(names))


def test_routes_are_open_where_the_recipes_say_so(routes: Mapping[str, Route]) -> None:
    declared = {name for name, route in routes.items() if route.described.get("security") == []}
    assert declared == {recipe.method for recipe in RECIPES if recipe.kind.name == "OPEN"}
