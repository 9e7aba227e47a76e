"""Users: accounts, invitations, roles assigned, and the provisioning and erasure of a tenant's."""
