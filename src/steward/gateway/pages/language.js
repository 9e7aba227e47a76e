// The language of a page: chosen by `?lang=`, else by the browser; switched without loading the page again.

import { prose } from "/assets/dom.js";

const LANGUAGES = ["en", "zh-Hant", "zh-Hans"];

/** The language of the address or the browser. Chinese without a script is written in the script of its region. */
function chosen() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (LANGUAGES.includes(asked)) return asked;
  for (const tag of navigator.languages ?? []) {
    const [language, ...rest] = tag.toLowerCase().split("-");
    if (language === "en") return "en";
    if (language === "zh") {
      const region = ["tw", "hk", "mo"].some((one) => rest.includes(one));
      return rest.includes("hant") || (region && !rest.includes("hans")) ? "zh-Hant" : "zh-Hans";
    }
  }
  return "en";
}

/** What speaks a page's texts: a catalogue by language, and what to draw again after each change. */
export class Speech {
  constructor(texts, changed) {
    this.texts = texts;
    this.changed = changed;
    this.language = chosen();
  }

  /** A text of the catalogue, `group.key` for one of a group; values fill its {places}. */
  text(key, values = {}) {
    const found = key.split(".").reduce((at, part) => at?.[part], this.texts[this.language]);
    return Object.entries(values).reduce((line, [name, value]) => line?.replaceAll(`{${name}}`, value), found);
  }

  /** Speak from now on; the language links of the page switch. */
  start() {
    for (const link of document.querySelectorAll("[data-lang]"))
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const to = new URL(location.href);
        to.searchParams.set("lang", link.dataset.lang);
        history.replaceState(null, "", to);
        this.language = link.dataset.lang;
        this.speak();
      });
    this.speak();
  }

  speak() {
    document.documentElement.lang = this.language;
    for (const element of document.querySelectorAll("[data-text]"))
      element.replaceChildren(...prose(this.text(element.dataset.text)));
    for (const element of document.querySelectorAll("[data-placeholder]"))
      element.placeholder = this.text(element.dataset.placeholder);
    for (const element of document.querySelectorAll("[data-label]"))
      element.setAttribute("aria-label", this.text(element.dataset.label));
    for (const link of document.querySelectorAll("[data-lang]")) {
      if (link.dataset.lang === this.language) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    // The other page opens in the language that was chosen here.
    const asked = new URLSearchParams(location.search).has("lang");
    for (const link of document.querySelectorAll("[data-page]"))
      link.setAttribute("href", asked ? `${link.dataset.page}?lang=${this.language}` : link.dataset.page);
    this.changed();
  }
}
