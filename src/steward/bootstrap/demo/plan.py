"""What was decided for the demo's shop, written down before it is done, so that a crash changes nothing."""

import msgspec

from steward.bootstrap.home import PRIVATE, Home, HomeError, write_atomically
from steward.kit.ids import Ids

CREDENTIAL_BYTES = 32


class DemoPlan(msgspec.Struct, frozen=True, kw_only=True):
    port: int
    """Where the shop listens, from the first start on."""
    credential: str
    """What opens the shop's API."""
    key: str
    """Begins the Idempotency-Keys of the set-up."""
    done: bool = False
    """The demo tenant's desk is set up."""


class PlanFile:
    """The plan of one home, readable by its owner only, beside the shop's data."""

    def __init__(self, home: Home) -> None:
        self.directory = home.path / "shop"
        self._file = self.directory / "plan.json"

    def read(self) -> DemoPlan | None:
        """The plan, or None before the first start. Raises `HomeError` for one that is damaged."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=DemoPlan)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise HomeError(f"{self._file} is damaged ({error}): delete it, and the demo is set up anew.") from error

    def write(self, plan: DemoPlan) -> None:
        self.directory.mkdir(mode=PRIVATE, exist_ok=True)
        write_atomically(self._file, msgspec.json.encode(plan))

    def make(self, ids: Ids, port: int) -> DemoPlan:
        """Decide, and write it down."""
        plan = DemoPlan(port=port, credential=f"shop_{ids.token(CREDENTIAL_BYTES).hex()}", key=f"demo-{ids.new().hex}")
        self.write(plan)
        return plan
