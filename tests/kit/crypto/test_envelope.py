"""Sealing, opening, rotation and shredding, on top of any store."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.kit.clock import SystemClock
from steward.kit.crypto import Envelope, KeyDestroyed, Keyring, KeyUse, LocalMasterKey, MasterKeyMismatch, SealBroken
from steward.kit.crypto.envelope import MAX_PLAIN_BYTES, OVERHEAD_BYTES
from steward.kit.crypto.keyring import UNWRAPPED_S
from steward.kit.errors import TooLarge
from steward.kit.ids import Ids, TenantId
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.data_keys import MemoryDataKeys

IDS = Ids(SystemClock())
ACME = TenantId(UUID(int=1))
BETA = TenantId(UUID(int=2))


class Counting:
    """A master key that counts what is asked of it."""

    def __init__(self, inner: LocalMasterKey) -> None:
        self._inner = inner
        self.unwrapped = 0

    @property
    def key_id(self) -> str:
        return self._inner.key_id

    async def wrap(self, plain: bytes, aad: bytes) -> bytes:
        return await self._inner.wrap(plain, aad)

    async def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        self.unwrapped += 1
        return await self._inner.unwrap(wrapped, aad)


class Parts:
    """An envelope with everything it is made of."""

    def __init__(self, path: Path, store: MemoryDataKeys | None = None) -> None:
        self.clock = FakeClock()
        self.store = store or MemoryDataKeys()
        self.master = Counting(LocalMasterKey(path, IDS))
        self.keyring = Keyring(self.store, self.master, self.clock, IDS)
        self.envelope = Envelope(self.keyring, IDS)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "master.key")


@pytest.mark.parametrize("tenant", [ACME, None])
async def test_sealed_value_opens_and_hides_it(parts: Parts, tenant: TenantId | None) -> None:
    sealed = await parts.envelope.seal(tenant, b"a plain value", purpose="email")
    assert b"plain" not in sealed
    assert len(sealed) == len(b"a plain value") + OVERHEAD_BYTES
    assert await parts.envelope.open(tenant, sealed, purpose="email") == b"a plain value"


async def test_sealed_value_carries_version_algorithm_key_id_nonce_and_tag(parts: Parts) -> None:
    one = await parts.envelope.seal(ACME, b"", purpose="p")
    two = await parts.envelope.seal(ACME, b"", purpose="p")
    key = await parts.store.current(ACME, KeyUse.SEAL)
    assert key is not None
    assert one[:2] == b"\x01\x01"
    assert one[2:18] == two[2:18] == key.id.bytes
    assert one[18:30] != two[18:30]
    assert len(one[30:]) == 16


async def test_value_opens_for_its_tenant_and_purpose_only(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"secret", purpose="email")
    await parts.envelope.seal(BETA, b"so that BETA has a key", purpose="email")
    for tenant, purpose in ((BETA, "email"), (None, "email"), (ACME, "emai"), (ACME, "phone")):
        with pytest.raises(SealBroken):
            await parts.envelope.open(tenant, sealed, purpose=purpose)


async def test_every_altered_bit_breaks_the_seal(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"secret", purpose="p")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            await parts.envelope.open(ACME, bytes(altered), purpose="p")


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01\x01" + b"x" * 43, b"\x02\x01" + b"x" * 60])
async def test_what_was_never_sealed_breaks(parts: Parts, junk: bytes) -> None:
    with pytest.raises(SealBroken, match="too short or of an unknown format"):
        await parts.envelope.open(ACME, junk, purpose="p")


async def test_cut_or_extended_value_breaks(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"secret", purpose="p")
    for wrong in (sealed[:-1], sealed + b"\x00", sealed[:30]):
        with pytest.raises(SealBroken):
            await parts.envelope.open(ACME, wrong, purpose="p")


async def test_error_does_not_tell_the_value(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"very secret", purpose="p")
    with pytest.raises(SealBroken) as broken:
        await parts.envelope.open(ACME, sealed, purpose="q")
    assert "very secret" not in repr(broken.value.__cause__) + str(broken.value) + repr(broken.value.data)


async def test_too_long_value_refused(parts: Parts) -> None:
    with pytest.raises(TooLarge, match=str(MAX_PLAIN_BYTES)):
        await parts.envelope.seal(ACME, bytes(MAX_PLAIN_BYTES + 1), purpose="p")


async def test_values_of_before_a_rotation_still_open(parts: Parts) -> None:
    before = await parts.envelope.seal(ACME, b"old", purpose="p")
    new_key = await parts.keyring.rotate(ACME)
    after = await parts.envelope.seal(ACME, b"new", purpose="p")
    assert before[2:18] != after[2:18] == new_key.bytes
    assert await parts.envelope.open(ACME, before, purpose="p") == b"old"
    assert await parts.envelope.open(ACME, after, purpose="p") == b"new"


async def test_rotation_in_two_processes_agrees(tmp_path: Path) -> None:
    one = Parts(tmp_path / "master.key")
    two = Parts(tmp_path / "master.key", one.store)
    await one.envelope.seal(ACME, b"", purpose="p")
    await one.keyring.rotate(ACME)
    await two.keyring.rotate(ACME)
    sealed = await two.envelope.seal(ACME, b"x", purpose="p")
    assert await one.envelope.open(ACME, sealed, purpose="p") == b"x"


async def test_rotation_before_the_first_key_makes_one(parts: Parts) -> None:
    key_id = await parts.keyring.rotate(None)
    assert (await parts.envelope.seal(None, b"", purpose="p"))[2:18] == key_id.bytes


async def test_only_old_current_keys_are_due(parts: Parts) -> None:
    await parts.envelope.seal(ACME, b"", purpose="p")
    await parts.envelope.blind_index(ACME, "x", purpose="p")
    parts.clock.advance(3600)
    await parts.envelope.seal(BETA, b"", purpose="p")
    parts.clock.advance(3600)
    due = await parts.keyring.due_for_rotation(timedelta(minutes=90))
    assert [key.tenant for key in due] == [ACME]
    await parts.keyring.rotate(ACME)
    assert await parts.keyring.due_for_rotation(timedelta(minutes=90)) == []


async def test_nothing_opens_after_shredding(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"secret", purpose="p")
    kept = await parts.envelope.seal(BETA, b"kept", purpose="p")
    await parts.envelope.blind_index(ACME, "x", purpose="p")
    await parts.envelope.shred(ACME)
    await parts.envelope.shred(ACME)
    with pytest.raises(KeyDestroyed, match=str(ACME)):
        await parts.envelope.open(ACME, sealed, purpose="p")
    with pytest.raises(KeyDestroyed):
        await parts.envelope.seal(ACME, b"again", purpose="p")
    with pytest.raises(KeyDestroyed):
        await parts.envelope.blind_index(ACME, "x", purpose="p")
    with pytest.raises(KeyDestroyed):
        await parts.keyring.rotate(ACME)
    assert await parts.envelope.open(BETA, kept, purpose="p") == b"kept"


async def test_other_process_forgets_a_shredded_tenant_when_told_or_after_five_minutes(tmp_path: Path) -> None:
    one = Parts(tmp_path / "master.key")
    two = Parts(tmp_path / "master.key", one.store)
    three = Parts(tmp_path / "master.key", one.store)
    sealed = await one.envelope.seal(ACME, b"x", purpose="p")
    for other in (two, three):
        await other.envelope.open(ACME, sealed, purpose="p")
    await one.envelope.shred(ACME)
    two.keyring.forget(ACME)
    three.clock.advance(UNWRAPPED_S)
    for other in (two, three):
        with pytest.raises(KeyDestroyed):
            await other.envelope.open(ACME, sealed, purpose="p")


async def test_key_is_unwrapped_once_in_five_minutes(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"x", purpose="p")
    for _ in range(10):
        await parts.envelope.seal(ACME, b"x", purpose="p")
        await parts.envelope.open(ACME, sealed, purpose="p")
    assert parts.master.unwrapped == 2
    parts.clock.advance(UNWRAPPED_S)
    await parts.envelope.open(ACME, sealed, purpose="p")
    assert parts.master.unwrapped == 3


async def test_unwrapped_keys_are_bounded(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "master.key")
    keyring = Keyring(parts.store, parts.master, parts.clock, IDS, max_keys=3)
    envelope = Envelope(keyring, IDS)
    for number in range(20):
        await envelope.seal(TenantId(UUID(int=number)), b"x", purpose="p")
    assert len(keyring._cache) == 3


async def test_blind_index_is_the_same_for_equal_values_of_one_owner_and_purpose(parts: Parts) -> None:
    async def index(tenant: TenantId | None, value: str, purpose: str) -> bytes:
        return await parts.envelope.blind_index(tenant, value, purpose=purpose)

    first = await index(ACME, "ann@example.com", "email")
    assert len(first) == 32
    others = [
        await index(ACME, "ann@example.con", "email"),
        await index(ACME, "ann@example.com", "phone"),
        await index(BETA, "ann@example.com", "email"),
        await index(None, "ann@example.com", "email"),
    ]
    assert len({first, *others}) == 5
    await parts.keyring.rotate(ACME)
    parts.keyring.forget(ACME)
    assert await index(ACME, "ann@example.com", "email") == first


async def test_index_key_does_not_open_values(parts: Parts) -> None:
    await parts.envelope.blind_index(ACME, "x", purpose="p")
    key = await parts.store.current(ACME, KeyUse.INDEX)
    assert key is not None
    with pytest.raises(SealBroken, match="never had"):
        await parts.envelope.open(ACME, b"\x01\x01" + key.id.bytes + bytes(40), purpose="p")


async def test_other_master_key_is_named(tmp_path: Path) -> None:
    one = Parts(tmp_path / "master.key")
    two = Parts(tmp_path / "other.key", one.store)
    sealed = await one.envelope.seal(ACME, b"x", purpose="p")
    with pytest.raises(MasterKeyMismatch, match="restore the master key") as mismatch:
        await two.envelope.open(ACME, sealed, purpose="p")
    assert mismatch.value.data["wanted"] == one.master.key_id
    assert mismatch.value.data["present"] == two.master.key_id


async def test_guard_is_called_also_when_the_key_is_at_hand(parts: Parts) -> None:
    sealed = await parts.envelope.seal(ACME, b"x", purpose="p")

    def refuse() -> None:
        raise RuntimeError("a transaction is open")

    guarded = Envelope(parts.keyring, IDS, guard=refuse)
    for call in (
        guarded.seal(ACME, b"x", purpose="p"),
        guarded.open(ACME, sealed, purpose="p"),
        guarded.blind_index(ACME, "x", purpose="p"),
        guarded.shred(ACME),
    ):
        with pytest.raises(RuntimeError, match="transaction"):
            await call


@given(value=st.binary(max_size=2000), purpose=st.text(max_size=40), other=st.text(max_size=40))
async def test_any_value_opens_for_its_own_purpose_only(
    shared: Envelope, value: bytes, purpose: str, other: str
) -> None:
    sealed = await shared.seal(ACME, value, purpose=purpose)
    assert await shared.open(ACME, sealed, purpose=purpose) == value
    if other != purpose:
        with pytest.raises(SealBroken):
            await shared.open(ACME, sealed, purpose=other)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Envelope:
    return Parts(tmp_path_factory.mktemp("envelope") / "master.key").envelope
