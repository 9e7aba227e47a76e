"""Stands for the shop's own log-in: tells a page who its customer is, by a token that the shop signs.

A real shop gives such a token (a JWT, RFC 7519, signed with Ed25519) to its page when its customer has logged in. Here
anybody may be any customer, so these paths answer on this machine only, and pages of this machine only.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import OKPKey

from examples.shop.contract import CustomerToken, SampleCustomer
from examples.shop.database import Clock, Database
from examples.shop.problems import Problem, not_found

ALGORITHM = "Ed25519"
"""EdDSA under its name of RFC 9864."""
TOKEN_SECONDS = 15 * 60

_KEY = "signing_key"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_INTERESTING = (
    ("zh-Hant", "shipped"),
    ("en", "paid"),
    ("zh-Hans", "delivered"),
    ("en", "delivered"),
    ("zh-Hant", "packed"),
    ("zh-Hans", "shipped"),
)


class LogIn:
    def __init__(self, database: Database, audience: str, clock: Clock) -> None:
        self._db = database
        self._audience = audience
        self._clock = clock
        self._key = OKPKey.import_key(self._kept_key(database))

    def public_key(self) -> bytes:
        """The JWK (RFC 7517) that the tokens are checked with."""
        return msgspec.json.encode({**self._key.as_dict(private=False), "alg": ALGORITHM, "use": "sig"})

    def token(self, customer_id: str) -> CustomerToken:
        row = self._db.connection.execute("SELECT 1 FROM customer WHERE id = ?", (customer_id,)).fetchone()
        if row is None:
            raise not_found("customer", customer_id)
        now = int(self._clock().timestamp())
        claims = {"sub": customer_id, "aud": self._audience, "iat": now, "exp": now + TOKEN_SECONDS}
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        token = jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])
        return CustomerToken(token=token, expires_in=TOKEN_SECONDS)

    def samples(self) -> Sequence[SampleCustomer]:
        """A handful of customers, each with an order that something can be done with."""
        rows = [
            self._db.connection.execute(
                "SELECT c.id, c.name, c.locale, o.id AS order_id, o.status FROM customer c"
                " JOIN customer_order o ON o.customer_id = c.id LEFT JOIN refund r ON r.order_id = o.id"
                " WHERE c.locale = ? AND o.status = ? AND r.id IS NULL ORDER BY o.placed_at DESC LIMIT 1",
                wanted,
            ).fetchone()
            for wanted in _INTERESTING
        ]
        return [
            SampleCustomer(
                customer_id=row["id"],
                name=row["name"],
                locale=row["locale"],
                order_id=row["order_id"],
                status=row["status"],
            )
            for row in rows
            if row is not None
        ]

    def _kept_key(self, database: Database) -> dict[str, str | list[str]]:
        kept = database.setting(_KEY)
        if kept is None:
            made = OKPKey.generate_key("Ed25519", private=True, auto_kid=True).as_dict(private=True)
            kept = msgspec.json.encode(made).decode()
            database.put_setting(_KEY, kept)
        return msgspec.json.decode(kept, type=dict[str, str | list[str]])


def check_page(host: str, origin: str | None) -> None:
    """Raises 403 unless host and page are of this machine; a name that leads here is not enough (DNS rebinding)."""
    for url in (f"http://{host}", *([origin] if origin else [])):
        if _name(url) not in _LOOPBACK:
            raise Problem(403, "not_from_here", f"{url} may not log in customers: open the page on this machine.")


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
