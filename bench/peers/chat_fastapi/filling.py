"""Stores FAQs with their search terms: `python -m chat_fastapi.filling SOCKET DATABASE TENANT FILE`, as superuser."""

import asyncio
import csv
import re
import sys
from pathlib import Path
from uuid import UUID

import asyncpg

from chat_fastapi.language import Language

_INSERT = """
INSERT INTO app.faq (tenant_id, id, question, answer, locale, terms) VALUES ($1, $2, $3, $4, $5,
    setweight(to_tsvector('simple', $6), 'A') || setweight(to_tsvector('simple', $7), 'B')
    || setweight(to_tsvector('simple', $8), 'C'))
"""


async def main(socket: str, database: str, tenant: str, file: str) -> None:
    language = Language()
    lines = await asyncio.to_thread(Path(file).read_text, "utf-8")

    def terms(text: str) -> str:
        return " ".join(language.terms(language.fold(text)))

    rows = [
        (
            *(UUID(tenant), row["id"], row["question"], row["answer"], row["locale"]),
            *(terms(row["question"]), terms(re.sub("[;；]", " ", row["keywords"])), terms(row["answer"])),
        )
        for row in csv.DictReader(lines.splitlines())
    ]
    connection = await asyncpg.connect(host=socket, user="postgres", database=database)
    await connection.executemany(_INSERT, rows)
    await connection.execute("ANALYZE app.faq")
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
