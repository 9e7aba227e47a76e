"""The language to answer in, chosen from what the caller accepts."""

from collections.abc import Iterator

DEFAULT = "en"
MAX_RANGES = 20
"""How many language ranges are looked at; browsers send fewer than ten."""
_TRADITIONAL = frozenset({"tw", "hk", "mo"})


def negotiated(accept_language: str) -> str:
    """The best of `en`, `zh-Hant` and `zh-Hans` for an Accept-Language header (RFC 9110 section 12.5.4).

    Chinese without a script is written in the script of its region, and simplified without a region.
    """
    return preferred(accept_language) or DEFAULT


def preferred(accept_language: str) -> str | None:
    """The same, but None where the header asks for no language of ours, so that another default can step in."""
    best, best_weight = None, 0.0
    for tag, weight in _ranges(accept_language):
        known = _known(tag)
        if known is not None and weight > best_weight:
            best, best_weight = known, weight
    return best


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(",", MAX_RANGES)[:MAX_RANGES]:
        tag, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        yield tag.strip().lower(), _weight(value.strip()) if name.strip().lower() == "q" else 1.0


def _weight(text: str) -> float:
    """The weight, 0 to 1; a malformed one counts as 0, so that its range is not chosen."""
    whole, _, fraction = text.partition(".")
    if whole not in {"0", "1"} or not (fraction == "" or (fraction.isascii() and fraction.isdigit())):
        return 0.0
    return min(float(text), 1.0)


def _known(tag: str) -> str | None:
    language, *rest = tag.split("-")
    if language == "zh":
        return "zh-Hant" if "hant" in rest or ("hans" not in rest and _TRADITIONAL & {*rest}) else "zh-Hans"
    return DEFAULT if language in {"en", "*"} else None
