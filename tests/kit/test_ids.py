"""Identifiers: UUIDv7, growing strictly, whatever the clock does."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from steward.kit.ids import Ids
from steward.kit.testing.clock import FakeClock


def test_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    clock = FakeClock(datetime(2026, 5, 4, 3, 2, 1, 234000, tzinfo=UTC))
    made = Ids(clock).new()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(clock.now().timestamp() * 1000)


def test_ids_of_one_millisecond_grow_beyond_the_counter() -> None:
    ids = Ids(FakeClock())
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {one.version for one in made} == {7}


@given(st.lists(st.floats(min_value=-5, max_value=5), max_size=60))
def test_ids_grow_although_the_clock_steps_back(steps: list[float]) -> None:
    clock = FakeClock()
    ids = Ids(clock)
    last = ids.new()
    for step in steps:
        clock.advance(step)
        made = ids.new()
        assert made > last
        last = made


def test_random_part_comes_from_the_source_that_was_given() -> None:
    asked: list[int] = []

    def bits(count: int) -> int:
        asked.append(count)
        return 5

    ids = Ids(FakeClock(), bits)
    assert ids.new().int & (2**62 - 1) == 5
    assert ids.token(4) == b"\0\0\0\5"
    assert asked == [62 * 64, 32]


def test_token_has_the_size_asked_for_and_does_not_repeat() -> None:
    ids = Ids(FakeClock())
    assert len(ids.token()) == 32
    assert len({ids.token(16) for _ in range(1000)}) == 1000
