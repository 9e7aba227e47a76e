"""Chunks: bounded, complete, on borders."""

from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.knowledge.chunking import pieces

ENDS = st.lists(st.sampled_from([" ", "。", ". ", "\n\n", "？"]), max_size=120)


@settings(max_examples=40, deadline=None)
@given(ENDS)
def test_every_chunk_is_bounded_and_nothing_is_lost(ends: list[str]) -> None:
    words = [f"<word{number}>" for number in range(len(ends))]
    text = "".join(word + end for word, end in zip(words, ends, strict=True))
    found = [piece.text for piece in pieces(text, size=100, overlap=20)]

    assert all(0 < len(chunk) <= 100 for chunk in found)
    assert all(chunk in text for chunk in found)
    assert all(any(word in chunk for chunk in found) for word in words)


def test_headings_are_context_and_code_is_no_heading() -> None:
    text = "# Guide\n\n" + "Intro. " * 100 + "\n\n## Setup\n\n```\n# no heading\n```\n" + "Step. " * 100

    assert {piece.headings for piece in pieces(text)} == {"Guide", "Guide > Setup"}
