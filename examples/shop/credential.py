"""The credential of the shop's API: a random secret of which only the hash is kept."""

import hashlib
import hmac
import secrets

from examples.shop.database import Database
from examples.shop.problems import Problem

_SETTING = "credential_sha256"


def install(database: Database, given_sha256: str | None) -> str | None:
    """Take the hash that was given; else make a secret at the first start, and return it to be shown this once."""
    if given_sha256 is not None:
        database.put_setting(_SETTING, given_sha256)
        return None
    if database.setting(_SETTING) is not None:
        return None
    secret = "shop_" + secrets.token_urlsafe(32)
    database.put_setting(_SETTING, hashlib.sha256(secret.encode()).hexdigest())
    return secret


def check(database: Database, authorization: str) -> None:
    """Raises 401 unless the header holds the credential; compared in constant time."""
    scheme, _, secret = authorization.partition(" ")
    digest = hashlib.sha256(secret.encode(errors="replace")).hexdigest()
    right = hmac.compare_digest(digest, database.setting(_SETTING) or "")
    if scheme.lower() != "bearer" or not right:
        raise Problem(401, "unauthenticated", "Send the shop's credential as `Authorization: Bearer …`.")
