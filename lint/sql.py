"""Telling SQL from prose: which strings of the code are statements for PostgreSQL."""

import re

RUN_METHODS = frozenset(
    {
        "execute",
        "executemany",
        "fetch",
        "fetchrow",
        "fetchval",
        "fetchmany",
        "fetch_all",
        "fetch_one",
        "cursor",
        "prepare",
    }
)
"""Methods of transactions and connections whose first argument is SQL."""

_LEAD = r"^\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*\(*\s*"
_OBJECT = (
    r"(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+|UNLOGGED\s+|TEMP\s+|TEMPORARY\s+|MATERIALIZED\s+)?"
    r"(?:TABLE|ROLE|USER|SCHEMA|INDEX|POLICY|FUNCTION|PROCEDURE|DATABASE|EXTENSION|TYPE|SEQUENCE|VIEW|TRIGGER|DOMAIN|"
    r"DEFAULT|SYSTEM|PUBLICATION|SUBSCRIPTION)"
)
_FORMS = (
    r"SELECT\b.*\bFROM\b",
    r"SELECT\s+[\w.]+\s*\(",
    r"SELECT\s+\d+\s*;?\s*$",
    r"INSERT\s+INTO\b",
    r"UPDATE\s+[\w.{}\"]+(?:\s+(?:AS\s+)?\w+)?\s+SET\b",
    r"DELETE\s+FROM\b",
    r"MERGE\s+INTO\b",
    r"WITH\s+(?:RECURSIVE\s+)?\w+(?:\s*\([^)]*\))?\s+AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(",
    rf"(?:CREATE|ALTER|DROP)\s+{_OBJECT}\b",
    r"(?:LISTEN|UNLISTEN)\s+[\w{}\"*]+\s*;?\s*$",
    r"NOTIFY\s+[\w{}\"]+\s*(?:,|;|$)",
    r"SET\s+(?:LOCAL|ROLE|SESSION)\b",
    r"RESET\s+(?:ROLE|ALL)\b",
    r"(?:GRANT|REVOKE)\b.*\b(?:TO|FROM)\b",
    r"TRUNCATE\s+(?:TABLE\s+)?\w",
    r"LOCK\s+TABLE\b",
    r"COPY\b.*\b(?:FROM|TO)\b",
)
_STATEMENT = re.compile(rf"{_LEAD}(?:{'|'.join(_FORMS)})", re.DOTALL)
_LOWER_STATEMENT = re.compile(_STATEMENT.pattern, re.DOTALL | re.IGNORECASE)
_SIGN_OF_SQL = re.compile(r"\$\d|\*|;|=|%s|\bwhere\b|\breturning\b|\bvalues\b|\{\}", re.IGNORECASE)
_SERVER_FUNCTION = re.compile(r"\bpg_[a-z_]+\s*\(")
_FIRST_WORD = re.compile(
    _LEAD
    + r"(?:select|insert|update|delete|merge|with|create|alter|drop|listen|unlisten|notify|set|reset|grant|revoke|"
    r"truncate|lock|copy|call|do|explain|analyze|vacuum|refresh|show|values)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_sql(text: str) -> bool:
    """Whether a string is a statement, wherever it stands.

    Keywords in capitals are taken at their word; in other case the text must also bear a sign that prose does not.
    """
    if _STATEMENT.search(text) or _SERVER_FUNCTION.search(text):
        return True
    return bool(_LOWER_STATEMENT.search(text) and _SIGN_OF_SQL.search(text))


def starts_as_sql(text: str) -> bool:
    """Whether a string that is handed to the database begins with a command of SQL."""
    return bool(_FIRST_WORD.search(text))
