"""Which addresses and URLs may be called."""

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from steward.kit.http import AddressRefused, SystemResolver
from steward.kit.http.addresses import AddressPolicy, CheckedResolver, is_public
from steward.kit.testing.resolver import FakeResolver

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::10.0.0.1",
    "64:ff9b::93.184.216.34",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "223.255.255.255",
    "2001:200::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
]


@pytest.mark.parametrize("address", REFUSED)
async def test_inside_address_refused(address: str) -> None:
    assert not is_public(address)
    resolver = CheckedResolver(FakeResolver({"api.example.com": [[address]]}), AddressPolicy(frozenset()))
    with pytest.raises(AddressRefused, match=r"api\.example\.com may not be called") as refused:
        await resolver.resolve("api.example.com", 443)
    assert address not in str(refused.value) + str(refused.value.data)


@pytest.mark.parametrize("address", REFUSED)
def test_inside_address_refused_in_a_url(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused):
        AddressPolicy(frozenset()).check(URL(f"https://{host}/"))


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_address_passes(address: str) -> None:
    assert is_public(address)
    resolver = CheckedResolver(FakeResolver({"api.example.com": [[address]]}), AddressPolicy(frozenset()))
    (found,) = await resolver.resolve("api.example.com", 443)
    assert (found["host"], found["port"], found["hostname"]) == (address, 443, "api.example.com")
    assert found["family"] == (socket.AF_INET6 if ":" in address else socket.AF_INET)
    AddressPolicy(frozenset()).check(URL(f"https://{f'[{address}]' if ':' in address else address}/"))


@given(st.ip_addresses())
def test_nothing_that_python_knows_as_inside_is_public(address: object) -> None:
    parsed = ip_address(str(address))
    if is_public(str(parsed)):
        inside = ("private", "loopback", "link_local", "reserved", "multicast", "unspecified")
        assert not [what for what in inside if getattr(parsed, f"is_{what}")]


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "2130706433", "1.1.1.1 "])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


async def test_name_with_one_inside_address_refused_whole() -> None:
    resolver = FakeResolver({"mixed.example.com": [["93.184.216.34", "10.0.0.1"]]})
    with pytest.raises(AddressRefused):
        await CheckedResolver(resolver, AddressPolicy(frozenset())).resolve("mixed.example.com", 443)


async def test_allowed_name_resolves_inside_on_its_ports_only() -> None:
    resolver = FakeResolver({"crm.internal": [["10.0.0.1"]], "other.internal": [["10.0.0.1"]]})
    policy = AddressPolicy(frozenset({"crm.internal", "erp.internal:8443"}))
    checked = CheckedResolver(resolver, policy)
    assert [found["host"] for found in await checked.resolve("crm.internal", 443)] == ["10.0.0.1"]
    for host, port in (("crm.internal", 8080), ("other.internal", 443)):
        with pytest.raises(AddressRefused):
            await checked.resolve(host, port)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.com/", "plain http"),
        ("ftp://example.com/", "only complete http and https"),
        ("file:///etc/passwd", "only complete http and https"),
        ("gopher://example.com:70/", "only complete http and https"),
        ("/relative", "only complete http and https"),
        ("https://", "only complete http and https"),
        ("https://user@example.com/", "user name or password"),
        ("https://user:pw@example.com/", "user name or password"),
        ("https://:pw@example.com/", "user name or password"),
        ("https://example.com:22/", "port 22"),
        ("https://example.com:80/", "port 80"),
        ("https://127.0.0.1/", "not an address of the public network"),
        ("https://[::ffff:127.0.0.1]/", "not an address of the public network"),
    ],
)
def test_url_refused_with_its_problem(url: str, problem: str) -> None:
    with pytest.raises(AddressRefused, match=problem):
        AddressPolicy(frozenset()).check(URL(url))


@pytest.mark.parametrize(
    ("allowed", "url", "passes"),
    [
        ("crm.internal", "http://crm.internal/", True),
        ("crm.internal", "https://CRM.internal/", True),
        ("CRM.Internal.", "https://crm.internal/", True),
        ("crm.internal", "https://crm.internal./", True),
        ("crm.internal", "http://crm.internal:8080/", False),
        ("crm.internal", "http://a.crm.internal/", False),
        ("crm.internal", "http://crm.internal.example.com/", False),
        ("crm.internal:8080", "http://crm.internal:8080/", True),
        ("crm.internal:8080", "http://crm.internal/", False),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", True),
        ("127.0.0.1:8080", "http://127.0.0.2:8080/", False),
        ("[::1]:8080", "http://[::1]:8080/", True),
        ("[::1]", "http://[::1]/", True),
        ("crm.internal", "http://user@crm.internal/", False),
        ("crm.internal", "ftp://crm.internal:80/", False),
    ],
)
def test_allowed_host_is_meant_exactly(allowed: str, url: str, passes: bool) -> None:
    policy = AddressPolicy(frozenset({allowed}))
    if passes:
        policy.check(URL(url))
    else:
        with pytest.raises(AddressRefused):
            policy.check(URL(url))


async def test_system_resolver_finds_loopback_and_refuses_no_names() -> None:
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver.resolve("localhost", 80)
    with pytest.raises(OSError, match="no name"):
        await resolver.resolve("a" * 64 + ".example", 80)
    resolver.close()
