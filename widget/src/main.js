// Brings the view, the desk and the memory together, and is what the page may call: `window.StewardChat`.

import { Desk, Problem } from "./desk.js";
import { Memory, unique } from "./memory.js";
import { known, spoken } from "./texts.js";
import { View } from "./view.js";

class Chat {
  constructor({ base, key, locale, token }) {
    this.desk = new Desk(base, key);
    this.memory = new Memory(key);
    this.desk.locale = locale;
    this.desk.token = token || null;
    this.memory.belongsTo(token);
    this.restored = null;
    this.turn = null;
    this.view = new View(locale, {
      open: () => this.open(),
      close: () => this.close(),
      send: (text) => this.send(text),
      fresh: () => this.fresh(),
      retry: (item) => this.retry(item),
    });
    if (this.memory.open && !this.view.full.matches) this.open(false);
  }

  open(focus = true) {
    this.memory.open = true;
    this.view.show(focus);
    this.restored ??= this.restore();
  }

  close() {
    this.memory.open = false;
    this.view.hide(true);
  }

  setLocale(locale) {
    this.desk.locale = spoken(locale);
    this.view.speak(this.desk.locale);
  }

  /** From now on the customer that this token names talks, or with null an anonymous one; each has their own history. */
  setCustomerToken(token) {
    const before = this.memory.owner;
    this.desk.token = token || null;
    this.memory.belongsTo(token);
    if (this.memory.owner === before) return;
    this.drop();
    this.restored = this.view.opened ? this.restore() : null;
  }

  // ---- conversation

  /** Show what was said before this page, and go on with an answer that was cut off by leaving. */
  async restore() {
    const { session, waiting } = this.memory;
    if (!session) return;
    const { owner } = this.memory;
    let said;
    try {
      said = await this.desk.history(session, this.memory.visitor);
    } catch (problem) {
      if (problem.status === 404) this.memory.session = null;
      else this.restored = null;
      return;
    }
    if (owner !== this.memory.owner || this.turn) return;
    this.view.replace(said.map(itemOf));
    const [message] = waiting?.after?.split(":") ?? [];
    const open = message && said.at(-1)?.sender === "user" && said.at(-1).id === message;
    // From its first event on, for the pieces that the page before has shown are gone with it.
    if (open) await this.run(this.newTurn(waiting.message, `${message}:0`));
    else this.memory.waiting = null;
  }

  async send(text) {
    this.view.setStatus("typing");
    await this.restored;
    this.view.add({ sender: "user", text });
    await this.run(this.newTurn(text));
  }

  newTurn(message, after = null) {
    return { key: unique(), message, after, user: this.memory.visitor, session: this.memory.session, stop: new AbortController() };
  }

  async run(turn) {
    this.turn = turn;
    this.view.setStatus("typing");
    try {
      for await (const event of this.desk.ask(turn)) if (this.turn === turn) this.take(turn, event);
    } catch (problem) {
      if (this.turn === turn) await this.fail(turn, problem);
    } finally {
      if (this.turn === turn) this.turn = null;
      if (!this.turn) this.view.setStatus("");
    }
  }

  take(turn, event) {
    const { view, memory } = this;
    if (turn.session) memory.session = turn.session;
    memory.waiting = turn;
    if (event.type === "again") view.setStatus("again");
    else if (event.type === "status") view.setStatus(event.text.startsWith("shop.") ? "shop" : "search");
    else view.setStatus("typing");
    if (event.type === "message.delta") {
      turn.item ??= view.add({ sender: "agent", text: "" });
      view.extend(turn.item, event.text);
    } else if (event.type === "message.completed") this.complete(turn, event.answer);
  }

  complete(turn, answer) {
    // What was streamed may have come in two parts of two processes: the whole answer is what counts.
    const item = turn.item ?? { sender: "agent" };
    Object.assign(item, itemOf({ ...answer, text: answer.message }));
    this.memory.waiting = null;
    this.view.setStatus("");
    if (turn.item) this.view.redraw(item);
    else this.view.add(item);
    this.view.announce(answer.message);
  }

  async fail(turn, problem) {
    if (problem.status === 404 && turn.session) {
      // The session is gone (or another customer's): the message begins a new one.
      this.memory.session = null;
      return this.run({ ...turn, key: unique(), session: null, after: null });
    }
    const trouble = troubleOf(problem);
    if (turn.item && !turn.item.text) this.view.remove(turn.item);
    this.view.add({ sender: "agent", trouble, values: { seconds: problem.seconds }, said: problem.code === "told" && problem.said, retry: trouble !== "long", turn });
    this.view.announce(this.view.items.at(-1).body.textContent);
  }

  retry(item) {
    this.view.remove(item);
    const { turn } = item;
    this.run({ ...turn, stop: new AbortController() });
  }

  fresh() {
    this.memory.session = null;
    this.memory.waiting = null;
    this.drop();
    this.view.box.focus();
  }

  drop() {
    this.turn?.stop.abort();
    this.turn = null;
    this.view.setStatus("");
    this.view.replace([]);
  }
}

/** What the view shows of a message of the history or of an answer. */
function itemOf({ sender, text, citations, ticket_id, ticket_number }) {
  return { sender: sender === "user" ? sender : "agent", text, citations, handed: Boolean(ticket_id), ticket: ticket_number };
}

function troubleOf({ code, status }) {
  if (code === "offline" || status === 503) return "offline";
  if (status === 429) return "limited";
  if (code === "customer_token_invalid") return "expired";
  if ([401, 403].includes(status)) return "refused";
  if (status === 413 || status === 422) return "long";
  return "failed";
}

function start(script) {
  if (window.StewardChat) return;
  const { key, locale, customerToken } = script.dataset;
  if (!key) {
    console.error("Steward chat: the script tag has no data-key; give it a publishable key.");
    return;
  }
  const chat = new Chat({
    base: new URL(script.src, location.href).origin,
    key,
    locale: known(locale) ?? spoken(...(navigator.languages ?? [navigator.language])),
    token: customerToken,
  });
  window.StewardChat = Object.freeze({
    open: () => chat.open(),
    close: () => chat.close(),
    setCustomerToken: (token) => chat.setCustomerToken(token),
    setLocale: (locale) => chat.setLocale(locale),
  });
}

const script = document.currentScript;
if (document.body) start(script);
else addEventListener("DOMContentLoaded", () => start(script));
