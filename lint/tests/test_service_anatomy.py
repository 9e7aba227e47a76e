"""The rule `service-anatomy`."""

from collections.abc import Mapping

import pytest

from lint.rules.service_anatomy import check
from lint.source import Project
from lint.tests.samples import lines_found, marked

ROOT = "src/steward/services"
FILES = ("__init__", "api", "service", "repository", "http", "rpc", "errors", "events", "module", "migrations/one_0001")
WHOLE: Mapping[str, str] = {
    f"{ROOT}/__init__.py": '"""The services."""',
    **{f"{ROOT}/one/{name}.py": '"""A part."""' for name in FILES},
}

BAD_API = '''
from typing import Any, Protocol
import typing
import msgspec


class Tenant(msgspec.Struct):  # bad
    extra: Any  # bad


class TenantsApi(Protocol):
    async def get_tenant(self, tenant_id: str) -> Tenant:  # bad
        """One tenant."""

    async def find_tenant(self, ctx: Ctx, slug: str) -> typing.Any:  # bad
        """One tenant."""

    async def by_slug(self, ctx: Ctx, slug: str) -> Tenant:  # bad
        """One tenant."""

    async def all_tenants(self, ctx: Ctx, *slugs: str) -> Tenant:  # bad
        """Some tenants."""

    async def none() -> Tenant:  # bad
        """Not even itself."""

    def bare(self, ctx: Ctx):  # bad
        """No type."""

    async def list_tenants(self, ctx: Ctx, **filters: str) -> Tenant:  # bad
        """All tenants."""

    def count(self, ctx: Ctx) -> int:  # bad
        """How many."""

    async def delete(self, ctx: Ctx) -> None: ...  # bad
'''

GOOD_API = '''
from collections.abc import AsyncIterator
from typing import Protocol
import msgspec


class Tenant(msgspec.Struct, frozen=True):
    id: str


class TenantsApi(Protocol):
    async def get_tenant(self, ctx: Ctx, *, tenant_id: str) -> Tenant:
        """One tenant."""

    def export(self, ctx: Ctx) -> AsyncIterator[Tenant]:
        """All of them."""


class NotAContract:
    def helper(self, value): ...
'''


def missing(texts: Mapping[str, str]) -> list[str]:
    project = Project(texts)
    return [finding.message for finding in check(project.source(f"{ROOT}/__init__.py"))]


def test_a_whole_service_passes() -> None:
    assert missing(WHOLE) == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_part_is_found(name: str) -> None:
    texts = {path: text for path, text in WHOLE.items() if path != f"{ROOT}/one/{name}.py"}
    part = "migrations/" if "/" in name else f"{name}.py"
    assert missing(texts) == [f"no {part}"]


def test_a_part_may_be_a_folder() -> None:
    texts = {path: text for path, text in WHOLE.items() if path != f"{ROOT}/one/http.py"}
    assert missing({**texts, f"{ROOT}/one/http/users.py": ""}) == []


def test_sql_may_lie_in_the_folders_of_use_cases() -> None:
    texts = {path: text for path, text in WHOLE.items() if path != f"{ROOT}/one/repository.py"}
    assert missing({**texts, f"{ROOT}/one/keys/repository.py": ""}) == []
    assert missing({**texts, f"{ROOT}/two/keys/repository.py": ""})[0] == "no repository.py"


def test_the_docstring_needs_invariants_and_pitfalls() -> None:
    path = f"{ROOT}/one/__init__.py"
    assert lines_found(check, '"""Tenants.\n\nInvariants: one.\nPitfalls: two.\n"""', path) == []
    assert lines_found(check, '"""Tenants.\n\nInvariants: one.\n"""', path) == [1]
    assert lines_found(check, "", path) == [1]


def test_a_loose_contract_is_found() -> None:
    assert lines_found(check, BAD_API, f"{ROOT}/one/api.py") == marked(BAD_API)


def test_other_modules_may_be_loose() -> None:
    assert lines_found(check, BAD_API, f"{ROOT}/one/service.py") == []


def test_a_strict_contract_passes() -> None:
    assert lines_found(check, GOOD_API, f"{ROOT}/one/api.py") == []
