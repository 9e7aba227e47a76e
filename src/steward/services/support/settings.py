"""Settings of the desk."""

from typing import Annotated

import msgspec
from msgspec import Meta

SETTINGS_PREFIX = "STEWARD_SUPPORT_"


class SupportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of conversations."""

    customer_per_minute: Annotated[
        int, Meta(ge=1, description="Messages of one customer or visitor in a minute; one more is answered 429.")
    ] = 60
    specialist_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=29,
            description="How long a customer waits for an answer; then they are told that it is still worked on.",
        ),
    ] = 25
    model: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            description="The alias of the model that words answers, where a tenant has one of this name.",
        ),
    ] = "default"
    model_seconds: Annotated[
        float, Meta(gt=0, le=8, description="Time a model may take; the desk then answers without it.")
    ] = 8.0
    lease_seconds: Annotated[
        float, Meta(ge=0.2, description="How long after the end of its process a message waits for another one.")
    ] = 6
