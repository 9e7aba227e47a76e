"""Settings of the identity service."""

from typing import Annotated

import msgspec
from msgspec import Meta

_DAY = 86_400


class IdentitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long tokens last, when log-in locks, and how often housekeeping runs."""

    issuer: Annotated[
        str, Meta(min_length=1, max_length=200, description="The `iss` claim of access tokens; name the installation.")
    ] = "steward"
    access_token_seconds: Annotated[int, Meta(ge=60, le=3600, description="How long an access token counts.")] = 900
    refresh_token_seconds: Annotated[
        int, Meta(ge=300, le=365 * _DAY, description="How long a refresh token waits to be used.")
    ] = 30 * _DAY
    session_seconds: Annotated[
        int, Meta(ge=300, le=730 * _DAY, description="How long a session can be refreshed before a new log-in.")
    ] = 90 * _DAY
    invitation_seconds: Annotated[
        int, Meta(ge=300, le=90 * _DAY, description="How long an invitation can be accepted.")
    ] = 7 * _DAY
    lockout_failures: Annotated[
        int, Meta(ge=2, le=100, description="Failed log-ins in a row that lock log-in for an address.")
    ] = 5
    lockout_seconds: Annotated[int, Meta(ge=1, le=_DAY, description="How long log-in stays locked.")] = 900
    signing_key_seconds: Annotated[
        int, Meta(ge=_DAY, le=730 * _DAY, description="After how long a new key signs access tokens.")
    ] = 90 * _DAY
    signing_key_lead_seconds: Annotated[
        int,
        Meta(ge=600, le=30 * _DAY, description="How long a new signing key is published before it signs."),
    ] = _DAY
    rotation_check_seconds: Annotated[
        int, Meta(ge=60, le=_DAY, description="How often keys due for rotation are looked for.")
    ] = _DAY
    sweep_seconds: Annotated[int, Meta(ge=10, le=_DAY, description="How often what has expired is removed.")] = 3600
    last_used_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="How often the last use of keys and sessions is written.")
    ] = 60
