"""Where and with which fields an endpoint's requests go: worked out once for each revision of a connection."""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec
from yarl import URL

from steward.kit.http.addresses import AddressPolicy
from steward.services.models.api import Speaks
from steward.services.models.messages import ModelRequest
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.http1.connecting import Target
from steward.services.models.wire.anthropic.betas import BETAS
from steward.services.models.wire.anthropic.client import AnthropicClient
from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsClient
from steward.services.models.wire.ports import ClientCodec

_MOST = 4096
_OPENAI_HOST = "api.openai.com"
_AZURE_HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
_AGENT = "Steward"
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te"})
_FIELDS = re.compile(r"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++: [^\x00-\x08\x0a-\x1f\x7f]*+\r\n)++")


class Prepared(msgspec.Struct, frozen=True):
    """How to speak to an endpoint."""

    codec: ClientCodec
    says: Callable[[ModelRequest], Mapping[str, str]] | None
    """Header fields that belong to a request, where the dialect has any."""
    target: Target
    line: bytes
    """The beginning of a request's head, for an answer of the model."""
    embeddings: bytes
    """The same for embeddings."""


class Preparations:
    """Remembers them; the URLs of tenants are checked before."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._known: dict[UUID, Prepared] = {}

    def of(self, endpoint: Endpoint) -> Prepared:
        """Raises `AddressRefused` for a URL that a tenant may not have called, `ValueError` for what is none."""
        known = self._known.get(endpoint.revision)
        if known is None:
            known = self._make(endpoint)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[endpoint.revision] = known
        return known

    def _make(self, endpoint: Endpoint) -> Prepared:
        base = endpoint.base_url.rstrip("/")
        if endpoint.speaks is Speaks.ANTHROPIC:
            codec = AnthropicClient()
            path, says = codec.path_for(base), codec.request_headers
        else:
            codec = OpenAiClient(newer=_is_openai(URL(base)))
            path, says = codec.path, None
        url, embeddings = URL(base + path), URL(base + OpenAiEmbeddingsClient.path)
        if endpoint.owner is not None:
            self._policy.check(url)
        query = endpoint.query
        return Prepared(
            codec, says, _target(url), _line(url.extend_query(query)), _line(embeddings.extend_query(query))
        )


def _is_openai(url: URL) -> bool:
    host = url.host or ""
    return host == _OPENAI_HOST or host.endswith(_AZURE_HOSTS)


def _target(url: URL) -> Target:
    host, port = url.raw_host, url.port
    if url.scheme not in {"http", "https"} or not host or port is None:
        raise ValueError("a base URL begins with http:// or https:// and names a host")
    if url.raw_user is not None or url.raw_password is not None:
        raise ValueError("a base URL holds no user name or password: give the key or a header field")
    return Target(host, port, url.scheme == "https")


def _line(url: URL) -> bytes:
    return f"POST {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n".encode("ascii")


def write_head(
    line: bytes, endpoint: Endpoint, codec: ClientCodec, said: Mapping[str, str], size: int, *, stream: bool
) -> bytes:
    """The head of one request with a body of `size` bytes, the only thing that the key is in.

    The connection's own fields go before ours. Raises `ValueError` for one that is none.
    """
    key = endpoint.key.reveal() if endpoint.key is not None else None
    ours = _OURS_STREAM if stream else _OURS_WHOLE
    fields: Mapping[str, str] = {**ours, **codec.headers(key, endpoint.key_header)}
    if said or endpoint.headers:
        fields = _merged(fields, said, endpoint.headers)
    text = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
    if text.count("\r\n") != len(fields) or _FIELDS.fullmatch(text) is None:
        raise ValueError("a header field's name or value has characters that none may have")
    return b"%b%bContent-Length: %d\r\n\r\n" % (line, text.encode(), size)


def _merged(ours: Mapping[str, str], said: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
    """Betas add up, for the connection's and the caller's may both be needed; of all else the connection's is told."""
    made = {name.lower(): (name, value) for name, value in (*ours.items(), *said.items())}
    for name, value in own.items():
        lower = name.lower()
        if lower in _FRAMING:
            raise ValueError(f"the header field {lower} is not for a connection to set")
        asked = said.get(BETAS) if lower == BETAS else None
        made[lower] = (name, f"{value},{asked}" if asked else value)
    return dict(made.values())


def _ours(accept: str) -> Mapping[str, str]:
    return {
        "User-Agent": _AGENT,
        "Content-Type": "application/json",
        "Accept": accept,
        "Accept-Encoding": "identity",
    }


_OURS_WHOLE: Mapping[str, str] = _ours("application/json")
_OURS_STREAM: Mapping[str, str] = _ours("text/event-stream")
