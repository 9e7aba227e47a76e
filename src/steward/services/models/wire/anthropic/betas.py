"""`anthropic-beta`: the one header that belongs to what a request says.

Codecs see bodies only. So the surface that takes a client's request keeps the header with `with_betas`, and who sends
the request to a provider adds `beta_headers`. In between it is a field of `extra` whose name no JSON field has.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.messages import ModelRequest
from steward.services.models.wire.anthropic.fields import Malformed, as_raw, read_text

BETAS: Final = "anthropic-beta"


def with_betas(request: ModelRequest, header: str) -> ModelRequest:
    """The request with its client's header, names with commas between them; empty for none."""
    if not header:
        return request
    return msgspec.structs.replace(request, extra={**request.extra, BETAS: as_raw(header)})


def beta_headers(request: ModelRequest) -> Mapping[str, str]:
    """What to send to a provider of this dialect beside the codec's headers."""
    raw = request.extra.get(BETAS)
    if raw is None:
        return {}
    try:
        text = read_text(raw, BETAS)
    except Malformed:
        return {}
    return {BETAS: text} if text.isascii() and text.isprintable() else {}
