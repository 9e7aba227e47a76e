"""Tests wait for what they need, never for time to pass, and none is switched off without a reason.

A sleep makes a test slow on a fast machine and wrong on a slow one. `tests/e2e` may sleep between polls of a process.
A constant of at most 0.05 s, as the pause of a bounded poll, is allowed.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source

MAX_SLEEP_S = 0.05
_SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep"})
_OFF_MARKS = frozenset({"pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"})
_OFF_CALLS = frozenset({"pytest.skip", "pytest.xfail"})
_REASON = "give a reason a reader can act on"


def check(source: Source) -> Iterator[Finding]:
    if not source.within("tests", "lint/tests"):
        return
    for call in source.nodes(ast.Call):
        name = source.dotted(call.func)
        if name in _SLEEPS and not source.within("tests/e2e") and _seconds(call) > MAX_SLEEP_S:
            yield source.find(call, f"the test sleeps {_seconds(call)} s", "wait for the event, or move a fake clock")
        elif name in (_OFF_MARKS | _OFF_CALLS) and not _has_reason(call, positional=name != "pytest.mark.skipif"):
            yield source.find(call, f"{name} without a reason", _REASON)
    for node in source.nodes(ast.Attribute):
        around = source.parent(node)
        if source.dotted(node) in _OFF_MARKS and not (isinstance(around, ast.Call) and around.func is node):
            yield source.find(node, f"{source.dotted(node)} without a reason", _REASON)


def _seconds(call: ast.Call) -> float:
    given = call.args[0] if call.args else next((keyword.value for keyword in call.keywords), None)
    if isinstance(given, ast.Constant) and isinstance(given.value, int | float):
        return float(given.value)
    return 0.0


def _has_reason(call: ast.Call, *, positional: bool) -> bool:
    if positional and call.args:
        return not (isinstance(call.args[0], ast.Constant) and not call.args[0].value)
    return any(
        keyword.arg == "reason" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        for keyword in call.keywords
    )
