"""Prices: what models cost, exactly, from the list of genai-prices and from overrides.

`arithmetic` is the sums; `price_list` finds and reads a model's entry of the list; `book` answers what holds now, from
memory; `editing` is what people do with it.

`Prices` is all of it for one process: `load` at start, `price_of` for calls, the use cases of `CostsApi`, and
`subscription` and `job` by which it hears of changes.

Pitfalls: importing genai-prices takes 170 ms and 31 MB and brings an HTTP client and pydantic along, so servers never
do: they read `list.txt`, which `extracting` makes of it (3 ms), and run `extracting` in a process of its own where
another version of the package is installed than the file was made from.
"""

from steward.services.costs.prices.editing import Prices

__all__ = ["Prices"]
