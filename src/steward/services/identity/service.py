"""The identity service: its use cases together answer for `IdentityApi`."""

from steward.services.identity.keys.api_keys import ApiKeys
from steward.services.identity.sessions.authentication import Authentication
from steward.services.identity.sessions.ending import Ending
from steward.services.identity.sessions.login import Login
from steward.services.identity.sessions.refreshing import Refreshing
from steward.services.identity.use_case import IdentityParts
from steward.services.identity.users.accounts import Accounts
from steward.services.identity.users.assignment import Assignment
from steward.services.identity.users.invitations import Invitations
from steward.services.identity.users.password_change import PasswordChange
from steward.services.identity.users.provisioning import Provisioning


class IdentityService:
    """Implements `IdentityApi`: each operation is answered by the use case that it belongs to."""

    def __init__(self, parts: IdentityParts) -> None:
        authentication = Authentication(parts)
        self.authenticate = authentication.authenticate
        self.whoami = authentication.whoami
        self.get_jwks = authentication.get_jwks
        self.login = Login(parts).login
        self.refresh = Refreshing(parts).refresh

        ending = Ending(parts)
        self.logout = ending.logout
        self.list_sessions = ending.list_sessions
        self.revoke_session = ending.revoke_session

        invitations = Invitations(parts)
        self.invite_user = invitations.invite_user
        self.register = invitations.register
        self.change_password = PasswordChange(parts).change_password

        accounts = Accounts(parts)
        self.get_user = accounts.get_user
        self.list_users = accounts.list_users
        self.update_user = accounts.update_user
        self.delete_user = accounts.delete_user

        assignment = Assignment(parts)
        self.assign_role = assignment.assign_role
        self.revoke_role = assignment.revoke_role
        self.list_roles = assignment.list_roles
        self.explain_permission = assignment.explain_permission

        api_keys = ApiKeys(parts)
        self.create_api_key = api_keys.create_api_key
        self.list_api_keys = api_keys.list_api_keys
        self.revoke_api_key = api_keys.revoke_api_key

        provisioning = Provisioning(parts)
        self.provision_owner = provisioning.provision_owner
        self.erase_tenant = provisioning.erase_tenant
