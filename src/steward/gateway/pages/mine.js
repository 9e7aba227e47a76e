// What a user who signed in sees: who they are, the tenant, its quotas and its latest audit entries.

import { h, prose } from "/assets/dom.js";

const GIB = 2 ** 30;
const $ = (id) => document.getElementById(id);

export function renderMine(speech, mine) {
  const { me, user, tenant } = mine;
  const fact = (key, value) => [h("dt", {}, speech.text(key)), h("dd", {}, value)];
  $("me").replaceChildren(
    ...fact("user", user instanceof Error ? h("code", {}, me.actor.id) : own([user.name, h("br"), user.email])),
    ...fact("roles", me.roles.map((role) => h("code", { class: "tag" }, role))),
    ...fact("permissions", h("details", {},
      h("summary", {}, String(me.scopes.length)),
      h("p", { class: "scopes" }, [...me.scopes].sort().map((scope) => [h("code", {}, scope), " "])))),
  );
  $("tenant-facts").replaceChildren(
    ...(tenant instanceof Error ? [refused(speech, tenant, "tenant:read")] : [
      ...fact("name", own(tenant.name)),
      ...fact("shortName", h("code", {}, tenant.slug)),
      ...fact("plan", speech.text(`plans.${tenant.plan}`) ?? tenant.plan),
      ...fact("state", speech.text(`states.${tenant.state}`) ?? tenant.state),
    ]),
  );
  renderTrail(speech, mine);
}

/** The parts that change while one looks. */
export function renderTrail(speech, { me, usage, trail }) {
  $("quotas").replaceChildren(
    ...(usage instanceof Error ? [refused(speech, usage, "tenant:read")] : usage.quotas.map((one) => quota(speech, one))),
  );
  $("audit").replaceChildren(
    trail instanceof Error ? refused(speech, trail, "audit:read") : entries(speech, me, trail.items),
  );
}

/** Words that people chose, which no translation may touch. */
const own = (words) => h("span", { translate: "no" }, words);

function refused(speech, problem, permission) {
  const denied = problem.status === 403;
  return h("p", { class: "quiet", lang: denied ? null : "en" }, denied ? prose(speech.text("notYours", { permission })) : problem.message);
}

function quota(speech, { quota: name, limit, used }) {
  const bytes = name === "storage_bytes";
  const format = new Intl.NumberFormat(speech.language, { maximumFractionDigits: 2 });
  const shown = (value) => format.format(bytes ? value / GIB : value);
  const said = speech.text("of", { used: shown(used), limit: shown(limit) + (bytes ? " GiB" : "") });
  const id = `quota-${name}`;
  return h("div", { class: "quota" },
    h("label", { for: id }, speech.text(`quota.${name}`) ?? name),
    h("span", { class: "quiet" }, said),
    h("meter", { id, min: 0, max: Math.max(limit, 1), high: limit * 0.9, optimum: 0, value: used, "aria-valuetext": said }));
}

function entries(speech, me, items) {
  const text = (key) => speech.text(key);
  if (!items.length) return h("p", { class: "quiet" }, text("nothingYet"));
  const two = "2-digit";
  const short = new Intl.DateTimeFormat(speech.language, { month: two, day: two, hour: two, minute: two, second: two, hourCycle: "h23" });
  const full = new Intl.DateTimeFormat(speech.language, { dateStyle: "full", timeStyle: "long" });
  const head = ["when", "who", "what", "onWhat", "outcome"].map((key) => h("th", { scope: "col" }, text(key)));
  const row = (entry) => h("tr", {},
    h("td", {}, h("time", { datetime: entry.at, title: full.format(new Date(entry.at)) }, short.format(new Date(entry.at)))),
    h("td", {}, who(speech, me, entry.actor)),
    h("td", {}, h("code", {}, entry.action)),
    h("td", {}, shortened(entry.resource)),
    h("td", {}, h("span", { class: `tag ${entry.outcome === "done" ? "good" : "bad"}` }, text(`outcomes.${entry.outcome}`) ?? entry.outcome)));
  return h("table", { class: "trail" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, items.map(row)));
}

function who(speech, me, { type, id }) {
  if (id === me.actor.id) return speech.text("you");
  return [speech.text(`actors.${type}`) ?? type, id && [" ", shortened(id)]];
}

/** A name whose UUID, where it holds one, is cut to its end; the whole is a hover away. */
function shortened(name) {
  return h("code", { title: name }, name.replace(/[0-9a-f]{8}-[0-9a-f-]{19}([0-9a-f]{8})$/, "…$1"));
}
