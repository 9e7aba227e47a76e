"""Hostile input from outside: a clear refusal, nothing lost, nothing told, memory flat, and the others are served."""

import contextlib
import hmac
import itertools
import json
import re
import time
import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.attack import (
    JSON,
    KEYS,
    MEBIBYTE,
    NO_IDS,
    ODD_NAMES,
    SAMPLES,
    Attack,
    b64,
    changed,
    deep,
    fault,
    lower,
    names_in_trail,
    operations,
    token,
    unb64,
    wrong_bodies,
)
from tests.e2e.running import Answer, Steward, until
from tests.e2e.signing import ending_in
from tests.e2e.wire import wire

SLOW_SECONDS = 1.5
SETTINGS = {
    "STEWARD_IDENTITY_LOCKOUT_FAILURES": "100",
    "STEWARD_GATEWAY_HEADER_SECONDS": str(SLOW_SECONDS),
    "STEWARD_GATEWAY_BODY_SECONDS": str(SLOW_SECONDS),
}


@pytest.fixture
def attack(installation: Steward) -> Iterator[Attack]:
    """An attacker. Whatever a test sends, the data is afterwards what it was before."""
    attacker = Attack(installation)
    before = attacker.state()
    yield attacker
    assert attacker.state() == before


@pytest.fixture
def steward(installation: Steward) -> Steward:
    return installation


# Bodies


def test_no_field_of_any_operation_takes_what_it_should_not(attack: Attack, steward: Steward) -> None:
    requests: dict[str, bytes] = {}
    for method, path, operation in operations(steward):
        if "properties" in operation["body"]:
            target = re.sub(r"\{[^}]*\}", str(uuid.uuid4()), path).replace("quotas/", "quotas/users?")
            for what, body in wrong_bodies(operation["body"]):
                requests[f"{method} {path}: {what}"] = attack.post(body, target.encode(), method.encode())
    assert len(requests) > 150
    assert attack.findings(requests) == {}


def test_broken_bodies_are_refused(attack: Attack) -> None:
    bodies = {
        "brackets that never close": b"[" * 1_000_000,
        "a megabyte of quotes": b'"' * 1_000_000,
        "a field twice": b'{"name":"a","name":5}',
        "a field that is none": b'{"name":"a","__proto__":{"admin":true}}',
        "a name with an escape": b'{"name":"\\u001b]0;x\\u0007"}',
        "raw control characters": b'{"name":"a\x01\x1b[2J"}',
        "UTF-16": '{"name":"a"}'.encode("utf-16"),
        "a byte order mark": b'\xef\xbb\xbf{"name":"a"}',
        "overlong UTF-8": b'{"name":"\xc0\xaf"}',
        "two documents": b'{"name":"a"}{"name":"b"}',
        "a comment": b'{"name":"a"/**/}',
        "single quotes": b"{'name':'a'}",
        "half of it": b'{"name":"a',
        "a million spaces": b" " * 1_000_000,
        "scopes without end": b'{"name":"a","scopes":[' + b'"user:read",' * 80_000 + b'"user:read"]}',
        "a year beyond": b'{"name":"a","expires_at":"99999-01-01T00:00:00Z"}',
    }
    assert attack.findings({name: attack.post(body) for name, body in bodies.items()}) == {}


def test_body_a_level_too_deep_is_refused_for_that_and_one_within_is_read(attack: Attack) -> None:
    within = deep(32)[:-1] + b',"scopes":[]}'
    for body, code in ((within, "invalid_input"), *((deep(levels), "json_too_deep") for levels in (33, 1000, 10**5))):
        answer = attack.send(attack.post(body))
        assert (fault(answer, 422), answer.json["code"]) == ("", code), len(body)


def test_bodies_over_the_limit_are_refused_with_and_without_a_length(attack: Attack) -> None:
    big = b'{"name":"' + b"a" * MEBIBYTE + b'"}'
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    requests = {
        "with a length": attack.post(big),
        "in chunks": attack.chunked(piece * 20 + b"0\r\n\r\n"),
        "without an end": attack.chunked(piece * 200),
        "a length beyond reason": attack.head(b"POST", KEYS, JSON + b"Content-Length: 999999999999\r\n"),
        "announced": attack.head(b"POST", KEYS, JSON + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n"),
    }
    assert attack.findings(requests, 413) == {}


def test_other_kinds_of_content_are_refused(attack: Attack) -> None:
    kinds = ("text/plain", "application/xml", "multipart/form-data; boundary=a", "application/json; charset=utf-7", "a")
    requests = {kind: attack.post(b'{"name":"a"}', kind=f"Content-Type: {kind}\r\n".encode()) for kind in kinds}
    requests["none"] = attack.post(b'{"name":"a"}', kind=b"")
    requests["compressed"] = attack.post(b"\x1f\x8b\x08\x00abcdefghij", kind=JSON + b"Content-Encoding: gzip\r\n")
    assert attack.findings(requests) == {}
    del requests["compressed"]
    assert attack.findings(requests, 415) == {}


# Text


def test_odd_names_come_back_as_given(steward: Steward) -> None:
    made: dict[str, str] = {}
    for number, name in enumerate(ODD_NAMES):
        body = {"email": f"o'odd--{number}+<b>@example.com", "name": name, "roles": ["viewer"]}
        user = steward.api("POST", "/api/v1/users", body).json["user"]
        assert (user["name"], user["email"]) == (name, body["email"])
        assert steward.api("GET", f"/api/v1/users/{user['id']}").json["name"] == name
        made[user["id"]] = name
    listed = {user["id"]: user["name"] for user in steward.api("GET", "/api/v1/users?limit=200").json["items"]}
    assert made.items() <= listed.items()
    shown = steward.cli("--url", steward.url, "users", "list", "--limit", "200")
    assert shown.returncode == 0, shown.stderr
    assert ODD_NAMES[0] in shown.stdout
    assert "[bold red]no markup[/bold red]" in shown.stdout
    assert {char for char in shown.stdout if unicodedata.category(char) in {"Cc", "Cf"}} <= {"\n"}
    for user in made:
        assert steward.api("DELETE", f"/api/v1/users/{user}").status == 204


def test_odd_tenant_names_come_back_as_given_by_the_trail_too(steward: Steward) -> None:
    own = f"/api/v1/tenants/{steward.credentials['tenant']}"
    for name in (*ODD_NAMES, "Demo"):
        renamed = steward.api("PATCH", own, {"name": name})
        assert (renamed.status, renamed.json["name"]) == (200, name)
        assert steward.api("GET", own).json["name"] == name
    until(lambda: set(ODD_NAMES) <= names_in_trail(steward))


def test_odd_reason_is_taken(steward: Steward) -> None:
    body = {"name": "Odd", "slug": "odd", "plan": "free", "owner_email": "odd@example.com"}
    tenant = steward.api("POST", "/api/v1/tenants", body).json["tenant"]["id"]
    reason = {"reason": "\x1b[2J\t\r\n" + ODD_NAMES[0]}
    assert steward.api("POST", f"/api/v1/tenants/{tenant}/suspend", reason).status == 200
    assert steward.api("DELETE", f"/api/v1/tenants/{tenant}").status == 204


def test_odd_browsers_are_listed_without_control_characters(steward: Steward) -> None:
    demo = steward.credentials
    login = {"email": demo["email"], "password": demo["password"]}
    for name in ("<script>${jndi:ldap://x}</script>", "\x80\x9b31m", "a" * 5000):
        headers = {"User-Agent": name}
        tokens = steward.call("POST", "/api/v1/auth/login", login, headers=headers).json
        headers["Authorization"] = f"Bearer {tokens['access_token']}"
        sessions = steward.call("GET", "/api/v1/auth/sessions", headers=headers).json["items"]
        shown = next(session["user_agent"] for session in sessions if session["current"])
        assert shown.isprintable()
        assert len(shown) <= 256
        assert steward.call("POST", "/api/v1/auth/logout", headers=headers).status == 204


# Ids


def test_ids_that_are_none_are_refused_everywhere(attack: Attack, steward: Steward) -> None:
    requests: dict[str, bytes] = {}
    for method, path, operation in operations(steward):
        for parameter, no_id in itertools.product(operation.get("parameters", ()), NO_IDS):
            if parameter["in"] == "path":
                target = path.replace(f"{{{parameter['name']}}}", no_id)
                target = re.sub(r"\{[^}]*\}", str(uuid.uuid4()), target)
                body = b'{"reason":"x"}' if "suspend" in path else b'{"limit":1}' if "quotas" in path else b"{}"
                requests[f"{method} {target}"] = attack.post(body, target.encode(), method.encode())
    assert len(requests) > 150
    assert attack.findings(requests) == {}


def test_strange_queries_are_refused(attack: Attack) -> None:
    lists = (b"users", b"api-keys", b"tenants", b"audit/entries", b"audit/checkpoints")
    wrong = (b"limit=0", b"limit=-1", b"limit=201", b"limit=1e3", b"limit=", b"limit=%00", b"limit=" + b"9" * 4000)
    cursors = (b"cursor=null", b"cursor=%22%22", b"cursor=" + b64(b'{"a":1}').encode(), b"cursor=" + b"A" * 8000)
    requests = {
        f"{name.decode()}?{query[:30].decode()}": attack.head(b"GET", b"/api/v1/" + name + b"?" + query)
        for name, query in itertools.product(lists, (*wrong, *cursors))
    }
    for query in (b"since=now", b"until=1e999", b"outcome='--", b"actor=" + b"a" * 201, b"action="):
        requests[query[:40].decode()] = attack.head(b"GET", b"/api/v1/audit/entries?" + query)
        requests["export " + query[:40].decode()] = attack.head(b"GET", b"/api/v1/audit/export?" + query)
    assert attack.findings(requests) == {}


def test_paths_out_of_the_tree_lead_nowhere(attack: Attack) -> None:
    ways = ("../../etc/passwd", "..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cetc", "....//etc/passwd")
    requests = {
        start + way: attack.head(b"GET", (start + way).encode())
        for start, way in itertools.product(("/", "/assets/", "/docs/", "/api/v1/users/"), ways)
    }
    requests["NUL"] = attack.head(b"GET", b"/assets/steward.css%00.js")
    requests["no UTF-8"] = attack.head(b"GET", b"/api/v1/users/%c0%ae")
    assert attack.findings(requests) == {}


@pytest.fixture
def stranger(attack: Attack, steward: Steward) -> Iterator[str]:
    """The API key of another tenant's owner."""
    body = {"name": "Other", "slug": "other", "plan": "pro", "owner_email": "owner@other.example"}
    made = steward.api("POST", "/api/v1/tenants", body).json
    register = {"token": made["invitation_token"], "name": "Other", "password": "another long password"}
    assert steward.call("POST", "/api/v1/auth/register", register).status == 201
    tokens = steward.call(
        "POST", "/api/v1/auth/login", {"email": body["owner_email"], "password": register["password"]}
    )
    bearer = {"Authorization": f"Bearer {tokens.json['access_token']}"}
    scopes = ["tenant:read", "tenant:update", "user:read", "user:update", "user:delete", "role:assign", "role:read"]
    key = {"name": "other", "scopes": [*scopes, "session:read", "session:revoke", "key:read", "key:revoke"]}
    yield steward.call("POST", "/api/v1/api-keys", key, headers=bearer).json["secret"]
    assert steward.api("DELETE", f"/api/v1/tenants/{made['tenant']['id']}").status == 204


def test_ids_of_another_tenant_are_as_if_they_were_not(attack: Attack, steward: Steward, stranger: str) -> None:
    demo = steward.credentials
    login = {"email": demo["email"], "password": demo["password"]}
    tokens = steward.call("POST", "/api/v1/auth/login", login).json
    ids = {
        "tenant_id": demo["tenant"],
        "session_id": tokens["session_id"],
        "user_id": steward.api("GET", "/api/v1/users").json["items"][0]["id"],
        "key_id": steward.api("GET", "/api/v1/api-keys").json["items"][0]["id"],
        "role": "viewer",
        "permission": "user:read",
        "quota": "users",
    }
    tried = 0
    for method, path, operation in operations(steward):
        if any(f"{{{name}_id}}" in path for name in ("tenant", "session", "user", "key")):
            body = {name: SAMPLES[name] for name in operation["body"].get("required", ())}
            answer = steward.api(method, path.format(**ids), body or {"name": "taken over"}, key=stranger)
            # A stranger's key may lack the right to chats at all, which is told before any session is looked for.
            expected = {403, 404} if path.startswith("/api/v1/sessions/") else {404}
            assert "suspend" in path or answer.status in expected, f"{method} {path}: {answer}"
            assert fault(lower(answer)) == "", f"{method} {path}"
            tried += 1
    assert tried >= 14
    seen = steward.call("GET", f"/api/v1/auth/sessions?user_id={ids['user_id']}", headers={"X-API-Key": stranger})
    assert seen.status == 404 or seen.json["items"] == []
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert steward.call("POST", "/api/v1/auth/logout", headers=bearer).status == 204


# Credentials


def log_in(steward: Steward) -> str:
    login = {"email": steward.credentials["email"], "password": steward.credentials["password"]}
    return steward.call("POST", "/api/v1/auth/login", login).json["access_token"]


def me(steward: Steward, credential: str) -> Answer:
    return steward.get("/api/v1/auth/me", Authorization=f"Bearer {credential}")


def test_forged_tokens_are_refused(attack: Attack, steward: Steward) -> None:
    access = log_in(steward)
    header, claims, signature = (unb64(part) for part in access.split("."))
    head, said = json.loads(header), json.loads(claims)
    public = steward.get("/.well-known/jwks.json").json["keys"]
    own = next(key for key in public if key["kid"] == head["kid"])

    def signed(algorithm: str, secret: bytes) -> str:
        unsigned = token({**head, "alg": algorithm}, said, b"").rstrip(".")
        return f"{unsigned}.{b64(hmac.digest(secret, unsigned.encode(), 'sha256'))}"

    forged = {
        "alg none": token({**head, "alg": "none"}, said, b""),
        "alg NONE with a signature": token({**head, "alg": "NONE"}, said, signature),
        "HS256 with the public key": signed("HS256", unb64(own["x"])),
        "HS256 with the public key as text": signed("HS256", own["x"].encode()),
        "HS256 with nothing": signed("HS256", b""),
        "Ed25519 in name only": signed("Ed25519", unb64(own["x"])),
        "no signature": access.rsplit(".", 1)[0] + ".",
        "two parts": access.rsplit(".", 1)[0],
        "the signature of nobody": token(head, said, b"\0" * 64),
        "another tenant": token(head, {**said, "tenant": str(uuid.uuid4())}, signature),
        "more roles": token(head, {**said, "roles": ["owner", "platform-operator"]}, signature),
        "a later end": token(head, {**said, "exp": said["exp"] + 10**9}, signature),
        "an unknown key": token({**head, "kid": "../../../../dev/null"}, said, signature),
        "a key of one's own": token({**head, "jwk": own}, said, signature),
        "a key from elsewhere": token({**head, "jku": "http://127.0.0.1:9/jwks.json", "kid": "x"}, said, signature),
        "a certificate": token({**head, "x5u": "http://127.0.0.1:9/", "kid": "x"}, said, signature),
        "must understand": token({**head, "crit": ["exp"]}, said, signature),
        "claims of no object": f"{b64(header)}.{b64(b'[]')}.{b64(signature)}",
        "padded": access + "=",
    }
    answers = {name: me(steward, text) for name, text in forged.items()}
    assert {name: answer.status for name, answer in answers.items() if answer.status != 401} == {}
    assert {answer.json["code"] for answer in answers.values()} == {"invalid_credential"}
    assert {fault(lower(answer)) for answer in answers.values()} == {""}
    places = [*range(0, len(access) - 4, 9), *range(len(access) - 4, len(access))]
    passed = [place for place in places if me(steward, changed(access, place)).status != 401]
    assert [place for place in passed if access[place] != "."] == []


def test_token_ends_at_its_time(steward: Steward) -> None:
    access = log_in(steward)
    ended = me(steward, ending_in(steward, access, -1))
    assert (ended.status, ended.json["code"]) == (401, "invalid_credential")
    # One that the edge gets to know while it is good counts no longer for that.
    ending = ending_in(steward, access, 3)
    assert me(steward, ending).status == 200
    until(lambda: me(steward, ending).status == 401, 3 + 5)
    assert me(steward, ending).json["code"] == "invalid_credential"
    assert me(steward, access).status == 200


def test_key_with_one_character_changed_is_refused(attack: Attack, steward: Steward) -> None:
    key = attack.key
    passed = [
        place for place in range(len(key)) if steward.api("GET", "/api/v1/roles", key=changed(key, place)).status != 401
    ]
    assert passed == []
    others = (key[:-1], key + "A", key.upper(), key.replace("sk", "pk", 1), key.replace("sk", "rt", 1), key + "=")
    assert [steward.api("GET", "/api/v1/roles", key=other).status for other in others] == [401] * len(others)


def test_two_credentials_at_once_are_refused(attack: Attack, steward: Steward) -> None:
    bearer = f"Authorization: Bearer {log_in(steward)}\r\n".encode()
    requests = {
        "token and key": attack.head(extra=bearer),
        "two keys": attack.head(extra=b"X-API-Key: stw_sk_x\r\n"),
        "no bearer": attack.head(extra=b"Authorization: Basic YTpi\r\n"),
        "two tokens": attack.head(extra=bearer + b"Authorization: Bearer x\r\n"),
    }
    assert attack.findings(requests, 400) == {}


def test_claims_of_who_and_where_one_is_do_not_count(steward: Steward) -> None:
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Steward-Context": "a.b.c",
    }
    lies |= {
        "X-Steward-Tenant": str(uuid.uuid4()),
        "X-Steward-Scopes": "service:edge",
        "X-HTTP-Method-Override": "DELETE",
    }
    key = {"name": "whence", "scopes": ["user:read"]}
    made = steward.call("POST", "/api/v1/api-keys", key, headers={**lies, "X-API-Key": steward.credentials["api_key"]})
    assert made.status == 201
    resource = f"resource=api_key/{made.json['api_key']['id']}"
    assert steward.api("DELETE", f"/api/v1/api-keys/{made.json['api_key']['id']}").status == 200
    found: list[Any] = []

    def sealed() -> bool:
        entries = steward.api("GET", "/api/v1/audit/entries?action=key.created").json["items"]
        found[:] = [entry for entry in entries if made.json["api_key"]["id"] in entry["resource"]]
        return bool(found)

    until(sealed)
    assert found[0]["address"] == "127.0.0.1", resource
    assert steward.call("GET", "/api/v1/users", headers=lies).status == 401


# Heads, framing, connections


def test_floods_of_the_head_are_refused(attack: Attack) -> None:
    flood = {count: b"".join(b"X-%d: a\r\n" % number for number in range(count)) for count in (63, 99, 500, 50_000)}
    requests = {f"{count} fields": attack.head(extra=fields) for count, fields in flood.items()}
    for size in (17_000, 100_000, 4_000_000):
        requests[f"a field of {size}"] = attack.head(extra=b"X-Big: " + b"a" * size + b"\r\n")
        requests[f"a URL of {size}"] = attack.head(b"GET", KEYS + b"?cursor=" + b"a" * size)
    requests["a method of 60,000"] = b"A" * 60_000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert attack.findings(requests) == {}


def test_broken_heads_are_refused(attack: Attack) -> None:
    fields = {
        "space before the colon": b"X-A : b\r\n",
        "a folded line": b"X-A: b\r\n c\r\n",
        "a lone CR": b"X-A: a\rb\r\n",
        "NUL": b"X-A: a\0b\r\n",
        "an escape": b"User-Agent: a\x1b[31m\r\n",
        "no name": b": b\r\n",
        "no colon": b"abc\r\n",
        "another host": b"Host: b\r\n",
        "a bad idempotency key": b"Idempotency-Key: a b\r\n",
        "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n",
        "a list of lengths": b"Content-Length: 4, 4\r\n",
        "a length below nothing": b"Content-Length: -1\r\n",
        "a length with a sign": b"Content-Length: +4\r\n",
        "a length in hexadecimal": b"Content-Length: 0x4\r\n",
        "a coding that is none": b"Transfer-Encoding: xchunked\r\n",
        "chunked and then not": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "a coding before chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    }
    requests = {name: attack.head(b"POST", KEYS, JSON + extra) + b"abcde" for name, extra in fields.items()}
    requests |= {
        "no host": attack.head().replace(b"Host: a\r\n", b""),
        "HTTP/1.0 without a host": attack.head(version=b"1.0").replace(b"Host: a\r\n", b""),
        "HTTP/1.0 with chunks": attack.head(b"POST", KEYS, JSON + b"Transfer-Encoding: chunked\r\n", b"1.0"),
        "HTTP/3.0": attack.head(version=b"3.0"),
        "HTTP/0.9": b"GET /\r\n\r\n",
        "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300,
        "every byte": bytes(range(256)) * 8,
        "a raw control character in the URL": attack.head(b"GET", KEYS + b"?a=\x01"),
        "a raw byte in the URL": attack.head(b"GET", KEYS + b"/\xff"),
        "the target *": attack.head(b"OPTIONS", b"*"),
        "CONNECT": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n",
    }
    assert attack.findings(requests) == {}


def test_wrong_methods_are_named(attack: Attack) -> None:
    methods = (b"PUT", b"DELETE", b"PATCH", b"TRACE", b"BREW", b"get", b"PROPFIND")
    assert attack.findings({method.decode(): attack.head(method) for method in methods}, 405) == {}


def test_other_forms_of_a_request_mean_the_same(attack: Attack) -> None:
    requests = {
        "HTTP/1.0": attack.head(version=b"1.0"),
        "the absolute form": attack.head(b"GET", b"http://evil.example" + KEYS),
        "an upgrade nobody offers": attack.head(extra=b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
        "a length twice the same": attack.head(extra=b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    }
    answers = {name: attack.send(data) for name, data in requests.items()}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(requests, 200)
    assert b"evil.example" not in b"".join(answer.body for answer in answers.values())
    anonymous = requests["the absolute form"].replace(attack.key.encode(), b"stw_sk_x")
    assert attack.send(anonymous).status == 401


def test_chunks_that_are_none_are_refused(attack: Attack) -> None:
    chunks = {
        "larger than any": b"F" * 17 + b"\r\nabc",
        "below nothing": b"-1\r\nabc\r\n0\r\n\r\n",
        "of no number": b"zz\r\nabc\r\n0\r\n\r\n",
        "with half a line end": b"2\n{}\n0\n\n",
        "longer than they say": b"2\r\n{}{}\r\n0\r\n\r\n",
        "with an extension of 100,000": b"2;" + b"a" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
        "with 5,000 trailers": b"2\r\n{}\r\n0\r\n" + b"X-A: a\r\n" * 5_000 + b"\r\n",
        "that do not come": b"7fffffffffffffff\r\nabc",
    }
    assert attack.findings({name: attack.chunked(data) for name, data in chunks.items()}) == {}


def test_crumbs_and_other_codings_are_refused_before_they_cost_anything(attack: Attack) -> None:
    coded = attack.chunked(b"0\r\n\r\n").replace(b": chunked", b": gzip, chunked")
    crumbs = attack.chunked(b"1\r\n \r\n" * 100_000 + b"2\r\n{}\r\n0\r\n\r\n")
    assert attack.findings({"a coding before chunked": coded, "100,000 chunks of a byte": crumbs}, 400) == {}


@pytest.mark.parametrize("first", ["Transfer-Encoding: chunked", "Content-Length: 4"])
def test_request_hidden_in_a_body_is_not_answered(attack: Attack, first: str) -> None:
    both = ["Transfer-Encoding: chunked", "Content-Length: 4"]
    fields = "\r\n".join([first, *(field for field in both if field != first), ""]).encode()
    hidden = attack.head(b"GET", b"/api/v1/users")
    with wire(attack.steward.port) as connection:
        connection.send(attack.head(b"POST", KEYS, JSON + fields) + b"0\r\n\r\n" + hidden)
        said = connection.rest()
    assert said.count(b"HTTP/1.1 ") <= 1
    assert not said.startswith(b"HTTP/1.1 2")
    assert b"owner@demo.example" not in said


def test_garbage_after_good_requests_ends_the_connection(attack: Attack) -> None:
    with wire(attack.steward.port) as connection:
        connection.send(attack.head() * 3 + b"\0\xffgarbage\r\n\r\n" + attack.head())
        assert [connection.answer().status for _ in range(3)] == [200, 200, 200]
        assert connection.answer().status in {0, 400}
        assert connection.rest() == b""


def test_expected_body_is_asked_for_and_read(attack: Attack) -> None:
    body = b'{"name":5}'
    fields = JSON + b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(body)
    with wire(attack.steward.port) as connection:
        connection.send(attack.head(b"POST", KEYS, fields))
        assert connection.line().startswith(b"HTTP/1.1 100 ")
        assert connection.line() == b"\r\n"
        connection.send(body)
        assert connection.answer().status == 422


def test_callers_who_leave_in_the_middle_leave_nothing_behind(attack: Attack, steward: Steward) -> None:
    whole = attack.post(b'{"name":"left","scopes":["user:read","root:root"]}')
    for end in range(1, len(whole), 7):
        with wire(steward.port) as connection:
            connection.send(whole[:end])
            connection.reset()
    for _ in range(20):
        with wire(steward.port) as connection:
            connection.send(attack.head(b"GET", b"/api/v1/audit/export"))
            connection.reset()
    with wire(steward.port) as connection:
        connection.send(attack.head())
        connection.finish()
        assert connection.answer().status in {0, 200}
    assert steward.get("/ready").status == 200


def test_slow_callers_are_ended_and_others_served_meanwhile(attack: Attack, steward: Steward) -> None:
    with contextlib.ExitStack() as stack:
        heads = [stack.enter_context(wire(steward.port)) for _ in range(30)]
        bodies = [stack.enter_context(wire(steward.port)) for _ in range(30)]
        for slow in heads:
            slow.send(attack.head()[:-2])
        for slow in bodies:
            slow.send(attack.head(b"POST", KEYS, JSON + b"Content-Length: 8000\r\n"))
        began = time.monotonic()
        slowest = 0.0
        while time.monotonic() - began < SLOW_SECONDS + 1:
            for slow in (*heads, *bodies):
                slow.send(b"a")
            before = time.monotonic()
            assert steward.api("GET", "/api/v1/users").status == 200
            slowest = max(slowest, time.monotonic() - before)
        assert slowest < 1
        assert {slow.answer().status for slow in heads} <= {0, 408}
        assert {slow.answer().status for slow in bodies} == {408}


def test_many_idle_connections_keep_nobody_out(steward: Steward) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(2000):
            stack.enter_context(wire(steward.port))
        before = time.monotonic()
        assert steward.get("/ready").status == 200
        assert time.monotonic() - before < SLOW_SECONDS / 2


# Afterwards


def test_memory_stays_flat_under_hostile_requests(attack: Attack) -> None:
    kinds = itertools.cycle(
        (
            attack.post(b'{"name":"' + b"a" * 1_000_000 + b'"}'),
            attack.post(deep(100_000)),
            attack.post(b"[" * 200_000),
            attack.chunked((b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 20 + b"0\r\n\r\n"),
            attack.head(extra=b"X-Big: " + b"a" * 17_000 + b"\r\n"),
            attack.head(extra=b"".join(b"X-%d: a\r\n" % number for number in range(90))),
            attack.head(b"GET", KEYS + b"?cursor=" + b"a" * 9000),
            attack.head().replace(attack.key.encode(), b"stw_sk_" + b"a" * 500),
            attack.head(b"GET", b"/api/v1/users/%7B%7B7*7%7D%7D"),
            attack.post(b'{"email":"a@b.c","password":"x"}', b"/api/v1/auth/login").replace(b"X-API-Key", b"X-None"),
        )
    )
    for data in itertools.islice(kinds, 500):
        assert fault(attack.send(data)) == ""
    after_500 = attack.resident()
    for data in itertools.islice(kinds, 1500):
        assert fault(attack.send(data)) == ""
    assert attack.resident() - after_500 < 30 * MEBIBYTE


def test_trail_still_verifies(steward: Steward) -> None:
    assert steward.api("POST", "/api/v1/audit/verify").json["ok"] is True


def test_logs_hold_neither_control_characters_nor_secrets(attack: Attack, steward: Steward) -> None:
    access = log_in(steward)
    for path in ("%1b[31m%0aforged", "%E2%80%AE%C2%9B31m%E2%80%A8", f"a?token={access}&api_key={attack.key}"):
        attack.send(
            attack.head(b"GET", f"/api/v1/users/{path}".encode(), b"User-Agent: \x9b31m\r\nX-Request-Id: \x9b\r\n")
        )
    lines = [
        line for line in steward.log_text().split("\n") if not line.startswith(("Demo log-in:", "Steward is", "Try,"))
    ]
    text = "\n".join(lines)
    assert len(lines) > 500
    assert {char for char in text if unicodedata.category(char) in {"Cc", "Cf"}} <= {"\n"}
    secrets = (steward.credentials["password"], attack.key.rsplit("_", 1)[1], access, "another long password")
    assert [secret for secret in secrets if secret in text] == []
    assert "Traceback" not in text
    assert '"level":"error"' not in text
