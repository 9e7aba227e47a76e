"""Addresses: spellings that mean the same are one."""

import pytest

from steward.services.identity.people import normal_email


@pytest.mark.parametrize(
    ("spelling", "normal"),
    [
        ("  A@B.c ", "a@b.c"),
        ("\uff21\uff20\uff22.c", "a@b.c"),
        ("STRASSE@x.y", normal_email("straße@x.y")),
        ("é@x", "é@x"),
    ],
)
def test_spellings_of_one_address_are_one(spelling: str, normal: str) -> None:
    assert normal_email(spelling) == normal
    assert normal_email(normal) == normal
