// What is seen: the button, the dialog, the messages. It knows nothing of the network.

import { h, icon, linked } from "./dom.js";
import { STYLE } from "./style.js";
import { TEXTS } from "./texts.js";

const ICONS = {
  chat: "M21 12a8 8 0 0 1-8 8H4l2-3a8 8 0 1 1 15-5Z",
  close: "M6 6l12 12M18 6L6 18",
  fresh: "M12 20h8M16.5 3.6a2 2 0 0 1 2.9 2.9L7 19l-4 1 1-4Z",
  send: "M12 19V5M5 12l7-7 7 7",
};
const LONGEST = 8000;
const FULL_SCREEN = "(max-width: 480px), (max-height: 460px)";
const NEAR_PX = 80;

export class View {
  /** `acts`: what to do on `open`, `close`, `send(text)`, `fresh` and `retry`. */
  constructor(locale, acts) {
    this.acts = acts;
    this.locale = locale;
    this.items = [];
    this.status = "";
    this.opened = false;
    this.full = matchMedia(FULL_SCREEN);
    this.build();
    this.speak(locale);
  }

  text(key, values = {}) {
    return Object.entries(values).reduce((line, [name, value]) => line.replace(`{${name}}`, value), TEXTS[this.locale][key]);
  }

  build() {
    const { acts } = this;
    const press = (act) => ({ type: "button", click: act });
    this.launch = h("button", { class: "launch", "aria-haspopup": "dialog", "aria-controls": "panel", ...press(() => (this.opened ? acts.close() : acts.open())) });
    this.title = h("h2", { id: "title" });
    this.fresh = h("button", press(() => acts.fresh()), icon(ICONS.fresh));
    this.away = h("button", press(() => acts.close()), icon(ICONS.close));
    this.log = h("div", { class: "log", role: "log", "aria-live": "off", tabindex: "0" });
    this.label = h("label", { class: "heard", for: "box" });
    this.box = h("textarea", { id: "box", rows: 1, maxlength: LONGEST, enterkeyhint: "send", input: () => this.fit(), keydown: (event) => this.typed(event) });
    this.send = h("button", { class: "send", type: "submit" }, icon(ICONS.send));
    const form = h("form", { submit: (event) => (event.preventDefault(), this.submit()) }, this.label, this.box, this.send);
    const head = h("header", {}, this.title, this.fresh, this.away);
    this.panel = h("div", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true }, head, this.log, form);
    this.heard = h("p", { class: "heard", role: "status" });
    this.root = h("div", { class: "root", keydown: (event) => this.pressed(event) }, this.launch, this.panel, this.heard);
    this.host = h("steward-chat");
    const shadow = this.host.attachShadow({ mode: "open" });
    this.dress(shadow);
    shadow.append(this.root);
    document.body.append(this.host);
    this.full.addEventListener("change", () => this.fitScreen());
    window.visualViewport?.addEventListener("resize", () => this.fitScreen());
  }

  dress(shadow) {
    // A sheet made by script is fine with a page's content security policy; older browsers get an element.
    if ("adoptedStyleSheets" in shadow) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      shadow.adoptedStyleSheets = [sheet];
    } else shadow.append(h("style", {}, STYLE));
  }

  /** Say everything in this language from now on. */
  speak(locale) {
    this.locale = locale;
    this.root.lang = locale;
    this.title.textContent = this.text("title");
    this.label.textContent = this.text("label");
    this.box.placeholder = this.text("hint");
    this.log.setAttribute("aria-label", this.text("log"));
    for (const [button, key] of [[this.fresh, "fresh"], [this.away, "close"], [this.send, "send"]]) {
      button.setAttribute("aria-label", this.text(key));
      button.title = this.text(key);
    }
    this.drawLaunch();
    this.drawAll();
  }

  // ---- opening and closing

  show(focus) {
    this.opened = true;
    this.unread = false;
    this.panel.hidden = false;
    this.root.classList.add("open");
    this.drawLaunch();
    this.fitScreen();
    this.fit();
    this.toEnd(true);
    if (focus) this.box.focus();
  }

  hide(focus) {
    this.opened = false;
    this.panel.hidden = true;
    this.root.classList.remove("open");
    this.drawLaunch();
    if (focus) this.launch.focus();
  }

  drawLaunch() {
    const key = this.opened ? "close" : "launch";
    const label = this.text(key) + (this.unread ? ` (${this.text("unread")})` : "");
    this.launch.replaceChildren(icon(ICONS[this.opened ? "close" : "chat"]), this.unread ? h("span", { class: "dot" }) : "");
    this.launch.setAttribute("aria-label", label);
    this.launch.setAttribute("aria-expanded", this.opened);
  }

  /** On a phone the dialog is the whole screen, less what the keyboard covers. */
  fitScreen() {
    const { matches } = this.full;
    if (matches) this.panel.setAttribute("aria-modal", "true");
    else this.panel.removeAttribute("aria-modal");
    this.panel.style.height = matches && window.visualViewport ? `${window.visualViewport.height}px` : "";
    if (matches && this.opened) this.toEnd(true);
  }

  pressed(event) {
    if (!this.opened || event.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.acts.close();
    } else if (event.key === "Tab" && this.panel.contains(event.target)) this.keepIn(event);
  }

  /** Tab goes round within the dialog; Escape leads out of it. */
  keepIn(event) {
    const stops = [...this.panel.querySelectorAll("button, [tabindex='0'], a, summary, textarea")].filter((stop) => stop.getClientRects().length);
    const [first, last] = [stops[0], stops.at(-1)];
    const [from, to] = event.shiftKey ? [first, last] : [last, first];
    if (event.target !== from) return;
    event.preventDefault();
    to.focus();
  }

  // ---- writing

  typed(event) {
    // Enter that ends the choice of a character is not meant for us (229 is what some browsers say then).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  submit() {
    const text = this.box.value.trim();
    if (!text || this.status) return;
    this.box.value = "";
    this.fit();
    this.acts.send(text);
    this.box.focus();
  }

  /** The box grows with its text; the button is ready when there is something to send. */
  fit() {
    this.box.style.height = "auto";
    if (this.opened) this.box.style.height = `${this.box.scrollHeight + 2}px`;
    this.send.setAttribute("aria-disabled", Boolean(this.status || !this.box.value.trim()));
  }

  // ---- messages

  /** `{sender, text, citations, handed, ticket, trouble, retry}` at the end of the log. */
  add(item) {
    const follow = this.nearEnd();
    this.items.push(item);
    this.start.hidden = true;
    this.log.append((item.node = this.message(item)));
    if (this.busy) this.log.append(this.busy);
    this.toEnd(follow || item.sender === "user");
    return item;
  }

  remove(item) {
    this.items = this.items.filter((one) => one !== item);
    item.node.remove();
  }

  /** Show what has become of an item. */
  redraw(item) {
    const follow = this.nearEnd();
    const { node } = item;
    item.node = this.message(item);
    node.replaceWith(item.node);
    this.toEnd(follow);
  }

  /** Show these items and no others. */
  replace(items) {
    this.items = items;
    this.drawAll();
    this.toEnd(true);
  }

  /** More text of the last answer. */
  extend(item, piece) {
    const follow = this.nearEnd();
    item.text += piece;
    item.body.replaceChildren(...linked(item.text));
    this.toEnd(follow);
  }

  /** Say what is going on (a key of the texts); empty when nothing is. */
  setStatus(key) {
    if (key === this.status) return;
    this.status = key;
    this.fit();
    this.drawBusy();
  }

  /** Have a screen reader say it. */
  announce(line) {
    this.heard.textContent = line;
    if (!this.opened) {
      this.unread = true;
      this.drawLaunch();
    }
  }

  drawAll() {
    const follow = this.nearEnd();
    this.start = this.tries();
    this.start.hidden = this.items.length > 0;
    const hello = h("div", { class: "message" }, h("div", { class: "text" }, this.text("hello")), this.start);
    this.log.replaceChildren(hello, ...this.items.map((item) => (item.node = this.message(item))));
    this.drawBusy();
    this.toEnd(follow);
  }

  tries() {
    const buttons = TEXTS[this.locale].tries.map((line) => h("button", { type: "button", class: "quiet-button", click: () => this.take(line) }, line));
    return h("div", { class: "tries" }, buttons);
  }

  take(line) {
    if (this.status) return;
    this.acts.send(line);
    this.box.focus();
  }

  message(item) {
    const mine = item.sender === "user";
    item.body = h("div", { class: "text", dir: "auto" }, ...linked(item.trouble ? this.text(item.trouble, item.values) : item.text));
    if (item.said) item.body.textContent = item.said;
    return h("div", { class: `message ${mine ? "user" : "agent"}${item.trouble ? " trouble" : ""}`, role: item.trouble && "alert" },
      h("span", { class: "heard" }, this.text(mine ? "you" : "desk")),
      item.body,
      item.retry && h("button", { type: "button", class: "quiet-button", click: () => (this.box.focus(), this.acts.retry(item)) }, this.text("retry")),
      item.citations?.length > 0 && this.sources(item.citations),
      item.handed && h("p", { class: "note" }, item.ticket ? this.text("ticket", { number: item.ticket }) : this.text("handed")));
  }

  sources(citations) {
    const entries = citations.map(({ title, text }) => h("li", {}, h("details", {}, h("summary", {}, title || text.slice(0, 60)), h("p", {}, text))));
    return h("div", { class: "sources" }, this.text("sources"), h("ul", {}, entries));
  }

  drawBusy() {
    const follow = this.nearEnd();
    this.busy?.remove();
    this.busy = this.status ? h("div", { class: "busy" }, h("i", { "aria-hidden": "true" }, h("b")), this.text(this.status)) : null;
    if (this.busy) this.log.append(this.busy);
    this.toEnd(follow);
  }

  nearEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_PX;
  }

  toEnd(wanted) {
    if (wanted) this.log.scrollTop = this.log.scrollHeight;
  }
}
