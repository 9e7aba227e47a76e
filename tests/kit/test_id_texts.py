"""Ids as text, written in short ways that must say what `str` says."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from steward.kit.ids import Ids, text_of
from steward.kit.testing.clock import FakeClock


@given(st.uuids())
def test_remembered_text_is_the_usual_one(known: UUID) -> None:
    assert text_of(known) == str(known) == text_of(UUID(int=known.int))


def test_new_text_is_of_a_new_id() -> None:
    ids = Ids(FakeClock())
    before, made, after = ids.new(), ids.new_text(), ids.new()
    assert str(UUID(made)) == made
    assert before < UUID(made) < after
