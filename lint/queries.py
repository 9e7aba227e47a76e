"""Reading SQL as far as needed to say which of its queries touch a tenant's table without naming the tenant.

A statement is cut into blocks, one for each SELECT, INSERT, UPDATE, DELETE or MERGE, subqueries and CTEs included;
each block answers for the tables it names itself.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

TENANT = "tenant_id"

_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z_{][\w.{}\"]*|\"[^\"]+\"[\w.\"]*|\$\d+|[(),;]|[^\s\w(),;]+|\d+")
_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
_NOT_A_VERB_AFTER = frozenset({"FOR", "KEY", "DO", "THEN", "ON", "BEFORE", "AFTER", "OR"})
_AFTER_CONDITIONS = frozenset({"GROUP", "ORDER", "LIMIT", "OFFSET", "RETURNING", "WINDOW", "FETCH"})


class Unscoped(NamedTuple):
    verb: str
    table: str


class _Block(NamedTuple):
    """One query: its tokens, those of parentheses within included, those of queries within left out."""

    tokens: Sequence[tuple[str, int]]
    """Each token with the depth of parentheses it stands at, 0 being the block's own."""


def unscoped_queries(sql: str, global_tables: AbstractSet[str]) -> Iterator[Unscoped]:
    """The queries of a statement that name a table, other than the global ones, and no `tenant_id` where it counts.

    It counts in the conditions of SELECT, UPDATE and DELETE, in the column list of INSERT, in ON of MERGE.
    """
    words = _TOKEN.findall(_NOISE.sub(" ", sql))
    without = {*global_tables, *_cte_names(words)}
    for block in _blocks(words):
        verb = block.tokens[0][0].upper()
        tables = [table for table in _tables(block) if table.replace('"', "") not in without]
        if tables and not _names_tenant(verb, block):
            yield Unscoped(verb, tables[0])


def _cte_names(words: Sequence[str]) -> Iterator[str]:
    upper = [word.upper() for word in words]
    for at, word in enumerate(upper[:-1]):
        if word == "AS" and upper[at + 1] in {"(", "MATERIALIZED", "NOT"}:
            yield words[_before_columns(words, at - 1)]


def _before_columns(words: Sequence[str], at: int) -> int:
    """The place of the name in `name (a, b) AS (`, given the place before AS."""
    if words[at] != ")":
        return at
    while at > 0 and words[at] != "(":
        at -= 1
    return max(at - 1, 0)


def _blocks(words: Sequence[str]) -> Iterator[_Block]:
    """Cut into queries: a verb opens one, and the next verb or the end of the parenthesis around it ends it."""
    open_blocks: list[tuple[int, list[tuple[str, int]]]] = []
    depth = 0
    before = ""
    for word in words:
        upper = word.upper()
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        while open_blocks and depth < open_blocks[-1][0]:
            yield _Block(open_blocks.pop()[1])
        if upper in _VERBS and before not in _NOT_A_VERB_AFTER:
            open_blocks.append((depth, []))
        if open_blocks:
            start, tokens = open_blocks[-1]
            tokens.append((word, depth - start))
        before = upper
    for _, tokens in reversed(open_blocks):
        yield _Block(tokens)


def _tables(block: _Block) -> Iterator[str]:
    """The tables that a query names after FROM, JOIN, USING, INTO or UPDATE; functions are none."""
    tokens = [word for word, depth in block.tokens if depth == 0 or word == "("]
    expects = tokens[0].upper() == "UPDATE"
    in_list = False
    for at, word in enumerate(tokens[1:], 1):
        upper = word.upper()
        if upper in {"FROM", "JOIN", "INTO", "USING"}:
            expects = in_list = tokens[at - 1].upper() != "DISTINCT"
        elif expects and upper not in {"LATERAL", "ONLY"}:
            expects = False
            if _is_table(tokens, at):
                yield word
        elif word == "," and in_list:
            expects = True
        elif upper in {"WHERE", "SET", "VALUES", "ON", *_AFTER_CONDITIONS}:
            in_list = False


def _is_table(tokens: Sequence[str], at: int) -> bool:
    is_insert = at > 0 and tokens[at - 1].upper() == "INTO"
    is_call = at + 1 < len(tokens) and tokens[at + 1] == "(" and not is_insert
    return tokens[at] not in {"(", ")"} and not is_call


def _names_tenant(verb: str, block: _Block) -> bool:
    places = _column_list(block) if verb == "INSERT" else _conditions(block)
    return any(word == TENANT or word.endswith("." + TENANT) for word in places)


def _column_list(block: _Block) -> Iterator[str]:
    for word, depth in block.tokens:
        if word.upper() in {"VALUES", "DEFAULT", "ON"} and depth == 0:
            return
        yield word


def _conditions(block: _Block) -> Iterator[str]:
    has_source = block.tokens[0][0].upper() != "SELECT"
    counts = False
    for word, depth in block.tokens:
        upper = word.upper()
        has_source = has_source or (upper == "FROM" and depth == 0)
        if upper in {"WHERE", "ON", "USING"}:
            counts = has_source
        elif upper == "CONFLICT" or (depth == 0 and upper in _AFTER_CONDITIONS):
            counts = False
        elif counts:
            yield word
