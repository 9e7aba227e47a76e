"""The OpenAPI document is valid and complete, and the running edge answers as it says, whatever it is sent."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.definitions import OPENAPI_31

from steward.kit.rpc.service import Operation
from steward.services.identity.api import Role
from tests.authorization.operations import RECIPES, routes_of
from tests.authorization.recipes.batches import own_batch, own_file
from tests.authorization.recipes.costs import budget, correct
from tests.authorization.stage import Stage
from tests.support.house import RPCS, House

EXAMPLES = (5, pytest.param(200, marks=(pytest.mark.proof, pytest.mark.timeout(3600))))
"""Of each operation and kind of data: a sample for every day, and the long proof."""
SEED = 20_260_101
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

MADE = {"file_id": own_file, "batch_id": own_batch, "budget_id": budget, "call_id": correct}
"""Makes what an id in a path is of."""

NAMED_OPERATIONS: Mapping[str, tuple[str, str, str]] = {
    "Register": ("UserService", "post", "/api/v1/auth/register"),
    "Login": ("UserService", "post", "/api/v1/auth/login"),
    "GetUser": ("UserService", "get", "/api/v1/users/{user_id}"),
    "UpdateUser": ("UserService", "patch", "/api/v1/users/{user_id}"),
    "AssignRole": ("UserService", "put", "/api/v1/users/{user_id}/roles/{role}"),
    "CreateTenant": ("TenantService", "post", "/api/v1/tenants"),
    "GetTenant": ("TenantService", "get", "/api/v1/tenants/{tenant_id}"),
    "UpdateTenantQuota": ("TenantService", "put", "/api/v1/tenants/{tenant_id}/quotas/{quota}"),
    "GetTenantUsage": ("TenantService", "get", "/api/v1/tenants/{tenant_id}/usage"),
}
"""The operations of users and tenants that the requirements (D2) name, with service and route."""


def test_document_is_valid_openapi(document: dict[str, Any]) -> None:
    """By the schema of the OpenAPI Initiative for 3.1."""
    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)] == []


def test_schemas_are_valid_json_schema(document: dict[str, Any]) -> None:
    """JSON Schema 2020-12, which the OpenAPI 3.1 schema leaves unchecked; references lead somewhere."""
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert schema.get("title") == name or name == "Problem"
    for reference in re.findall(r"'\$ref': '#/components/(\w+)/(\w+)'", str(document)):
        assert reference[1] in document["components"][reference[0]]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    found = routes_of(document)
    schemes = set(document["components"]["securitySchemes"])
    for name, route in found.items():
        method, path, one = route.method, route.path, route.described
        assert one["summary"].strip(), name
        assert one["tags"], name
        security = one.get("security", document["security"])
        assert all(set(choice) <= schemes for choice in security), name
        answers = set(one["responses"])
        assert {"400", "429", "500", "503", "504"} <= answers, name
        assert ("422" in answers) == (not path.startswith("/v1/")), name
        assert not security or {"401", "403"} <= answers, name
        assert ("{" not in path) or "404" in answers, name
        assert ("requestBody" not in one) or {"413", "415"} <= answers, name
        assert method == "get" or "409" in answers, name
        done = sorted(status for status in answers if status.startswith("2"))
        assert len(done) == 1 or (name, done) == ("put_intents", ["200", "202"]), name
        named = {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"


@pytest.mark.parametrize("rpc", NAMED_OPERATIONS)
def test_operation_that_the_requirements_name_has_route_and_rpc(document: dict[str, Any], rpc: str) -> None:
    service, method, path = NAMED_OPERATIONS[rpc]
    operation = _rpc(service, rpc)
    assert document["paths"][path][method]["operationId"] == operation.method


def _rpc(service: str, rpc: str) -> Operation:
    return next(one for one in RPCS.values() if one.path == f"/steward.v1.{service}/{rpc}")


async def test_valid_calls_of_every_operation_answer_as_described(document: dict[str, Any], house: House) -> None:
    routes = routes_of(document)
    schema = await asyncio.to_thread(schemathesis.openapi.from_dict, document)
    tenant = await house.installation.tenant()
    member = await house.member(tenant, *Role)
    called: set[str] = set()
    for recipe in RECIPES:
        if recipe.method not in routes or not recipe.allows(member.ctx.scopes):
            continue
        caller = await house.logged_in(tenant.id, member.email)
        arguments = await recipe.prepare(Stage(house=house, caller=caller, tenant=tenant))
        route = routes[recipe.method]
        request = recipe.request(route.method, route.path, route.described, arguments)
        answer = await asyncio.to_thread(
            requests.request,
            request.method,
            house.url + request.path,
            params=request.query,
            data=request.body,
            headers={**caller.bearer, **request.headers},
            timeout=20,
        )
        assert answer.ok, f"{recipe.name}: {answer.text}"
        await asyncio.to_thread(schema[route.path][route.method].validate_response, answer)
        called.add(recipe.method)
    assert called == set(routes)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("examples", EXAMPLES)
async def test_edge_answers_as_described(
    document: dict[str, Any], house: House, mode: GenerationMode, examples: int
) -> None:
    """Data that fit the schemas and data that do not; with ids of things that are there, and made-up ones."""
    schema = await asyncio.to_thread(schemathesis.openapi.from_dict, document)
    # A text that is too long for its field may make a body that is too large for any.
    schema.config.checks.negative_data_rejection.expected_statuses.append("413")
    failures: list[str] = []
    for operation in await asyncio.to_thread(_all, schema):
        if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
            continue
        # One with all roles, so that what is asked gets far; anew each time, for what is sent ends sessions and quotas.
        tenant = await house.installation.tenant()
        caller = await house.member(tenant, *Role)
        ids = {"user_id": str(caller.id), "tenant_id": str(tenant.id), "seq": 1}
        stage = Stage(house=house, caller=caller, tenant=tenant)
        names = {one.name for one in operation.path_parameters}
        for name in names & set(MADE):
            ids[name] = str((await MADE[name](stage))[name])
        known = {name: ids[name] for name in names & set(ids)}
        for fixed in ({}, known) if known and mode is GenerationMode.POSITIVE else ({},):
            cases = await asyncio.to_thread(operation.as_strategy, mode, path_parameters=dict(fixed) or None)
            run = _examples(cases, examples, house.url, caller.bearer)
            failures += await asyncio.to_thread(_failures, run)
    assert not failures, "\n\n".join(failures)


def _all(schema: BaseSchema) -> list[APIOperation]:
    return [found.ok() for found in schema.get_all_operations()]


def _takes_anything(operation: APIOperation) -> bool:
    return any((operation.path_parameters, operation.query, operation.headers, operation.body))


def _examples(cases: SearchStrategy[Case], examples: int, url: str, headers: Mapping[str, str]) -> Callable[[], None]:
    session = requests.Session()

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case: Case) -> None:
        case.call_and_validate(base_url=url, session=session, headers=dict(headers), checks=CHECKS, timeout=20)

    return run


def _failures(run: Callable[[], None]) -> list[str]:
    try:
        run()
    except FailureGroup as found:
        return [str(found)]
    return []
