"""The reference says what the code says: operations, failures, permissions, events, commands, limits."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import msgspec
import pytest
from typer.main import get_command

import steward
from steward.bootstrap.cli.app import build_app
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.modules import MODULES
from steward.gateway.authn import Authenticator
from steward.gateway.consumers import consumers
from steward.kit.errors import GRPC_STATUS, HTTP_STATUS, Kind, error_classes
from steward.kit.outbox import DomainEvent, StoredEvent
from steward.services.identity.api import Role
from steward.services.identity.roles import GRANTABLE, permissions_of, role_infos
from steward.services.tenants.plans import PLANS
from tests.docs.pages import ROOT, code, table
from tests.gateway.rig import Rig, running

REFERENCE = ROOT / "docs" / "reference"
_NOT_IMPORTED = ("migrations", "alembic")


@pytest.fixture(scope="session")
async def rig() -> Any:
    async with running() as started:
        yield started


async def test_operations_are_those_of_the_openapi_document(rig: Rig) -> None:
    document = msgspec.json.decode((await rig.call("GET", "/openapi.json")).body)
    served = {
        (f"{method.upper()} {path}", operation["operationId"]): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    rows = {(code(row[0])[0], code(row[1])[0]): row for row in table(REFERENCE / "api.md", "Operations")}
    assert set(rows) == set(served)
    for key, (_, _, does, needs) in rows.items():
        operation = served[key]
        assert ("*open*" in needs) == (operation.get("security") == []), key
        takes_key = any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
        assert ("*key*" in does) == takes_key, key
        unknown = {one for one in code(needs) if one not in GRANTABLE}
        assert not unknown, key
        said = f"{operation['summary']} {operation.get('description', '')}"
        missing = {one for one in code(needs) if f"`{one}`" not in said}
        assert not missing, f"{key} is said to need {missing}"


def test_kinds_have_their_status() -> None:
    rows = {row[0].strip("`"): (int(row[1]), row[2].strip("`")) for row in table(REFERENCE / "api.md", "Failures")}
    assert rows == {kind.value: (HTTP_STATUS[kind], GRPC_STATUS[kind]) for kind in Kind}


def test_quotas_of_plans_are_those_of_the_code() -> None:
    rows = {
        row[0].strip("`"): tuple(int(cell.replace(",", "")) for cell in row[1:])
        for row in table(REFERENCE / "api.md", "Quotas and plans")
    }
    plans = list(PLANS.values())
    assert rows == {quota.value: tuple(plan[quota] for plan in plans) for quota in plans[0]}


def test_errors_are_those_of_the_code() -> None:
    _load_everything()
    # Not those that other tests had made for codes of other versions.
    named = [cls for cls in error_classes() if cls.__name__ != "RemoteError"]
    ours = [cls for cls in named if cls.__module__.startswith("steward.") and "code" in vars(cls)]
    rows = {row[0].strip("`"): row[1].strip("`") for row in table(REFERENCE / "errors.md", "Errors")}
    assert rows == {cls.code: cls.kind.value for cls in ours}


def test_roles_are_those_of_the_code() -> None:
    rows = _roles()
    assert set(rows) == {role.value for role in Role}
    for info in role_infos():
        inherits, adds = rows[info.role.value]
        assert set(inherits) == {role.value for role in info.inherits}, info.role
        told = set(adds) | permissions_of(Role(role) for role in inherits)
        assert told == set(info.permissions), info.role
        assert adds == sorted(adds), info.role


def _roles() -> dict[str, tuple[list[str], list[str]]]:
    """What each role inherits and adds; a row without a role goes on with the one above it."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    role = ""
    for name, inherits, adds in table(REFERENCE / "permissions.md", "Roles"):
        role = name.strip("`") or role
        before, more = found.setdefault(role, ([], []))
        before.extend(code(inherits))
        more.extend(code(adds))
    return found


def test_permissions_are_those_of_the_code() -> None:
    rows = [row[0].strip("`") for row in table(REFERENCE / "permissions.md", "Permissions")]
    assert rows == sorted(GRANTABLE)


@pytest.mark.parametrize("service", [module.name for module in MODULES])
def test_events_are_those_of_the_code(service: str) -> None:
    found = importlib.import_module(f"steward.services.{service}.events")
    rows = {row[0].strip("`"): code(row[1]) for row in table(REFERENCE / "events.md", service)}
    assert rows == {name: list(event.__struct_fields__) for name, event in _events(found).items()}


def test_envelope_of_events_is_that_of_the_code() -> None:
    rows = [row[0].strip("`") for row in table(REFERENCE / "events.md", "Envelope")]
    assert rows == list(StoredEvent.__struct_fields__)


def test_consumers_are_those_of_the_code(rig: Rig) -> None:
    authenticator: Authenticator = rig.authenticator
    rows = [
        (row[0].strip("`"), tuple(code(row[1])), row[2] == "broadcast")
        for row in table(REFERENCE / "events.md", "Consumers")
    ]
    assert rows == [(one.name, tuple(one.sources), one.broadcast) for one in consumers(authenticator)]


def test_grpc_services_are_those_of_the_code() -> None:
    rows = [row[0].strip("`") for row in table(REFERENCE / "grpc.md", "gRPC")]
    assert {row for row in rows if row.startswith("steward.")} == {module.rpc.full_name for module in MODULES}


def test_commands_are_those_of_the_program() -> None:
    rows = [code(row[0])[0].split() for row in table(REFERENCE / "cli.md", "Commands")]
    program = get_command(build_app([], everything=True))
    there = {" ".join(path): command for path, command in _commands(program).items()}
    told = {" ".join(_name(words, there)): words for words in rows}
    assert set(told) == set(there)
    for name, words in told.items():
        options = {option for one in there[name].params for option in one.opts}
        used = {word.strip("[]") for word in words if word.strip("[").startswith("--")}
        assert used <= options, name


def test_exit_codes_are_those_of_the_program() -> None:
    rows = [int(row[0]) for row in table(REFERENCE / "cli.md", "Exit codes")]
    assert rows == [code.value for code in Exit]


def _load_everything() -> None:
    for found in pkgutil.walk_packages(steward.__path__, "steward."):
        if not any(part in found.name.split(".") for part in _NOT_IMPORTED) and "migrate" not in found.name:
            importlib.import_module(found.name)


def _events(module: ModuleType) -> dict[str, type[DomainEvent]]:
    return {
        name: cls
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, DomainEvent) and cls is not DomainEvent
    }


def _commands(group: Any, path: tuple[str, ...] = ()) -> Mapping[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, command in group.commands.items():
        here = (*path, name)
        found |= _commands(command, here) if hasattr(command, "commands") else {here: command}
    return found


def _name(words: list[str], there: Mapping[str, Any]) -> list[str]:
    """The command that a line of the table begins with, without the program's name."""
    assert words[0] == "steward"
    return words[1:3] if " ".join(words[1:3]) in there else words[1:2]
