"""The application: `uvicorn chat_fastapi.main:create_app --factory`."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from edge_fastapi import problems
from edge_fastapi.auth import Keys
from edge_fastapi.database import Database
from edge_fastapi.limits import RateLimiter
from edge_fastapi.main import configure_logs
from edge_fastapi.middleware import EdgeMiddleware, Metrics
from edge_fastapi.settings import Settings
from fastapi import FastAPI

from chat_fastapi import chat
from chat_fastapi.answers import AnswerCache, Answering
from chat_fastapi.classifier import Classifier
from chat_fastapi.language import Language


def create_app() -> FastAPI:
    """The application, configured from the environment."""
    configure_logs()
    settings = Settings.from_environment()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        language = Language()
        app.state.answering = Answering(language, Classifier(language, Path(os.environ["EXAMPLES"])))
        app.state.answers = AnswerCache()
        app.state.customer_per_minute = int(os.environ.get("CUSTOMER_PER_MINUTE", "60"))
        app.state.database = Database(settings)
        app.state.keys = Keys(app.state.database, settings.key_ttl_s)
        app.state.limiter = RateLimiter()
        yield
        await app.state.database.close()

    app = FastAPI(title="Desk", lifespan=lifespan)
    app.add_middleware(EdgeMiddleware, metrics=metrics, settings=settings)
    problems.install(app)
    app.include_router(chat.router)

    @app.get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    return app
