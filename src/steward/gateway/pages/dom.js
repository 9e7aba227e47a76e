// Small pieces that both pages build themselves from. Text is only ever set as text, never as markup.

/** An element with attributes (a function is a listener, false and null are left out) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** A line with `code` in it, as text and code elements. */
export function prose(line) {
  return (line ?? "").split("`").map((piece, index) => (index % 2 ? h("code", {}, piece) : piece)).filter(Boolean);
}

/** A command that can be copied with one press. */
export function command(line, words) {
  const copy = async () => {
    await navigator.clipboard.writeText(line);
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = words.copy), 1500);
  };
  const button = h("button", { type: "button", class: "button-quiet copy", click: copy }, words.copy);
  return h("div", { class: "command" }, h("pre", {}, h("code", {}, line)), navigator.clipboard && button);
}
