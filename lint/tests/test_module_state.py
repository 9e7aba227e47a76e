"""The rule `module-state`, and what counts as frozen."""

import pytest

from lint.frozen import class_shapes, frozen_classes
from lint.rules.module_state import check
from lint.source import Project
from lint.tests.samples import lines_found, marked

MODULE = "src/steward/kit/sample.py"
OTHERS = {
    "src/steward/kit/context.py": """
class Actor(msgspec.Struct, frozen=True): ...
class Agent(Actor): ...
class Kind(StrEnum): ...
TenantId = NewType("TenantId", UUID)
""",
    "src/steward/kit/pool.py": "class Pool: ...",
}

BAD = """
import functools
from collections import defaultdict
from typing import Any, Final
from structlog import get_logger

CACHE = {}  # bad
SEEN: list[str] = []  # bad
NAMES: Final = ["a"]  # bad
SQUARES = [n * n for n in range(3)]  # bad
BY_NAME = defaultdict(list)  # bad
POOL = Pool()  # bad
POOL_TYPED: Pool = Pool()  # bad
POOL_OR_NOT: Pool | None = Pool()  # bad
LITERAL: 1 = Pool()  # bad
POOL_CAST = cast(object, Pool())  # bad
CALLED = makers[0]()()  # bad
LOG = get_logger()  # bad
PAIR = (1, {})  # bad
WORDS = "a b".split()  # bad
CACHE["a"] = 1  # bad
if True:
    LATE = set()  # bad


def change():
    global CACHE  # bad
    CACHE = {}


@functools.cache
def expensive(ctx):  # bad
    return ctx


@functools.lru_cache
def costly(around: Ctx):  # bad
    return around


class Reader:
    @functools.lru_cache(maxsize=10)
    def read(self):  # bad
        return 1
"""

GOOD = """
import functools
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")
__all__ = ["T"]
LIMIT = 5
NAMES: Sequence[str] = ["a"]
CODES: Mapping[str, int] = {"a": 1}
FINAL_CODES: Final[Mapping[str, int]] = {"a": 1}
WORDS: "Sequence[str]" = "a b".split()
KINDS = frozenset({"a"})
VIEW = MappingProxyType({"a": 1})
PATTERN = re.compile("a")
DECODER = msgspec.json.Decoder(str)
ANYONE = Actor("anonymous")
AGENT = Agent("a")
PLATFORM = TenantId(0)
KIND = Kind("a")
TABLE = bytes.maketrans(b"a", b"b")
BRAND = "steward".encode()
MIXED = (1, frozenset(), Actor("a"))


NOTHING: "str | None" = find()
COUNTED = cast(int, 1)


@functools.cache
def fields_of(cls: type):
    seen = {}
    return seen
"""


def test_state_of_modules_is_found() -> None:
    assert lines_found(check, BAD, MODULE, OTHERS) == marked(BAD)


def test_constants_pass() -> None:
    assert lines_found(check, GOOD, MODULE, OTHERS) == []


@pytest.mark.parametrize(
    ("code", "home"), [("MODULE = Module(name='a')", "module.py"), ("RPC = RpcService(name='a')", "rpc.py")]
)
def test_registrations_are_allowed_in_their_file_only(code: str, home: str) -> None:
    assert lines_found(check, code, f"src/steward/services/tenants/{home}") == []
    assert lines_found(check, code, "src/steward/services/tenants/service.py") == [1]


def test_a_class_of_the_file_goes_before_others_of_its_name() -> None:
    frozen = "class Pool(Struct, frozen=True): ...\nPOOL = Pool()\n"
    assert lines_found(check, frozen, MODULE, OTHERS) == []
    assert lines_found(check, "class Actor: ...\nACTOR = Actor()\n", MODULE, OTHERS) == [2]


@pytest.mark.parametrize("path", ["tests/kit/test_sample.py", "lint/tests/test_sample.py"])
def test_tests_are_free(path: str) -> None:
    assert lines_found(check, BAD, path, OTHERS) == []


def test_a_name_is_frozen_only_if_all_its_classes_are() -> None:
    code = """
class A(Struct, frozen=True): ...
class A: ...
@dataclass(frozen=True)
class B: ...
class C(B): ...
class D(Struct, kw_only=True, frozen=False): ...
class E(Struct, eq=True): ...
"""
    source = Project({"a.py": code}).source("a.py")
    assert frozen_classes(class_shapes(source.tree.body)) == {"B", "C"}  # pyright: ignore[reportArgumentType] all classes
