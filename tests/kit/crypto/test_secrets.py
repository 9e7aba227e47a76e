"""Credentials: their form, their parser, what is stored of them."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from steward.kit.clock import SystemClock
from steward.kit.crypto.secrets import (
    CREDENTIAL_CHARS,
    Credential,
    CredentialKind,
    new_credential,
    parse_credential,
)
from steward.kit.ids import Ids, TenantId

IDS = Ids(SystemClock())
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
credentials = st.builds(
    Credential,
    kind=st.sampled_from(CredentialKind),
    tenant=st.builds(TenantId, st.uuids()),
    id=st.uuids(),
    secret=st.binary(min_size=32, max_size=32),
)


@given(credentials)
def test_text_parses_to_the_same_credential(credential: Credential) -> None:
    text = credential.text()
    assert len(text) == CREDENTIAL_CHARS == 94
    assert text.startswith(f"stw_{credential.kind}_")
    assert parse_credential(text) == credential


@given(credentials, st.integers(0, 93), st.characters())
def test_changed_text_is_another_credential_or_none(credential: Credential, at: int, character: str) -> None:
    text = credential.text()
    changed = text[:at] + character + text[at + 1 :]
    parsed = parse_credential(changed)
    assert (parsed == credential) == (changed == text)
    assert parsed is None or parsed.text() == changed


@given(st.text(max_size=200) | st.text(ALPHABET, min_size=94, max_size=94).map(lambda t: "stw_sk_" + t[7:]))
def test_any_text_is_refused_or_comes_out_again(text: str) -> None:
    parsed = parse_credential(text)
    assert parsed is None or parsed.text() == text


def test_padded_standard_and_stray_forms_are_refused() -> None:
    tenant = TenantId(UUID(int=2**128 - 1))
    text = Credential(kind=CredentialKind.SECRET_KEY, tenant=tenant, id=tenant, secret=b"\xff" * 32).text()
    assert "_" * 20 in text
    assert parse_credential(text) is not None
    for bad in (text + "=", text + "\n", " " + text, text.replace("_" * 20, "/" * 20), text[:-1] + "9", text.upper()):
        assert parse_credential(bad) is None


def test_digest_matches_its_secret_only() -> None:
    tenant = TenantId(IDS.new())
    one = new_credential(IDS, CredentialKind.SECRET_KEY, tenant, IDS.new())
    other = new_credential(IDS, CredentialKind.SECRET_KEY, tenant, one.id)
    assert len(one.digest()) == 32
    assert one.matches(one.digest())
    assert not one.matches(other.digest())
    assert not one.matches(b"")


def test_neither_repr_nor_prefix_tells_the_secret() -> None:
    tenant = TenantId(IDS.new())
    keys = [new_credential(IDS, CredentialKind.SECRET_KEY, tenant, IDS.new()) for _ in range(50)]
    assert len({key.prefix() for key in keys}) == 50
    for key in keys:
        secret = key.text()[-43:]
        assert key.text().startswith(key.prefix())
        assert secret[:8] not in repr(key)
        assert repr(key.secret) not in repr(key)
        assert secret[:8] not in key.prefix()
