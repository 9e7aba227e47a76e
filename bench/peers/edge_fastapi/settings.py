"""What the application reads from its environment."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str
    pool_size: int = 10
    key_ttl_s: float = 30.0
    request_s: float = 30.0
    max_body_bytes: int = 1 << 20

    @classmethod
    def from_environment(cls) -> "Settings":
        return cls(database_url=os.environ["DATABASE_URL"], pool_size=int(os.environ.get("POOL_SIZE", "10")))
