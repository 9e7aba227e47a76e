"""The HTTP routes of prices.

A model in a path is the rest of the path: it may have slashes (`…/prices/openrouter/deepseek/deepseek-chat`).
"""

from collections.abc import Sequence
from typing import Annotated, Final

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter, SkipValidation

from steward.kit.web import Caller, Items
from steward.services.costs.api import CostsApi, Price, PriceInput

CostsPort = NamedDependency[SkipValidation[CostsApi]]

TAGS: Final = ("Costs",)

ProviderPath = Annotated[
    str, PathParameter(min_length=1, max_length=60, description="As the price list names it, such as `openai`.")
]
ModelPath = Annotated[str, PathParameter(max_length=201, description="The model's name; it may have slashes.")]
OfProvider = Annotated[
    str | None, QueryParameter(min_length=1, max_length=60, description="Only those of this provider.")
]
OfModel = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=200,
        description="Only models whose name has this in it; with a provider, the price that counts for exactly this "
        "name goes first.",
    ),
]

ForAll = Annotated[bool, QueryParameter(description="For all tenants of the installation; needs `platform:tenants`.")]


class PriceBody(PriceInput, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model is to cost. Amounts are nanos (10⁻⁹ USD) for a million tokens."""


@get("/api/v1/costs/prices", tags=TAGS)
async def list_prices(
    ctx: Caller, costs: CostsPort, provider: OfProvider = None, model: OfModel = None
) -> Items[Price]:
    """List the prices that hold today, at most 1,000, your own before the list's

    Needs `cost:read`.
    """
    return Items(list(await costs.list_prices(ctx, provider=provider, model=model)))


@put("/api/v1/costs/prices/{provider:str}/{model:path}", tags=TAGS)
async def put_price(
    ctx: Caller,
    costs: CostsPort,
    provider: ProviderPath,
    model: ModelPath,
    data: JSONBody[PriceBody],
    installation: ForAll = False,  # noqa: FBT002 - a query parameter
) -> Price:
    """Set what a model costs, from a day on or, without one, in place of all that was set for it before

    It counts for the next call in every process. Needs `cost:configure`; with `installation` it is the price for every
    tenant that sets none itself, and needs `platform:tenants`.
    """
    return await costs.put_price(ctx, provider=provider, model=_name(model), price=data, installation=installation)


@delete("/api/v1/costs/prices/{provider:str}/{model:path}", tags=TAGS)
async def delete_price(
    ctx: Caller,
    costs: CostsPort,
    provider: ProviderPath,
    model: ModelPath,
    installation: ForAll = False,  # noqa: FBT002 - a query parameter
) -> None:
    """Take your own prices of a model back, of all days

    Needs `cost:configure`, as setting one does.
    """
    await costs.delete_price(ctx, provider=provider, model=_name(model), installation=installation)


def _name(path: str) -> str:
    """The model in the rest of a path, which begins with a slash."""
    return path.removeprefix("/")


ROUTES: Final[Sequence[HTTPRouteHandler]] = (list_prices, put_price, delete_price)
