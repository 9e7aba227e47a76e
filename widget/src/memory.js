// What the browser remembers between pages: who the visitor is, the session, and a message that waits for its answer.

const KEPT_MS = 24 * 3600 * 1000;

/** Values by name in a storage of the browser; where that is forbidden, for as long as the page lives. */
class Shelf {
  constructor(storage, prefix) {
    this.prefix = prefix;
    this.own = new Map();
    try {
      this.storage = window[storage];
    } catch {
      this.storage = null;
    }
  }

  get(name) {
    try {
      return JSON.parse(this.storage.getItem(this.prefix + name));
    } catch {
      return this.own.get(name) ?? null;
    }
  }

  put(name, value) {
    this.own.set(name, value);
    try {
      if (value === null) this.storage.removeItem(this.prefix + name);
      else this.storage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // Full or forbidden: `own` has it.
    }
  }
}

/** A name that nobody else has; `crypto.randomUUID` is missing on pages without TLS. */
export function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Memory {
  constructor(key) {
    const prefix = `steward:${key.slice(-8)}:`;
    this.lasting = new Shelf("localStorage", prefix);
    this.tab = new Shelf("sessionStorage", prefix);
    this.owner = "";
  }

  /** Whom the conversation belongs to: the customer that a token names (read, not believed), or the visitor. */
  belongsTo(token) {
    this.owner = "";
    if (!token) return;
    try {
      this.owner = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub;
    } catch {
      this.owner = token.slice(-12);
    }
  }

  get visitor() {
    const known = this.lasting.get("visitor");
    if (known) return known;
    const made = `visitor-${unique()}`;
    this.lasting.put("visitor", made);
    return made;
  }

  get session() {
    const kept = this.lasting.get(`session:${this.owner}`);
    return kept && Date.now() - kept.at < KEPT_MS ? kept.id : null;
  }

  set session(id) {
    this.lasting.put(`session:${this.owner}`, id && { id, at: Date.now() });
  }

  /** The message whose answer is not here yet: `{message, after}`. */
  get waiting() {
    return this.tab.get(`waiting:${this.owner}`);
  }

  set waiting(turn) {
    this.tab.put(`waiting:${this.owner}`, turn && { message: turn.message, after: turn.after });
  }

  get open() {
    return this.tab.get("open") === true;
  }

  set open(open) {
    this.tab.put("open", open || null);
  }
}
