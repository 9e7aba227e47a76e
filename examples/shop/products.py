"""Products, found by a few words in any of the shop's languages."""

import re
import sqlite3
from collections.abc import Iterator, Sequence

from examples.shop.contract import CURRENCY, Product, amount
from examples.shop.database import Database
from examples.shop.policy import Policy

_NAMES = {"en": "name_en", "zh-Hant": "name_hant", "zh-Hans": "name_hans"}
_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_FOUND = 5


class Shelf:
    def __init__(self, database: Database, policy: Policy) -> None:
        self._db = database.connection
        self._policy = policy

    def find(self, query: str, language: str) -> Sequence[Product]:
        """Those whose names have most of the query's words; each word counts for how much of it is there."""
        wanted = set(_pieces(query))
        scored = [(_score(row, wanted), row) for row in self._db.execute("SELECT * FROM product ORDER BY id")]
        best = max((score for score, _ in scored), default=0)
        found = sorted((pair for pair in scored if pair[0] and pair[0] * 2 >= best), key=lambda pair: -pair[0])
        return [self._product(row, language) for _, row in found[:_FOUND]]

    def _product(self, row: sqlite3.Row, language: str) -> Product:
        return Product(
            product_id=row["id"],
            name=row[_NAMES[language]],
            price=amount(row["price"]),
            currency=CURRENCY,
            in_stock=row["stock"] > 0,
            warranty_months=self._policy.warranty_months,
        )


def _score(row: sqlite3.Row, wanted: set[str]) -> int:
    names = {piece for column in _NAMES.values() for piece in _pieces(row[column])}
    return len(wanted & names)


def _pieces(text: str) -> Iterator[str]:
    """English words without a plural's s, Chinese in pairs of characters."""
    for word in _WORD.findall(text.casefold()):
        if word.isascii():
            yield word.removesuffix("s") if len(word) > 3 else word  # noqa: PLR2004 - `gas` keeps its s
        else:
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
