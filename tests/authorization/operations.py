"""How to call each operation validly, and who may: one recipe or more for every operation of the contracts.

A recipe names the method of the contract. The rpc and the HTTP route of an operation are called by the same recipe,
for both carry the method's arguments under their names.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from steward.services.audit.api import EntryFilter
from steward.services.identity.api import KeyKind, Role, UserState, UserUpdate
from steward.services.identity.roles import permissions_of
from steward.services.knowledge.api import DocumentInput, FaqInput, FaqUpdate, ImportFormat, KnowledgeApi
from steward.services.support.api import IntentExamples, SupportApi
from steward.services.tenants.api import Plan, Quota, TenantsApi, TenantUpdate
from tests.authorization.stage import Stage
from tests.support.platform import PASSWORD

Arguments = Mapping[str, Any]
Prepare = Callable[[Stage], Awaitable[Arguments]]


class Kind(StrEnum):
    OPEN = "open to all"
    ANYBODY = "any credential"
    SELF = "a user by a session, to themself"
    GRANTED = "by permission"
    SERVICE = "services only"


class Across(StrEnum):
    """What somebody of another tenant finds who names this tenant's things."""

    HIDDEN = "they do not exist"
    APART = "an answer from the own tenant"
    REFUSED = "nobody's business but the platform's"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One way to call an operation."""

    method: str
    """Of the contract."""
    variant: str = ""
    """Tells this way from the operation's others."""
    kind: Kind = Kind.GRANTED
    needs: Sequence[frozenset[str]] = ()
    """Permissions, as the contract's docstring has them: all of one of the sets."""
    across: Across = Across.APART
    hides: frozenset[str] = frozenset()
    """Who has none of these is told that the thing does not exist, even in the own tenant."""
    prepare: Prepare

    @property
    def name(self) -> str:
        return f"{self.method} ({self.variant})" if self.variant else self.method

    def allows(self, scopes: frozenset[str]) -> bool:
        """Whether a user by a session, with these permissions, may."""
        if self.kind is Kind.GRANTED:
            return any(needed <= scopes for needed in self.needs)
        return self.kind is not Kind.SERVICE

    def refusal(self, scopes: frozenset[str]) -> int:
        """The status with which a user of the same tenant is refused."""
        return 404 if self.hides and not self.hides & scopes else 403


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None


def http_request(method: str, path: str, described: Mapping[str, Any], arguments: Arguments) -> Request:
    """The arguments as the OpenAPI description of an operation wants them."""
    given = {name: msgspec.to_builtins(value) for name, value in _flat(arguments).items()}
    places = {one["name"]: one["in"] for one in described["parameters"]}
    path_values = {name: value for name, value in given.items() if places.get(name) == "path"}
    query = {name: str(value) for name, value in given.items() if places.get(name) == "query"}
    body = {name: value for name, value in given.items() if name not in places}
    if "requestBody" not in described:
        assert not body, f"{method} {path} has no place for {sorted(body)}"
    return Request(
        method=method.upper(),
        path=path.format(**path_values),
        query=query,
        body=body if "requestBody" in described else None,
    )


def _flat(arguments: Arguments) -> Arguments:
    """Structs like `change` and `where` stand in a request by their fields."""
    flat: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, msgspec.Struct):
            flat.update({key: inner for key, inner in msgspec.structs.asdict(value).items() if inner is not None})
        else:
            flat[name] = value
    return flat


def needs(*permissions: str) -> frozenset[str]:
    return frozenset(permissions)


PLATFORM = needs("platform:tenants")


async def nothing(_: Stage) -> Arguments:
    return {}


async def colleague(stage: Stage) -> Arguments:
    return {"user_id": await stage.somebody()}


async def oneself(stage: Stage) -> Arguments:
    return {"user_id": stage.caller.id}


async def governed(stage: Stage) -> Arguments:
    return {"tenant_id": (await stage.governed()).id}


async def authenticate(stage: Stage) -> Arguments:
    return {"credential": stage.caller.tokens.access_token}


async def login(stage: Stage) -> Arguments:
    return {"email": stage.caller.email, "password": PASSWORD, "tenant": str(stage.caller.tenant)}


async def refresh(stage: Stage) -> Arguments:
    fresh = await stage.house.logged_in(stage.caller.tenant, stage.caller.email)
    return {"refresh_token": fresh.tokens.refresh_token}


async def register(stage: Stage) -> Arguments:
    return {"token": await stage.invitation(), "name": "Registered", "password": PASSWORD}


async def change_password(_: Stage) -> Arguments:
    return {"current": PASSWORD, "new": PASSWORD}


def invite_user(role: Role) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {"email": f"{stage.unique()}@new.example", "name": "New", "roles": [role]}

    return prepare


def update_user(whom: Prepare, change: UserUpdate) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await whom(stage), "change": change}

    return prepare


async def disable_user(stage: Stage) -> Arguments:
    other = await stage.house.member(stage.tenant)
    return {"user_id": other.id, "change": UserUpdate(state=UserState.DISABLED)}


async def delete_owner(stage: Stage) -> Arguments:
    return {"user_id": await stage.somebody(Role.OWNER)}


def role_of(whom: Prepare, role: Role) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await whom(stage), "role": role}

    return prepare


def take(role: Role) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {"user_id": await stage.somebody(role), "role": role}

    return prepare


def explain(whom: Prepare) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await whom(stage), "permission": "user:read"}

    return prepare


async def owners_session(stage: Stage) -> Arguments:
    return {"session_id": await stage.session()}


async def own_session(stage: Stage) -> Arguments:
    return {"session_id": stage.caller.ctx.session_id}


def create_key(kind: KeyKind, *scopes: str) -> Prepare:
    async def prepare(_: Stage) -> Arguments:
        return {"name": "made", "kind": kind, "scopes": list(scopes)}

    return prepare


async def key(stage: Stage) -> Arguments:
    return {"key_id": await stage.key()}


async def provision_owner(stage: Stage) -> Arguments:
    user_id = await stage.somebody()
    return {"user_id": user_id, "email": f"{stage.unique()}@new.example", "invitation": await stage.invitation()}


async def create_tenant(stage: Stage) -> Arguments:
    slug = f"n-{stage.unique()}"
    return {"name": "New", "slug": slug, "plan": Plan.FREE, "owner_email": f"owner@{slug}.example"}


def update_tenant(change: TenantUpdate) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await governed(stage), "change": change}

    return prepare


async def suspend_tenant(stage: Stage) -> Arguments:
    return {**await governed(stage), "reason": "probe"}


async def resume_tenant(stage: Stage) -> Arguments:
    tenant = await stage.governed()
    if tenant.id != stage.tenant.id:
        there = stage.house.installation
        await there.api(TenantsApi).suspend_tenant(there.operator(), tenant_id=tenant.id, reason="probe")
    return {"tenant_id": tenant.id}


async def update_quota(stage: Stage) -> Arguments:
    return {**await governed(stage), "quota": Quota.AGENTS, "limit": 7}


async def find_tenant(stage: Stage) -> Arguments:
    return {"slug": stage.tenant.slug}


async def hold_quota(stage: Stage) -> Arguments:
    return {"quota": Quota.AGENTS, "holder": stage.house.installation.foundation.ids.new(), "amount": 1}


async def release_quota(stage: Stage) -> Arguments:
    return {"quota": Quota.AGENTS, "holder": stage.house.installation.foundation.ids.new()}


async def entries(_: Stage) -> Arguments:
    return {"where": EntryFilter(), "limit": 200}


async def export(_: Stage) -> Arguments:
    return {"where": EntryFilter()}


async def first_entry(_: Stage) -> Arguments:
    return {"seq": 1}


async def message(_: Stage) -> Arguments:
    return {"message": "How long does delivery take?"}


async def conversation(stage: Stage) -> Arguments:
    support = stage.house.installation.api(SupportApi)
    return {"session_id": (await support.chat(stage.tenant.owner, message="Hello")).session_id}


async def ticket(stage: Stage) -> Arguments:
    support = stage.house.installation.api(SupportApi)
    answer = await support.chat(stage.tenant.owner, message="I want to talk to a person, please")
    assert answer.ticket_id is not None, answer
    return {"ticket_id": answer.ticket_id}


async def intents(_: Stage) -> Arguments:
    examples = {"weather": ["will it rain", "is it cold outside"], "music": ["play a song", "turn up the volume"]}
    return {"intents": [IntentExamples(name=name, examples=said) for name, said in examples.items()]}


async def texts(_: Stage) -> Arguments:
    return {"texts": ["where is my order"]}


async def playbook(stage: Stage) -> Arguments:
    shipped = (await stage.house.installation.api(SupportApi).list_playbooks(stage.tenant.owner))[0]
    return {"name": shipped.name, "source": shipped.source}


async def own_playbook(stage: Stage) -> Arguments:
    made = await playbook(stage)
    await stage.house.installation.api(SupportApi).put_playbook(stage.tenant.owner, **made)
    return {"name": made["name"]}


async def shop(_: Stage) -> Arguments:
    return {"base_url": "https://shop.example", "credential": "probe"}


async def connected_shop(stage: Stage) -> Arguments:
    await stage.house.installation.api(SupportApi).put_shop(stage.tenant.owner, **await shop(stage))
    return {}


async def customer_keys(_: Stage) -> Arguments:
    return {"keys": []}


async def put_documents(_: Stage) -> Arguments:
    return {"documents": [DocumentInput(text="A text to store.")]}


async def put_document(stage: Stage) -> Arguments:
    return {"document_id": f"doc-{stage.unique()}", "document": DocumentInput(text="A text to store.")}


async def document(stage: Stage) -> Arguments:
    made = await _knowledge(stage).put_documents(stage.tenant.owner, documents=[DocumentInput(text="A probe's text.")])
    return {"document_id": made[0].id}


async def create_faq(stage: Stage) -> Arguments:
    return {"faq": FaqInput(question=f"What is {stage.unique()}?", answer="A probe.")}


async def faq(stage: Stage) -> Arguments:
    made = await _knowledge(stage).create_faq(stage.tenant.owner, faq=FaqInput(question="What?", answer="A probe."))
    return {"faq_id": made.id}


async def update_faq(stage: Stage) -> Arguments:
    return {**await faq(stage), "change": FaqUpdate(answer="Another.")}


async def import_faqs(_: Stage) -> Arguments:
    return {"format": ImportFormat.CSV, "content": "question,answer\nWhat?,A probe.\n"}


async def search(_: Stage) -> Arguments:
    return {"query": "probe", "k": 3}


async def note_answered(_: Stage) -> Arguments:
    return {"question": "What?", "faq_id": "probe"}


async def feedback(stage: Stage) -> Arguments:
    found = await _knowledge(stage).search(stage.tenant.owner, query="probe")
    return {"query_id": found.query_id, "helpful": True, "comment": ""}


def _knowledge(stage: Stage) -> KnowledgeApi:
    return stage.house.installation.api(KnowledgeApi)


def _owner_and(*permissions: str) -> frozenset[str]:
    return needs(*permissions) | permissions_of([Role.OWNER])


def _of(method: str, kind: Kind, prepare: Prepare = nothing, variant: str = "", **rest: Any) -> Recipe:
    return Recipe(method=method, kind=kind, prepare=prepare, variant=variant, **rest)


def _by(permission: str, method: str, prepare: Prepare = nothing, variant: str = "", **rest: Any) -> Recipe:
    rest.setdefault("needs", (needs(permission),))
    return Recipe(method=method, prepare=prepare, variant=variant, **rest)


_HIDDEN = {"across": Across.HIDDEN}
_RENAME = UserUpdate(name="Renamed")

IDENTITY: Sequence[Recipe] = (
    _of("authenticate", Kind.SERVICE, authenticate, across=Across.REFUSED),
    _of("login", Kind.OPEN, login),
    _of("refresh", Kind.OPEN, refresh),
    _of("register", Kind.OPEN, register),
    _of("logout", Kind.SELF),
    _of("whoami", Kind.ANYBODY),
    _of("change_password", Kind.SELF, change_password),
    _by("user:invite", "invite_user", invite_user(Role.VIEWER)),
    _by("", "invite_user", invite_user(Role.OWNER), "as owner", needs=(_owner_and("user:invite"),)),
    _by("user:read", "get_user", colleague, **_HIDDEN),
    _of("get_user", Kind.SELF, oneself, "oneself"),
    _by("user:read", "list_users"),
    _by("user:update", "update_user", update_user(colleague, _RENAME), **_HIDDEN),
    _by("user:update", "update_user", disable_user, "disable", **_HIDDEN),
    _of("update_user", Kind.SELF, update_user(oneself, _RENAME), "own name"),
    _by("user:delete", "delete_user", colleague, **_HIDDEN),
    _by("", "delete_user", delete_owner, "an owner", needs=(_owner_and("user:delete"),), **_HIDDEN),
    _by("role:assign", "assign_role", role_of(colleague, Role.VIEWER), **_HIDDEN),
    _by("", "assign_role", role_of(colleague, Role.OWNER), "owner", needs=(_owner_and("role:assign"),), **_HIDDEN),
    _by(
        "",
        "assign_role",
        role_of(oneself, Role.PLATFORM_OPERATOR),
        "platform-operator, oneself",
        needs=(needs("role:assign", "platform:tenants"),),
    ),
    _by("role:assign", "revoke_role", take(Role.VIEWER), **_HIDDEN),
    _by("", "revoke_role", take(Role.OWNER), "owner", needs=(_owner_and("role:assign"),), **_HIDDEN),
    _by("role:read", "list_roles"),
    _by("role:read", "explain_permission", explain(colleague), **_HIDDEN),
    _of("explain_permission", Kind.SELF, explain(oneself), "oneself"),
    _by("session:read", "list_sessions", colleague, "of another", **_HIDDEN),
    _of("list_sessions", Kind.SELF),
    _by("session:revoke", "revoke_session", owners_session, hides=needs("session:read", "session:revoke"), **_HIDDEN),
    _of("revoke_session", Kind.SELF, own_session, "own"),
    _by("key:create", "create_api_key", create_key(KeyKind.PUBLISHABLE), "publishable"),
    _by(
        "",
        "create_api_key",
        create_key(KeyKind.SECRET, "user:read"),
        "for user:read",
        needs=(needs("key:create", "user:read"),),
    ),
    _by(
        "",
        "create_api_key",
        create_key(KeyKind.SECRET, "audit:export"),
        "for audit:export",
        needs=(needs("key:create", "audit:export"),),
    ),
    _by("key:read", "list_api_keys"),
    _by("key:revoke", "revoke_api_key", key, **_HIDDEN),
    _of("get_jwks", Kind.OPEN),
    _of("provision_owner", Kind.SERVICE, provision_owner, across=Across.REFUSED),
    _of("erase_tenant", Kind.SERVICE, across=Across.REFUSED),
)

TENANTS: Sequence[Recipe] = (
    _by("platform:tenants", "create_tenant", create_tenant, across=Across.REFUSED),
    _by("", "get_tenant", governed, needs=(needs("tenant:read"), PLATFORM), **_HIDDEN),
    _by("platform:tenants", "list_tenants", across=Across.REFUSED),
    _by(
        "",
        "update_tenant",
        update_tenant(TenantUpdate(name="Renamed")),
        needs=(needs("tenant:update"), PLATFORM),
        **_HIDDEN,
    ),
    _by("platform:tenants", "update_tenant", update_tenant(TenantUpdate(plan=Plan.PRO)), "plan", **_HIDDEN),
    _by("platform:tenants", "suspend_tenant", suspend_tenant, **_HIDDEN),
    _by("platform:tenants", "resume_tenant", resume_tenant, **_HIDDEN),
    _by("platform:tenants", "delete_tenant", governed, **_HIDDEN),
    _by("platform:tenants", "update_quota", update_quota, **_HIDDEN),
    _by("", "get_usage", governed, needs=(needs("tenant:read"), PLATFORM), **_HIDDEN),
    _of("get_edge_policy", Kind.SERVICE, governed, across=Across.REFUSED),
    _of("find_tenant", Kind.SERVICE, find_tenant, across=Across.REFUSED),
    _of("hold_quota", Kind.SERVICE, hold_quota, across=Across.REFUSED),
    _of("release_quota", Kind.SERVICE, release_quota, across=Across.REFUSED),
)

AUDIT: Sequence[Recipe] = (
    _by("audit:read", "list_entries", entries),
    _by("audit:read", "get_entry", first_entry),
    _by("audit:export", "export_entries", export),
    _by("audit:read", "list_checkpoints"),
    _by("audit:verify", "verify_chain"),
)

SUPPORT: Sequence[Recipe] = (
    _by("conversation:write", "chat", message),
    _by("conversation:write", "chat_stream", message),
    _by(
        "",
        "get_history",
        conversation,
        needs=(needs("conversation:read"), needs("conversation:write")),
        **_HIDDEN,
    ),
    _by("conversation:write", "clear_session", conversation, **_HIDDEN),
    _by("conversation:read", "list_chat_sessions"),
    _by("ticket:read", "list_tickets"),
    _by("ticket:read", "get_ticket", ticket, **_HIDDEN),
    _by("support:configure", "put_intents", intents),
    _by("conversation:read", "get_intents"),
    _by("conversation:read", "classify", texts),
    _by("conversation:read", "list_playbooks"),
    _by("support:configure", "put_playbook", playbook),
    _by("support:configure", "delete_playbook", own_playbook),
    _by("support:configure", "put_shop", shop),
    _by("support:configure", "get_shop", connected_shop),
    _by("support:configure", "delete_shop", connected_shop),
    _by("support:configure", "put_customer_keys", customer_keys),
)

KNOWLEDGE: Sequence[Recipe] = (
    _by("knowledge:write", "put_documents", put_documents),
    _by("knowledge:write", "put_document", put_document),
    _by("knowledge:read", "get_document", document, **_HIDDEN),
    _by("knowledge:read", "list_documents"),
    _by("knowledge:read", "list_document_versions", document, **_HIDDEN),
    _by("knowledge:write", "delete_document", document, **_HIDDEN),
    _by("knowledge:write", "create_faq", create_faq),
    _by("knowledge:read", "get_faq", faq, **_HIDDEN),
    _by("knowledge:read", "list_faqs"),
    _by("knowledge:write", "update_faq", update_faq, **_HIDDEN),
    _by("knowledge:write", "delete_faq", faq, **_HIDDEN),
    _by("knowledge:write", "import_faqs", import_faqs),
    _by("knowledge:read", "search", search),
    _by("knowledge:read", "note_answered", note_answered),
    _by("knowledge:read", "list_popular"),
    _by("knowledge:read", "list_unanswered"),
    _by("knowledge:read", "give_feedback", feedback, **_HIDDEN),
    _by("knowledge:read", "list_feedback"),
)

PROBES: Sequence[Recipe] = (
    _of("get_health", Kind.OPEN),
    _of("get_readiness", Kind.OPEN),
    _of("get_metrics", Kind.OPEN),
)
"""Over HTTP only."""

CONTRACTS: Mapping[str, Sequence[Recipe]] = {
    "identity": IDENTITY,
    "tenants": TENANTS,
    "audit": AUDIT,
    "knowledge": KNOWLEDGE,
    "support": SUPPORT,
}
RECIPES: Sequence[Recipe] = (*IDENTITY, *TENANTS, *AUDIT, *KNOWLEDGE, *SUPPORT, *PROBES)


class Route(msgspec.Struct, frozen=True):
    """An operation of the OpenAPI document."""

    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def operation(self) -> str:
        return self.described["operationId"]


def routes_of(document: Mapping[str, Any]) -> Mapping[str, Route]:
    """The operations of an OpenAPI document by their `operationId`."""
    found: dict[str, Route] = {}
    for path, item in document["paths"].items():
        for method, described in item.items():
            assert described["operationId"] not in found, f"two routes are {described['operationId']}"
            found[described["operationId"]] = Route(method, path, described)
    return found
