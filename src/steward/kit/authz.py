"""Authorization: every operation is checked in its service, and every refusal leaves an audit entry."""

from steward.kit.audit import Audit, Outcome
from steward.kit.context import ActorType, Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import Forbidden, Unauthenticated


class PermissionDenied(Forbidden):
    """The caller may see the resource but not do this to it."""

    code = "permission_denied"

    def __init__(self, permission: str, resource: str) -> None:
        of = f" on {resource}" if resource else ""
        super().__init__(
            f"this needs the permission {permission!r}{of}, which the caller does not have: ask an administrator of "
            "the tenant for a role or key scope that grants it",
            permission=permission,
            resource=resource,
        )


class LoginNeeded(Unauthenticated):
    """Nobody is logged in."""

    code = "login_needed"

    def __init__(self) -> None:
        super().__init__("this needs an access token or API key: send `Authorization: Bearer …` or `X-API-Key: …`")


def allows(ctx: Ctx, permission: str) -> bool:
    """Whether the caller has a permission."""
    return permission in ctx.scopes


class Authz:
    """Checks permissions for one service and writes refusals to its audit outbox."""

    def __init__(self, db: ServiceDb) -> None:
        self._db = db

    async def require(self, ctx: Ctx, permission: str, resource: str = "") -> None:
        """Go on only with a permission `resource:action`; before any transaction is opened.

        Raises `LoginNeeded` for nobody and `PermissionDenied` for somebody, which is audited in a transaction of
        its own.
        """
        if permission in ctx.scopes:
            return
        if ctx.tenant is None or (ctx.actor.type is ActorType.ANONYMOUS and ctx.key_id is None):
            raise LoginNeeded
        await self.refused(ctx, permission, resource)
        raise PermissionDenied(permission, resource)

    async def refused(self, ctx: Ctx, permission: str, resource: str) -> None:
        """Write a refusal to the audit trail; for refusals that are shown as `not found` too."""
        async with self._db.tx(ctx) as tx:
            tx.audit(
                Audit(
                    action="access.denied",
                    resource=resource,
                    outcome=Outcome.DENIED,
                    reason=f"lacks {permission}",
                )
            )
