// Small pieces that the widget builds itself from. Text is only ever set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const LINK = /https?:\/\/[^\s<>"'`，。；、！？（）「」『』《》【】]*[^\s<>"'`，。；、！？（）「」『』《》【】.,;:!?)\]}]/g;

/** An element with attributes (a function is a listener, false and null are left out) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** A picture of one stroke. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Text with its web addresses as links. */
export function linked(text) {
  const pieces = [];
  let from = 0;
  for (const { 0: url, index } of text.matchAll(LINK)) {
    pieces.push(text.slice(from, index), h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, url));
    from = index + url.length;
  }
  return [...pieces, text.slice(from)];
}
