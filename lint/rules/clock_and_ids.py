"""Time, waiting, chance and ids come from `kit.clock` and `kit.ids`, so that tests and the simulator own them.

Exempt: `kit/clock.py`, `kit/ids.py` and `kit/testing/clock.py`, which are the places; tests, benchmarks and lint,
which are not looked at; in `bootstrap/cli`, a client of the platform outside any simulation, reading the time and
waiting, but not chance.
`secrets.compare_digest` draws nothing and `asyncio.sleep(0)` waits for no time, it lets others run: both are free.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source

_TIME = frozenset(
    {
        *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")),
        "time.sleep",
        "asyncio.sleep",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    }
)
_CHANCE = frozenset({"uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "os.urandom", "os.getrandom"})
_CHANCE_MODULES = ("random.", "secrets.")
_FREE = frozenset({"secrets.compare_digest"})
_PLACES = ("src/steward/kit/clock.py", "src/steward/kit/ids.py", "src/steward/kit/testing/clock.py")


def check(source: Source) -> Iterator[Finding]:
    if not source.within("src/steward") or source.within(*_PLACES):
        return
    for node in (*source.nodes(ast.Attribute), *source.nodes(ast.Name)):
        if isinstance(source.parent(node), ast.Attribute):
            continue
        name = source.dotted(node)
        if _is_turn(source, node):
            continue
        if name in _TIME and not source.within("src/steward/bootstrap/cli"):
            yield source.find(node, f"{name} read directly", "take a `Clock` through `__init__` and ask it")
        elif name in _CHANCE or (name.startswith(_CHANCE_MODULES) and name not in _FREE):
            yield source.find(node, f"{name} drawn directly", "take an `Ids` through `__init__` and ask it")


def _is_turn(source: Source, node: ast.expr) -> bool:
    """Whether the name is called as `asyncio.sleep(0)`."""
    call = source.parent(node)
    if source.dotted(node) != "asyncio.sleep" or not isinstance(call, ast.Call) or len(call.args) != 1:
        return False
    given = call.args[0]
    return call.func is node and isinstance(given, ast.Constant) and given.value == 0
