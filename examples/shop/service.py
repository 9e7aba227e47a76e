"""The shop as one object: what the routes work with."""

import os
from pathlib import Path

import msgspec

from examples.shop import credential, seeding
from examples.shop.database import Clock, Database, now
from examples.shop.idempotency import Replies
from examples.shop.log_in import LogIn
from examples.shop.orders import OrderBook
from examples.shop.policy import Policy
from examples.shop.products import Shelf
from examples.shop.refunds import RefundDesk


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    database: Database
    orders: OrderBook
    refunds: RefundDesk
    shelf: Shelf
    replies: Replies
    log_in: LogIn
    new_credential: str | None
    """Made at this start and to be shown this once."""


def open_shop(directory: Path, audience: str, credential_sha256: str | None = None, clock: Clock = now) -> Shop:
    """Open the shop in a directory; the first time its data, its key and its credential are made.

    `audience` is whom the customer tokens are for: the tenant at whose desk the customers show them.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(directory / "shop.db", os.O_CREAT | os.O_RDWR, 0o600))
    database = Database(directory / "shop.db")
    with database.transaction():
        if database.setting("seeded") is None:
            seeding.fill(database.connection, clock())
            database.put_setting("seeded", clock().isoformat())
        made = credential.install(database, credential_sha256)
        log_in = LogIn(database, audience, clock)
    policy = Policy.load()
    orders = OrderBook(database, policy)
    replies = Replies(database, clock)
    replies.forget_old()
    return Shop(
        database=database,
        orders=orders,
        refunds=RefundDesk(database, orders, policy, clock),
        shelf=Shelf(database, policy),
        replies=replies,
        log_in=log_in,
        new_credential=made,
    )
