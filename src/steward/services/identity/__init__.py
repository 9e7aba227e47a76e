"""Identity: who a caller is, how they prove it, and what their roles permit.

Purpose. Users and their invitations, log-in with lock-out, sessions with rotating refresh tokens, access tokens and
the keys that sign them, API keys, and the built-in roles with their permissions.

Invariants.
- A credential is looked up inside the tenant that it names, never across tenants. The only look-up across tenants is
  log-in by address, through the blind index, with the system role, on named columns.
- What a caller may do comes from the roles that the database holds now, never from what a token says.
- No secret is stored: of passwords argon2id hashes, of keys and tokens SHA-256 of 32 random bytes. Addresses, names,
  network addresses and user agents are sealed.
- A refresh token is good once; its second use ends the session. Both are decided under the lock of the session's row.
- A tenant that has an active owner keeps one: what removes an owner holds the tenant's owner lock.
- Nobody gives, takes or overrules a role that permits more than they may do themselves.
- Every change is audited in its own transaction and emits an event, so that caches elsewhere let go at once.

Pitfalls.
- Seal before a transaction and open after it: the envelope may need the database for a data key.
- `tenants` is another service: quotas are held between two transactions, under an intent.
- The database reads `now` from the caller, so that a test's clock rules expiry and lock-out.
- A failure that must leave a trace (a wrong password, a reused token) is raised after its transaction has committed.
"""
