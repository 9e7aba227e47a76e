// A request that could be sent, made from the description of an operation.

const DEPTH = 4;
const BY_NAME = {
  name: "Example", slug: "example", reason: "unpaid invoice", roles: ["viewer"], scopes: ["user:read"],
  password: "correct horse battery staple", current: "correct horse battery staple", new: "a better horse battery staple",
  permission: "user:read", token: "stw_in_…", refresh_token: "stw_rt_…",
  until: "2030-02-01T00:00:00Z",
};
const BY_FORMAT = { uuid: "018f3c5a-0000-7000-8000-000000000001", "date-time": "2030-01-01T00:00:00Z" };

/** What `{ $ref }` points to within the document. */
export const resolve = (api, node) =>
  node?.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : (node ?? {});

/** Whether the operation takes no credential. */
export const isOpen = (operation) => operation.security?.length === 0;

/** The operation as a curl command that a shell takes as it is. */
export function curl(api, method, path, operation) {
  const named = (name) => operation.parameters?.find((one) => one.name === name)?.schema;
  const value = (name) => encodeURIComponent(example(api, named(name), name));
  // Names in a path are names for programs.
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => value(name).toLowerCase());
  const asked = (operation.parameters ?? []).filter((one) => one.in === "query" && one.required);
  const query = asked.map(({ name }) => `${name}=${value(name)}`).join("&");
  const url = `${location.origin}${filled}${query && `?${query}`}`;
  const lines = [`curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} '${url}'`];
  if (!isOpen(operation)) lines.push(`-H "X-API-Key: $STEWARD_API_KEY"`);
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  if (body) lines.push(`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example(api, body))}'`);
  const form = resolve(api, operation.requestBody?.content?.["multipart/form-data"]?.schema);
  for (const [name, field] of Object.entries(form.properties ?? {})) lines.push(`-F ${name}=${part(api, field, name)}`);
  return lines.join(" \\\n  ");
}

/** A field of a form: a file by its name, a text as it is. */
const part = (api, field, name) => (field.format === "binary" ? "@requests.jsonl" : example(api, field, name));

function example(api, schema, name = "", depth = 0) {
  if (schema?.examples?.length) return schema.examples[0];
  const known = resolve(api, schema);
  if (known.examples?.length) return known.examples[0];
  if (name in BY_NAME) return BY_NAME[name];
  if (known.default !== undefined && known.default !== null) return known.default;
  if (known.enum) return known.enum[0];
  const choices = known.anyOf ?? known.oneOf;
  if (choices) return example(api, choices.find((choice) => choice.type !== "null") ?? choices[0], name, depth);
  if (known.type === "array") return depth < DEPTH ? [example(api, known.items ?? {}, "", depth + 1)] : [];
  if (known.type === "object") return record(api, known, depth);
  if (known.type === "integer" || known.type === "number") return known.minimum || 1;
  if (known.type === "boolean") return true;
  return BY_FORMAT[known.format] ?? (name.endsWith("email") ? "ada@example.com" : "text");
}

/** What must be sent and what has an example by name; of a body with neither, its first field. */
function record(api, schema, depth) {
  const all = Object.entries(schema.properties ?? {});
  const needed = all.filter(([name]) => name in BY_NAME || (schema.required ?? []).includes(name));
  const shown = needed.length ? needed : all.slice(0, 1);
  return Object.fromEntries(shown.map(([name, inner]) => [name, example(api, inner, name, depth + 1)]));
}
