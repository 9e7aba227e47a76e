// The start page: status for everybody; for who signs in, who they are, their tenant, its quotas and its audit trail.

import { command, h, prose } from "/assets/dom.js";
import { Speech } from "/assets/language.js";
import { Problem, Session } from "/assets/session.js";
import { TEXTS } from "/assets/texts.js";
import { renderMine, renderTrail } from "/assets/mine.js";

const LOOK_EVERY_MS = 15_000;
const SHOWN_ENTRIES = 10;

const $ = (id) => document.getElementById(id);

const state = { session: null, health: undefined, mine: null, error: null };
const speech = new Speech(TEXTS, render);
const text = (key, values) => speech.text(key, values);

function render() {
  renderHealth();
  renderError();
  renderTries();
  if (state.mine) renderMine(speech, state.mine);
}

// ---- status

async function checkHealth() {
  try {
    state.health = await (await fetch("/health", { credentials: "omit" })).json();
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
  $("dependencies").replaceChildren(...Object.entries(health?.dependencies ?? {}).map(dependency));
}

function dependency([name, { status, detail = "" }]) {
  const good = status === "ok";
  const address = detail.startsWith("at ") && detail.slice(3);
  return h("li", { class: good ? "good" : "bad" },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("strong", {}, text(`part.${name}`) ?? name), " ",
    h("span", { class: "quiet" }, good && address ? text("at", { address }) : text(good ? "ok" : "down")),
    !good && h("span", { class: "quiet", lang: "en" }, ` ${detail}`));
}

// ---- signing in and out

function renderError() {
  const { error } = state;
  const { code, details } = error instanceof Problem ? error : {};
  const minutes = Math.ceil((details?.retry_after ?? 60) / 60);
  const said = typeof error === "string" ? text(error) : text(`problem.${code}`, { minutes }) ?? error?.message;
  $("sign-in-error").textContent = said ?? "";
  for (const input of [$("email"), $("password")])
    if (["missing", "wrong_credentials", "invalid_input"].includes(code ?? error)) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
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
  busy(true);
  try {
    const session = await Session.open(speech.language, tenant ? { email, password, tenant } : { email, password });
    state.mine = await load(session);
    state.session = session;
    form.reset();
    state.error = null;
    renderError();
    renderMine(speech, state.mine);
    show(true);
  } catch (problem) {
    fail(problem);
    if (problem.code === "tenant_needed") $("tenant-field").hidden = false;
    (problem.code === "tenant_needed" ? $("tenant") : form.password).focus();
  } finally {
    busy(false);
  }
}

function busy(waiting) {
  $("submit").disabled = waiting;
  $("submit").textContent = text(waiting ? "signingIn" : "signIn");
}

async function signOut() {
  const { session } = state;
  Object.assign(state, { session: null, mine: null });
  show(false);
  await session?.close();
}

function show(signedIn) {
  $("sign-in").hidden = signedIn;
  $("signed-in").hidden = !signedIn;
  $(signedIn ? "me-title" : "email").focus();
}

// ---- what is mine

async function load(session) {
  const me = await session.call("GET", "/api/v1/auth/me");
  const part = (path) => session.call("GET", path).catch((problem) => problem);
  const [user, tenant, usage, trail] = await Promise.all([
    part(`/api/v1/users/${me.actor.id}`),
    part(`/api/v1/tenants/${me.tenant}`),
    part(`/api/v1/tenants/${me.tenant}/usage`),
    part(`/api/v1/audit/entries?limit=${SHOWN_ENTRIES}`),
  ]);
  return { me, user, tenant, usage, trail };
}

/** Read again what changes. A session that was ended elsewhere leads back to signing in. */
async function refresh() {
  const { session } = state;
  if (!session) return;
  try {
    const mine = await load(session);
    if (state.session !== session) return;
    state.mine = mine;
    renderTrail(speech, mine);
  } catch (problem) {
    if (problem.status !== 401 || state.session !== session) return;
    Object.assign(state, { session: null, mine: null });
    show(false);
    fail("expired");
  }
}

function renderTries() {
  const words = { copy: text("copy"), copied: text("copied") };
  const curl = (path) => `curl -H "X-API-Key: $STEWARD_API_KEY" \\\n  '${location.origin}${path}'`;
  const tries = [["try1", "/api/v1/auth/me"], ["try2", "/api/v1/users"], ["try3", "/api/v1/audit/entries?limit=5"]];
  $("tries").replaceChildren(
    h("p", {}, prose(text("tryKey"))),
    command(`export STEWARD_API_KEY=$(grep -o 'stw_sk_[^"]*' \\\n  .steward/credentials.json)`, words),
    h("ol", { class: "tries" }, tries.map(([key, path]) => h("li", {}, h("p", {}, text(key)), command(curl(path), words)))),
  );
}

/** Lead to the demo shop, if this installation has one. */
async function checkDemo() {
  const { shown } = await (await fetch("/assets/demo.json", { credentials: "omit" })).json();
  document.querySelector('[data-page="/demo"]').hidden = !shown;
}

// ---- start

$("sign-in-form").addEventListener("submit", signIn);
$("sign-out").addEventListener("click", signOut);
$("refresh").addEventListener("click", refresh);
speech.start();
checkHealth();
checkDemo();
setInterval(() => document.hidden || (checkHealth(), refresh()), LOOK_EVERY_MS);
