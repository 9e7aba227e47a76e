"""A PostgreSQL that somebody else runs, set up as docs/operations/running.md says."""

import asyncpg

SETUP = (
    "CREATE ROLE steward_owner LOGIN CREATEROLE PASSWORD 'of the owner'",
    "CREATE ROLE steward_app LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT NOCREATEDB NOCREATEROLE",
    "CREATE ROLE app_bypass LOGIN BYPASSRLS",
    "CREATE ROLE app_member LOGIN",
    "GRANT app_bypass TO app_member",
    "CREATE DATABASE steward OWNER steward_owner TEMPLATE template0 ENCODING 'UTF8'",
    "CREATE DATABASE empty OWNER steward_owner",
)


async def run_sql(dsn: str, statements: tuple[str, ...]) -> list[asyncpg.Record]:
    """Run statements one by one; the rows of the last."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetch(statements[-1])
    finally:
        await connection.close()
