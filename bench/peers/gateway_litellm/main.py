"""The proxy as its own command would run it, under uvicorn with one worker; CONFIG_FILE_PATH names its settings."""

from typing import Any

from litellm.proxy.proxy_server import app


def create_app() -> Any:
    """The ASGI application of `litellm --config …`."""
    return app
