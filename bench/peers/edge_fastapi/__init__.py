"""The peer of `bench/edge.py`: the same tenant API written with FastAPI, pydantic, SQLAlchemy and uvicorn.

Written as a team that knows these tools well would write it, with what their documentation recommends for speed:
asynchronous SQLAlchemy on asyncpg, one pure ASGI middleware instead of several `BaseHTTPMiddleware`, responses
serialised by pydantic's compiled core, structlog with orjson, uvloop and httptools.
"""
