"""Settings of the costs service."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

PREFIX = "STEWARD_COSTS_"


class UnknownPrice(StrEnum):
    """What becomes of a call to a model whose price nobody knows."""

    REFUSE = "refuse"
    METER = "meter"
    """It passes where no hard budget in USD holds it, and is in the ledger as not priced."""


class CostsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the installation reckons."""

    unknown_price: Annotated[
        UnknownPrice,
        Meta(
            description="Calls to models without a price: refused, or metered at no cost where no hard budget in USD "
            "holds them."
        ),
    ] = UnknownPrice.REFUSE
