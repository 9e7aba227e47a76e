// The API reference: draws /openapi.json, operations by tag, then the schemas they use.

import { command, h, prose } from "/assets/dom.js";
import { curl, isOpen, resolve } from "/assets/example.js";
import { Speech } from "/assets/language.js";
import { TEXTS } from "/assets/reference_texts.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const $ = (id) => document.getElementById(id);

const state = { api: null, failure: null };
const speech = new Speech(TEXTS, draw);
const text = (key, values) => speech.text(key, values);

/** What the API says of itself, which is English in every language of the page. */
const english = (line) => h("span", { lang: "en" }, prose(line));
const nameOf = (ref) => ref.split("/").at(-1);

// ---- types

const alternatives = (schema) => schema.anyOf ?? schema.oneOf;
const joined = (parts, separator) => parts.flatMap((part, index) => [index ? separator : "", part]);

function typeOf(schema) {
  if (!schema) return text("kind.anything");
  if (schema.$ref) return h("a", { href: `#schema-${nameOf(schema.$ref)}`, translate: "no" }, nameOf(schema.$ref));
  if (alternatives(schema)) return joined(alternatives(schema).map(typeOf), text("kind.or"));
  if (schema.enum) return joined(schema.enum.map((value) => h("code", {}, JSON.stringify(value))), " | ");
  if (schema.type === "array") return [text("kind.list"), typeOf(schema.items ?? schema.prefixItems?.[0])];
  if (schema.type === "object" && typeof schema.additionalProperties === "object")
    return [text("kind.map"), typeOf(schema.additionalProperties)];
  return [text(`kind.${schema.type ?? "anything"}`), schema.format && [" ", h("code", {}, schema.format)]];
}

function range(kind, least, most) {
  if (least === undefined && most === undefined) return null;
  const which = most === undefined ? "Least" : least === undefined ? "Most" : "";
  return text(`bound.${kind}${which}`, { least, most });
}

function boundsOf(schema) {
  const inner = (alternatives(schema) ?? []).find((choice) => choice.type !== "null") ?? {};
  const all = { ...inner, ...schema };
  const fallback = schema.default === undefined || schema.default === null ? null : JSON.stringify(schema.default);
  const found = [
    range("length", all.minLength, all.maxLength),
    range("items", all.minItems, all.maxItems),
    range("value", all.minimum, all.maximum),
    all.pattern && text("bound.pattern", { pattern: all.pattern }),
    fallback && text("bound.fallback", { value: fallback }),
  ].filter(Boolean);
  return found.length ? h("div", { class: "quiet" }, prose(found.join(text("bound.separator")))) : null;
}

// ---- tables

function fields(rows) {
  const line = ({ name, where, required, schema, description }) => h("tr", {},
    h("td", {}, h("code", {}, name), " ", where && h("span", { class: "badge" }, text(`place.${where}`)), " ",
      required && h("span", { class: "badge" }, text("required"))),
    h("td", {}, typeOf(schema)),
    h("td", {}, english(description ?? schema?.description), boundsOf(schema ?? {})));
  const head = ["name", "type", "meaning"].map((key) => h("th", { scope: "col" }, text(key)));
  return scrolled(h("table", { class: "fields" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map(line))));
}

const scrolled = (table) => h("div", { class: "scroll" }, table);

function schemaTable(schema) {
  const properties = Object.entries(schema.properties ?? {});
  if (!properties.length) return h("p", {}, typeOf(schema));
  const required = schema.required ?? [];
  return fields(properties.map(([name, inner]) => ({ name, required: required.includes(name), schema: inner })));
}

function answers(responses) {
  const all = Object.entries(responses).map(([status, response]) => [status, resolve(state.api, response)]);
  const failures = all.filter(([status]) => status >= "400");
  const row = ([status, response]) => {
    const [kind, content] = Object.entries(response.content ?? {})[0] ?? [];
    return h("tr", {},
      h("td", { class: "status" }, h("span", { class: `tag ${status < "300" ? "good" : ""}` }, status)),
      h("td", {}, status < "400" ? [content ? typeOf(content.schema) : text("noBody"), " "] : english(response.description),
        status < "400" && kind && kind !== "application/json" && h("code", {}, kind)));
  };
  const table = (rows) => scrolled(h("table", {}, h("tbody", {}, rows.map(row))));
  return [
    table(all.filter(([status]) => status < "400")),
    failures.length > 0 && h("details", { class: "failures" },
      h("summary", {}, text("failures"), " ", failures.map(([status]) => h("span", { class: "tag" }, status))),
      h("p", {}, typeOf({ $ref: "#/components/schemas/Problem" }), " ", h("code", {}, "application/problem+json")),
      table(failures)),
  ];
}

// ---- operations and schemas

function operationCard({ method, path, operation }) {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const parameters = (operation.parameters ?? []).map((one) => ({ ...one, where: one.in }));
  const id = operation.operationId;
  // Of the description only what stands in code, such as the permission that is needed.
  const named = (operation.description ?? "").split("`").filter((_, index) => index % 2);
  const words = [method, path, id, operation.summary, operation.tags?.[0], ...named].join(" ");
  return h("details", { class: "card operation", id, "data-words": words.toLowerCase() },
    h("summary", {},
      h("span", { class: `method ${method}`, translate: "no" }, method.toUpperCase()), h("code", { class: "path" }, path),
      english(operation.summary), isOpen(operation) && h("span", { class: "badge" }, text("open"))),
    operation.description && h("p", {}, english(operation.description)),
    parameters.length > 0 && [h("h4", {}, text("parameters")), fields(parameters)],
    body && [h("h4", {}, text("body"), " ", typeOf(body)), schemaTable(resolve(state.api, body))],
    h("h4", {}, text("example")),
    command(curl(state.api, method, path, operation), { copy: text("copy"), copied: text("copied") }),
    h("h4", {}, text("answers")), answers(operation.responses));
}

function schemaCard([name, schema]) {
  return h("details", { class: "card operation", id: `schema-${name}`, "data-words": name.toLowerCase() },
    h("summary", {}, h("code", { class: "path" }, name)),
    schema.description && h("p", {}, english(schema.description)),
    schemaTable(schema));
}

function byTag() {
  const groups = new Map();
  for (const [path, item] of Object.entries(state.api.paths))
    for (const method of METHODS.filter((one) => item[one])) {
      const tag = item[method].tags?.[0] ?? "API";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push({ method, path, operation: item[method] });
    }
  return [...groups];
}

const group = (title, cards) => h("section", { class: "group" }, h("h2", {}, title), h("div", { class: "stack" }, cards));

const tocGroup = ([tag, operations]) => h("section", {},
  h("h2", {}, english(tag)),
  h("ul", {}, operations.map(({ method, operation }) => h("li", { "data-for": operation.operationId },
    h("a", { href: `#${operation.operationId}` },
      h("span", { class: `mark ${method}`, translate: "no" }, method === "delete" ? "DEL" : method.toUpperCase()),
      english(operation.summary))))));

/** Draw all in the present language; what was open stays open. */
function draw() {
  const { api, failure } = state;
  if (failure) $("loading").textContent = text("failed", { why: failure.message });
  if (!api) return;
  const open = [...document.querySelectorAll(".operation[open]")].map((card) => card.id);
  const groups = byTag();
  const [first, ...rest] = api.info.description.split("\n\n").map((part) => part.replaceAll("\n", " "));
  $("loading").hidden = true;
  $("drawn").replaceChildren(
    h("div", { class: "about" },
      h("p", {}, h("span", { class: "badge" }, text("version", { version: api.info.version })), " ", english(first)),
      rest.map((part) => h("p", {}, english(part)))),
    ...groups.map(([tag, operations]) => group(english(tag), operations.map(operationCard))),
    group(text("schemas"), Object.entries(api.components.schemas).sort().map(schemaCard)),
  );
  $("toc").replaceChildren(...groups.map(tocGroup));
  for (const id of open) $(id).open = true;
  filter();
}

// ---- finding

/** Open what the address points to, so that a link to an operation shows it. */
function openTarget() {
  reveal($(decodeURIComponent(location.hash.slice(1))));
}

function reveal(card) {
  if (card?.tagName !== "DETAILS") return;
  card.hidden = false;
  card.closest(".group").hidden = false;
  card.open = true;
  card.scrollIntoView();
  card.querySelector("summary").focus({ preventScroll: true });
}

function matches() {
  return [...document.querySelectorAll(".operation")].filter((card) => !card.hidden);
}

function filter() {
  const wanted = $("filter").value.trim().toLowerCase().split(/\s+/);
  for (const card of document.querySelectorAll(".operation"))
    card.hidden = !wanted.every((word) => card.dataset.words.includes(word));
  for (const item of document.querySelectorAll("[data-for]")) item.hidden = $(item.dataset.for).hidden;
  for (const section of document.querySelectorAll(".group, #toc section"))
    section.hidden = !section.querySelector(".operation:not([hidden]), li:not([hidden])");
  const count = matches().length;
  const said = count ? text(document.activeElement === $("filter") ? "foundEnter" : "found", { count }) : text("foundNone");
  $("found").textContent = $("filter").value.trim() ? said : "";
}

$("filter").addEventListener("input", filter);
$("filter").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !$("filter").value.trim()) return;
  event.preventDefault(); // Else the same key would close what it opened, once the focus is there.
  reveal(matches()[0]);
});
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key !== "/" || writing) return;
  event.preventDefault();
  $("filter").focus();
});
addEventListener("hashchange", openTarget);

speech.start();
try {
  const answer = await fetch("/openapi.json", { credentials: "omit" });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  state.api = await answer.json();
} catch (error) {
  state.failure = error;
}
draw();
openTarget();
