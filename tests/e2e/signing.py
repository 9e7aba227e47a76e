"""Access tokens that an installation's own key signs, as no operation gives them out."""

import asyncio
import base64
from urllib.parse import quote

import msgspec

from steward.bootstrap.home import Home
from steward.kit.clock import SystemClock
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.crypto.repository import PostgresDataKeys
from steward.kit.ids import Ids
from steward.services.identity.platform.signing import SigningKeys
from steward.services.identity.settings import IdentitySettings
from steward.services.identity.tokens import AccessClaims
from tests.e2e.running import Steward
from tests.support.database import database_at


def ending_in(steward: Steward, token: str, seconds: int) -> str:
    """A token like this one that ends so many seconds from now; with less than 0 it has ended already."""
    _, said, _ = token.split(".")
    claims = msgspec.json.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)), type=AccessClaims)
    return asyncio.run(_sign(steward, claims, seconds))


async def _sign(steward: Steward, claims: AccessClaims, seconds: int) -> str:
    """Open what the installation keeps sealed, by the master key in its home, as a process of it does."""
    clock = SystemClock()
    ids = Ids(clock)
    home = Home(steward.home)
    socket = steward.postmaster_socket()
    async with database_at(f"postgresql://steward_app@/steward?host={quote(str(socket))}") as database:
        master = LocalMasterKey(home.keys / "master.key", ids)
        envelope = Envelope(Keyring(PostgresDataKeys(database), master, clock, ids), ids)
        keys = SigningKeys(database.service("identity"), envelope, clock, ids, IdentitySettings())
        await keys.jwks()
        # Last of all, so that the time to connect and to unseal is not taken from the token's.
        end = int(clock.now().timestamp()) + seconds
        return await keys.sign(msgspec.structs.replace(claims, exp=end))
