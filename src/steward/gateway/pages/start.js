// The start page: status for everybody; for who signs in, who they are, their tenant, its quotas and its audit trail.

import { command, h } from "/assets/dom.js";
import { LANGUAGES, TEXTS } from "/assets/texts.js";

const STATUS_EVERY_MS = 15_000;
const SHOWN_ENTRIES = 10;

const $ = (id) => document.getElementById(id);

// Tokens live in this page's memory only: closing or reloading it signs out.
const state = { language: "en", tokens: null, health: undefined, mine: null, error: null };

const text = (key, values = {}) =>
  Object.entries(values).reduce((line, [name, value]) => line.replace(`{${name}}`, value), TEXTS[state.language][key]);

function chosenLanguage() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (LANGUAGES.includes(asked)) return asked;
  for (const tag of navigator.languages ?? []) {
    const lower = tag.toLowerCase();
    if (lower.startsWith("en")) return "en";
    if (lower.startsWith("zh")) return /hant|tw|hk|mo/.test(lower) && !lower.includes("hans") ? "zh-Hant" : "zh-Hans";
  }
  return "en";
}

function speak(language) {
  state.language = language;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const link of document.querySelectorAll("[data-lang]")) {
    if (link.dataset.lang === language) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  renderHealth();
  renderError();
  renderTries();
  if (state.mine) renderMine();
}

// ---- talking to the platform

class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = document.code;
  }
}

async function call(method, path, { body, token } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": state.language };
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "omit" });
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

/** A call as the user; an access token that has run out is renewed once. */
async function callAsUser(method, path) {
  try {
    return await call(method, path, { token: state.tokens.access_token });
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    state.tokens = await call("POST", "/api/v1/auth/refresh", { body: { refresh_token: state.tokens.refresh_token } });
    return call(method, path, { token: state.tokens.access_token });
  }
}

// ---- status

async function checkHealth() {
  try {
    const response = await fetch("/health", { credentials: "omit" });
    state.health = await response.json();
  } catch {
    state.health = null;
  }
  renderHealth();
}

function renderHealth() {
  const { health } = state;
  if (health === undefined) return;
  const good = health?.status === "ok";
  const line = text(health === null ? "unreachable" : good ? "allGood" : "someDown");
  // Changed only when it says something else, so that a screen reader is not told the same every few seconds.
  if ($("status").textContent !== line) $("status").textContent = line;
  $("status").className = `pill ${good ? "good" : "bad"}`;
  $("version").textContent = health?.version ? text("version", { version: health.version }) : "";
  $("dependencies").replaceChildren(
    ...Object.entries(health?.dependencies ?? {}).map(([name, { status, detail }]) =>
      h("li", { class: status === "ok" ? "good" : "bad" },
        h("span", { class: "dot", "aria-hidden": "true" }),
        h("strong", {}, name), " ", h("span", {}, text(status === "ok" ? "ok" : "down")),
        detail && h("span", { class: "quiet" }, ` ${detail}`))),
  );
}

// ---- signing in and out

function renderError() {
  const { error } = state;
  $("sign-in-error").textContent = !error ? "" : error instanceof Problem ? error.message : text(error);
}

function fail(error) {
  state.error = error instanceof Problem || typeof error === "string" ? error : "unreachable";
  renderError();
}

async function signIn(event) {
  event.preventDefault();
  const form = event.target;
  const { email, password, tenant } = Object.fromEntries(new FormData(form));
  if (!email || !password) {
    fail("missing");
    (email ? form.password : form.email).focus();
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  button.textContent = text("signingIn");
  try {
    state.tokens = await call("POST", "/api/v1/auth/login", {
      body: tenant ? { email, password, tenant } : { email, password },
    });
    await loadMine();
    form.reset();
    state.error = null;
    renderError();
    show(true);
  } catch (problem) {
    state.tokens = null;
    if (problem.code === "tenant_needed") {
      $("tenant-field").hidden = false;
      $("tenant").focus();
    }
    fail(problem);
  } finally {
    button.disabled = false;
    button.textContent = text("signIn");
  }
}

async function signOut() {
  const { tokens } = state;
  Object.assign(state, { tokens: null, mine: null });
  show(false);
  if (tokens) await call("POST", "/api/v1/auth/logout", { token: tokens.access_token }).catch(() => undefined);
}

function show(signedIn) {
  $("sign-in").hidden = signedIn;
  $("signed-in").hidden = !signedIn;
  $(signedIn ? "me-title" : "email").focus();
}

// ---- what is mine

async function loadMine() {
  const me = await callAsUser("GET", "/api/v1/auth/me");
  const part = (path) => callAsUser("GET", path).catch((problem) => problem);
  const [user, tenant, usage, audit] = await Promise.all([
    part(`/api/v1/users/${me.actor.id}`),
    part(`/api/v1/tenants/${me.tenant}`),
    part(`/api/v1/tenants/${me.tenant}/usage`),
    part(`/api/v1/audit/entries?limit=${SHOWN_ENTRIES}`),
  ]);
  state.mine = { me, user, tenant, usage, audit };
  renderMine();
}

function renderMine() {
  const { me, user, tenant, usage, audit } = state.mine;
  $("me").replaceChildren(
    ...fact("user", user instanceof Error ? me.actor.id : `${user.name} · ${user.email}`),
    ...fact("roles", me.roles.map((role) => h("span", { class: "tag" }, role))),
    ...fact("permissions", h("details", {},
      h("summary", {}, String(me.scopes.length)),
      h("p", {}, [...me.scopes].sort().map((scope) => [h("code", {}, scope), " "])))),
  );
  $("tenant-facts").replaceChildren(
    ...(tenant instanceof Error ? [refused(tenant, "tenant:read")] : [
      ...fact("name", tenant.name),
      ...fact("shortName", h("code", {}, tenant.slug)),
      ...fact("plan", tenant.plan),
      ...fact("state", tenant.state),
    ]),
  );
  $("quotas").replaceChildren(
    ...(usage instanceof Error ? [refused(usage, "tenant:read")] : usage.quotas.map(quota)),
  );
  $("audit").replaceChildren(audit instanceof Error ? refused(audit, "audit:read") : entries(audit.items));
}

function refused(problem, permission) {
  return h("p", { class: "quiet" }, problem.status === 403 ? text("notYours", { permission }) : problem.message);
}

const fact = (key, value) => [h("dt", {}, text(key)), h("dd", {}, value)];

function amount(value, quotaName) {
  const bytes = quotaName === "storage_bytes";
  const format = new Intl.NumberFormat(state.language, bytes ? { style: "unit", unit: "gigabyte", maximumFractionDigits: 2 } : {});
  return format.format(bytes ? value / 1e9 : value);
}

function quota({ quota: name, limit, used }) {
  const label = TEXTS[state.language].quota[name] ?? name;
  const said = text("of", { used: amount(used, name), limit: amount(limit, name) });
  const id = `quota-${name}`;
  return h("div", { class: "quota" },
    h("label", { for: id }, label),
    h("span", { class: "quiet" }, said),
    h("meter", { id, min: 0, max: Math.max(limit, 1), high: limit * 0.9, optimum: 0, value: used, "aria-valuetext": said }));
}

function entries(items) {
  if (!items.length) return h("p", { class: "quiet" }, text("nothingYet"));
  const time = new Intl.DateTimeFormat(state.language, { dateStyle: "short", timeStyle: "medium" });
  const head = ["when", "who", "what", "onWhat", "outcome"].map((key) => h("th", { scope: "col" }, text(key)));
  const row = (entry) => h("tr", {},
    h("td", {}, h("time", { datetime: entry.at }, time.format(new Date(entry.at)))),
    h("td", {}, entry.actor.type, entry.actor.id && h("code", { class: "id" }, ` ${entry.actor.id.slice(-12)}`)),
    h("td", {}, h("code", {}, entry.action)),
    h("td", {}, h("code", { class: "id" }, entry.resource)),
    h("td", {}, h("span", { class: `tag ${entry.outcome === "done" ? "good" : "bad"}` }, entry.outcome)));
  return h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, items.map(row)));
}

function renderTries() {
  const commands = [
    ["try1", "/api/v1/auth/me"],
    ["try2", "/api/v1/users"],
    ["try3", "/api/v1/audit/entries?limit=5"],
  ];
  const words = { copy: text("copy"), copied: text("copied") };
  $("tries").replaceChildren(...commands.map(([key, path]) =>
    h("li", {}, h("p", {}, text(key)), command(`curl -H "X-API-Key: $STEWARD_API_KEY" '${location.origin}${path}'`, words))));
}

// ---- start

for (const link of document.querySelectorAll("[data-lang]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    history.replaceState(null, "", link.href);
    speak(link.dataset.lang);
  });
}
$("sign-in-form").addEventListener("submit", signIn);
$("sign-out").addEventListener("click", signOut);
speak(chosenLanguage());
checkHealth();
setInterval(() => document.hidden || checkHealth(), STATUS_EVERY_MS);
