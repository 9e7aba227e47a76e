"""The HTTP routes of the costs service."""

from collections.abc import Sequence
from typing import Final

from litestar.handlers import HTTPRouteHandler

from steward.services.costs.http import budgets, prices, reports

ROUTES: Final[Sequence[HTTPRouteHandler]] = (*budgets.ROUTES, *prices.ROUTES, *reports.ROUTES)
