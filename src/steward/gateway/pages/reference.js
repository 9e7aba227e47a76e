// The API reference: draws /openapi.json, operations by tag, then the schemas they use.

import { command, h } from "/assets/dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const EXAMPLE_DEPTH = 4;
const COPY = { copy: "Copy", copied: "Copied" };
const $ = (id) => document.getElementById(id);

let api;

const nameOf = (ref) => ref.split("/").at(-1);
const resolve = (node) => (node?.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : node ?? {});

/** Descriptions with `code` in them, as text and code elements. */
function prose(text) {
  return (text ?? "").split("`").map((piece, index) => (index % 2 ? h("code", {}, piece) : piece));
}

function typeOf(schema) {
  if (!schema) return "anything";
  if (schema.$ref) return h("a", { href: `#schema-${nameOf(schema.$ref)}` }, nameOf(schema.$ref));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.flatMap((choice, index) => [index ? " or " : "", typeOf(choice)]);
  if (schema.enum) return schema.enum.flatMap((value, index) => [index ? " | " : "", h("code", {}, JSON.stringify(value))]);
  if (schema.type === "array") return ["list of ", typeOf(schema.items ?? schema.prefixItems?.[0])];
  if (schema.type === "object" && typeof schema.additionalProperties === "object")
    return ["map of ", typeOf(schema.additionalProperties)];
  return [schema.type ?? "anything", schema.format && ` (${schema.format})`];
}

function boundsOf(schema) {
  const inner = (schema.anyOf ?? schema.oneOf ?? []).find((choice) => choice.type !== "null") ?? {};
  const all = { ...inner, ...schema };
  const words = {
    minLength: "at least {} characters", maxLength: "at most {} characters", minimum: "from {}", maximum: "up to {}",
    minItems: "at least {} items", maxItems: "at most {} items", pattern: "matches {}",
  };
  const found = Object.entries(words).filter(([key]) => all[key] !== undefined).map(([key, line]) => line.replace("{}", all[key]));
  if (schema.default !== undefined && schema.default !== null) found.push(`default ${JSON.stringify(schema.default)}`);
  return found.length ? h("div", { class: "quiet" }, found.join(", ")) : null;
}

function fields(rows) {
  const line = ({ name, where, required, schema, description }) => h("tr", {},
    h("td", {}, h("code", {}, name), " ", where && h("span", { class: "badge" }, where), " ",
      required && h("span", { class: "badge" }, "required")),
    h("td", {}, typeOf(schema)),
    h("td", {}, prose(description ?? schema?.description), boundsOf(schema ?? {})));
  const head = ["Name", "Type", "Meaning"].map((title) => h("th", { scope: "col" }, title));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map(line))));
}

function schemaTable(schema) {
  const properties = Object.entries(schema.properties ?? {});
  if (!properties.length) return h("p", {}, typeOf(schema));
  const required = schema.required ?? [];
  return fields(properties.map(([name, inner]) => ({ name, required: required.includes(name), schema: inner })));
}

// ---- examples

function example(schema, depth = 0) {
  const known = resolve(schema);
  if (known.examples?.length) return known.examples[0];
  if (known.default !== undefined && known.default !== null) return known.default;
  if (known.enum) return known.enum[0];
  const choices = known.anyOf ?? known.oneOf;
  if (choices) return example(choices.find((choice) => choice.type !== "null") ?? choices[0], depth);
  if (known.type === "array") return depth < EXAMPLE_DEPTH ? [example(known.items ?? {}, depth + 1)] : [];
  if (known.type === "object") {
    const shown = Object.entries(known.properties ?? {}).filter(([name]) => (known.required ?? []).includes(name));
    return Object.fromEntries(shown.map(([name, inner]) => [name, example(inner, depth + 1)]));
  }
  if (known.type === "integer" || known.type === "number") return known.minimum ?? 1;
  if (known.type === "boolean") return true;
  return { uuid: "018f3c5a-0000-7000-8000-000000000001", "date-time": "2030-01-01T00:00:00Z" }[known.format]
    ?? ((known.pattern ?? "").includes("@") ? "ada@example.com" : (known.pattern ?? "").includes(":") ? "user:read" : "text");
}

function curl(method, path, operation, body) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    const parameter = operation.parameters?.find((one) => one.name === name);
    return encodeURIComponent(example(parameter?.schema));
  });
  const lines = [`curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} '${location.origin}${filled}'`];
  if (!isOpen(operation)) lines.push(`-H "Authorization: Bearer $STEWARD_TOKEN"`);
  if (body) lines.push(`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example(body))}'`);
  return lines.join(" \\\n  ");
}

const isOpen = (operation) => operation.security?.length === 0;

// ---- operations

function answers(responses) {
  const line = ([status, response]) => {
    const known = resolve(response);
    const [kind, content] = Object.entries(known.content ?? {})[0] ?? [];
    return h("tr", {},
      h("td", {}, h("span", { class: `tag ${status < "300" ? "good" : ""}` }, status)),
      h("td", {}, known.description),
      h("td", {}, content ? typeOf(content.schema) : "no body", " ", kind && kind !== "application/json" && h("span", { class: "badge" }, kind)));
  };
  return h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, Object.entries(responses).map(line))));
}

function operationCard({ method, path, operation }) {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const parameters = (operation.parameters ?? []).map((one) => ({ ...one, where: one.in }));
  const id = operation.operationId;
  return h("details", { class: "card operation", id, "data-words": `${method} ${path} ${id} ${operation.summary}`.toLowerCase() },
    h("summary", {},
      h("span", { class: `method ${method}` }, method.toUpperCase()), h("code", { class: "path" }, path),
      h("span", {}, operation.summary), isOpen(operation) && h("span", { class: "badge" }, "no credential")),
    operation.description && h("p", {}, prose(operation.description)),
    parameters.length > 0 && [h("h3", {}, "Parameters"), fields(parameters)],
    body && [h("h3", {}, "Body ", typeOf(body)), schemaTable(resolve(body))],
    h("h3", {}, "Example"), command(curl(method, path, operation, body), COPY),
    h("h3", {}, "Answers"), answers(operation.responses));
}

function schemaCard([name, schema]) {
  return h("details", { class: "card operation", id: `schema-${name}`, "data-words": name.toLowerCase() },
    h("summary", {}, h("code", { class: "path" }, name)),
    schema.description && h("p", {}, prose(schema.description)),
    schemaTable(schema));
}

function byTag() {
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths))
    for (const method of METHODS.filter((one) => item[one])) {
      const tag = item[method].tags?.[0] ?? "Other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push({ method, path, operation: item[method] });
    }
  return [...groups];
}

function draw() {
  const groups = byTag();
  $("loading").replaceWith(
    h("p", { class: "about" }, `Version ${api.info.version}. `, prose(api.info.description)),
    ...groups.flatMap(([tag, operations]) => [h("h2", {}, tag), ...operations.map(operationCard)]),
    h("h2", {}, "Schemas"),
    ...Object.entries(api.components.schemas).sort().map(schemaCard),
  );
  $("toc").replaceChildren(...groups.flatMap(([tag, operations]) => [
    h("h2", {}, tag),
    h("ul", {}, operations.map(({ operation }) => h("li", {}, h("a", { href: `#${operation.operationId}` }, operation.summary)))),
  ]));
}

/** Open what the address points to, so that a link to an operation shows it. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }
}

function filter() {
  const wanted = $("filter").value.trim().toLowerCase().split(/\s+/);
  let shown = 0;
  for (const card of document.querySelectorAll(".operation")) {
    card.hidden = !wanted.every((word) => card.dataset.words.includes(word));
    shown += card.hidden ? 0 : 1;
  }
  $("found").textContent = $("filter").value ? `${shown} found` : "";
}

try {
  api = await (await fetch("/openapi.json", { credentials: "omit" })).json();
  draw();
  openTarget();
} catch (error) {
  $("loading").textContent = `The description of the API could not be read: ${error.message}. Reload to try again.`;
}
addEventListener("hashchange", openTarget);
$("filter").addEventListener("input", filter);
