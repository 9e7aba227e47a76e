"""An exception as plain text for logs and spans."""

import traceback

from steward.kit.telemetry.masking import CUT, MAX_TEXT

_FRAMES = 40


def describe(error: BaseException) -> dict[str, str]:
    """Type, message and stack of `error`, its causes included; of a long stack the end is kept, nearest the failure."""
    lines = traceback.TracebackException.from_exception(error, limit=-_FRAMES).format()
    stack = "".join(lines)
    if len(stack) > MAX_TEXT:
        stack = CUT + stack[1 - MAX_TEXT :]
    return {"type": type(error).__qualname__, "message": str(error), "stacktrace": stack}
