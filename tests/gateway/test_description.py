"""The pages and the OpenAPI document: complete, self-contained, true to what is served."""

import re
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from litestar import get

from steward.gateway.site import ROUTES_OF
from steward.kit.health import Status
from tests.gateway.rig import BEARER, ROUTES, Rig, running

OPEN = {"login", "refresh", "register", "get_jwks", "get_health", "get_readiness", "get_metrics"}


@pytest.fixture(scope="session")
async def api(shared: Rig) -> dict[str, Any]:
    return msgspec.json.decode((await shared.call("GET", "/openapi.json")).body)


def operations(api: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    found = {
        operation["operationId"]: (method, path, operation)
        for path, item in api["paths"].items()
        for method, operation in item.items()
    }
    assert len(found) == sum(len(item) for item in api["paths"].values())
    return found


NAMING_ONE = {
    *("list_sessions", "give_feedback", "chat", "get_shop", "delete_shop"),
    *("create_chat_completion", "create_response", "create_embeddings", "create_message", "count_message_tokens"),
}
"""Operations without path parameters whose query or body, or tenant, may mean what is not there."""


async def test_each_route_is_described_with_its_failures(api: dict[str, Any]) -> None:
    found = operations(api)
    assert {handler.handler_name for handler in ROUTES} <= set(found)
    for name, (_, path, operation) in found.items():
        assert operation["summary"], name
        assert operation["tags"], name
        # Other APIs' dialects know no 422.
        assert {"400", "429", "500", "503", "504"} <= set(operation["responses"]), name
        assert ("422" in operation["responses"]) == (not path.startswith("/v1/")), name
        assert (operation.get("security") == []) == (name in OPEN), name
        assert ("{" in path or name in NAMING_ONE) == ("404" in operation["responses"]), name


async def test_each_reference_resolves(api: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref":"#/components/(\w+)/([^"]+)"', msgspec.json.encode(api).decode()))
    assert references
    for kind, name in references:
        assert name in api["components"][kind], name
        assert re.fullmatch(r"[A-Za-z0-9]+", name)


async def test_bounds_and_meanings_are_in_the_schemas(api: dict[str, Any]) -> None:
    schemas = api["components"]["schemas"]
    body = schemas["ApiKeyBody"]
    assert body["additionalProperties"] is False
    assert body["properties"]["name"]["maxLength"] == 200
    assert schemas["User"]["properties"]["created_at"]["format"] == "date-time"
    assert "default" in str(schemas["UserPage"]["properties"]["next_cursor"])
    assert schemas["Tokens"]["properties"]["expires_in"]["description"].startswith("Seconds")
    limit = next(one for one in api["paths"]["/api/v1/users"]["get"]["parameters"] if one["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}


async def test_creating_operations_take_an_idempotency_key(api: dict[str, Any]) -> None:
    taking = {
        name
        for name, (_, _, operation) in operations(api).items()
        if any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
    }
    assert taking == {"invite_user", "create_api_key", "create_tenant", "create_faq", "chat", "create_budget"}


async def test_document_is_the_same_at_both_addresses(shared: Rig) -> None:
    first, second = [await shared.call("GET", path) for path in ("/openapi.json", "/api/openapi.json")]
    assert first.body == second.body
    again = await shared.call("GET", "/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ROUTES_OF)
async def test_page_is_self_contained(shared: Rig, path: str) -> None:
    answer = await shared.call("GET", path)
    assert answer.status == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    text = answer.body.decode()
    addresses = set(re.findall(r"""https?://[^\s"'`]+""", text)) - {"http://www.w3.org/2000/svg"}
    assert not addresses
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|innerHTML|<style", text)


def test_start_page_says_the_same_in_each_language(shared: Rig) -> None:
    texts = (site_file("texts.js")).split("export const TEXTS")[1]
    blocks = re.split(r"^  (?:en|\"zh-Han[ts]\"): \{$", texts, flags=re.MULTILINE)[1:]
    keys = [re.findall(r"^ {4,6}(\w+):", block, flags=re.MULTILINE) for block in blocks]
    assert len(keys) == 3
    assert keys[0] == keys[1] == keys[2]
    used = set(re.findall(r'data-text="(\w+)"', site_file("start.html")))
    assert used <= set(keys[0])


def site_file(name: str) -> str:
    return (files("steward.gateway") / "pages" / name).read_text(encoding="utf-8")


async def test_probes_say_what_is_wrong() -> None:
    async with running() as rig:
        assert (await rig.call("GET", "/health")).status == 200
        rig.ops.status = Status.DOWN
        down = await rig.call("GET", "/health")
        assert down.status == 503
        assert msgspec.json.decode(down.body)["dependencies"]["database"]["status"] == "down"
        assert (await rig.call("GET", "/ready")).status == 503
        assert (await rig.call("HEAD", "/ready")).body == b""
        metrics = await rig.call("GET", "/metrics")
        assert metrics.headers["content-type"].startswith("text/plain")
        assert metrics.body == b"steward_up 1\n"


def test_path_that_is_open_to_one_method_only_is_a_defect(shared: Rig) -> None:
    @get("/api/v1/auth/login")
    async def peek() -> None: ...

    with pytest.raises(TypeError, match="cannot be open"):
        shared.build([*ROUTES, peek])


async def test_list_is_read_page_by_page(shared: Rig) -> None:
    page = msgspec.json.decode((await shared.call("GET", "/api/v1/users?limit=2", headers=BEARER)).body)
    assert len(page["items"]) == 2
    following = await shared.call("GET", f"/api/v1/users?limit=2&cursor={page['next_cursor']}", headers=BEARER)
    assert msgspec.json.decode(following.body)["next_cursor"] != page["next_cursor"]
