// Talking to the platform, as nobody or as a user who signed in.

/** An answer that is a problem (RFC 9457). */
export class Problem extends Error {
  constructor(status, details) {
    super(details.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = details.code;
    this.details = details;
  }
}

async function call(method, path, { language, body, token } = {}) {
  const headers = { Accept: "application/json" };
  if (language) headers["Accept-Language"] = language;
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "omit" });
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

/** A user's session. Its tokens live in the page's memory only: closing or reloading the page forgets them. */
export class Session {
  #tokens;
  #renewal = null;

  constructor(tokens) {
    this.#tokens = tokens;
  }

  static async open(language, body) {
    return new Session(await call("POST", "/api/v1/auth/login", { language, body }));
  }

  /** A call as the user; an access token that has run out is renewed once. */
  async call(method, path) {
    const token = this.#tokens.access_token;
    try {
      return await call(method, path, { token });
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      // A refresh token counts once, so that calls that fail together share one renewal.
      if (token === this.#tokens.access_token) await (this.#renewal ??= this.#renew());
      return call(method, path, { token: this.#tokens.access_token });
    }
  }

  async #renew() {
    try {
      this.#tokens = await call("POST", "/api/v1/auth/refresh", { body: { refresh_token: this.#tokens.refresh_token } });
    } finally {
      this.#renewal = null;
    }
  }

  /** Sign out. The page forgets the tokens whether or not the platform can be told. */
  async close() {
    await call("POST", "/api/v1/auth/logout", { token: this.#tokens.access_token }).catch(() => undefined);
  }
}
