"""The application: `uvicorn edge_fastapi.main:create_app --factory`."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from edge_fastapi import problems, tenants
from edge_fastapi.auth import Keys
from edge_fastapi.database import Database
from edge_fastapi.limits import RateLimiter
from edge_fastapi.middleware import EdgeMiddleware, Metrics
from edge_fastapi.settings import Settings


def create_app() -> FastAPI:
    """The application, configured from the environment."""
    configure_logs()
    settings = Settings.from_environment()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.database = Database(settings)
        app.state.keys = Keys(app.state.database, settings.key_ttl_s)
        app.state.limiter = RateLimiter()
        yield
        await app.state.database.close()

    app = FastAPI(title="Tenants", lifespan=lifespan)
    app.add_middleware(EdgeMiddleware, metrics=metrics, settings=settings)
    problems.install(app)
    app.include_router(tenants.router)

    @app.get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    async def show_metrics(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def configure_logs() -> None:
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
    )
