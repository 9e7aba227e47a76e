// The demo shop's page: a plain shop with the chat in its corner, visited as nobody or as one of the shop's customers.

import { h, prose } from "/assets/dom.js";
import { Speech } from "/assets/language.js";
import { TEXTS } from "/assets/demo_texts.js";

const SVG = "http://www.w3.org/2000/svg";
// What a token has left when a new one is fetched, in seconds.
const SPARE_S = 120;
const PRODUCTS = [
  { key: "headphones", price: 129, art: "M14 44V34a18 18 0 0 1 36 0v10M14 40h4a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3h-2a4 4 0 0 1-4-4v-8a2 2 0 0 1 2-2ZM50 40h-4a3 3 0 0 0-3 3v8a3 3 0 0 0 3 3h2a4 4 0 0 0 4-4v-8a2 2 0 0 0-2-2Z" },
  { key: "speaker", price: 59, art: "M20 10h24a4 4 0 0 1 4 4v36a4 4 0 0 1-4 4H20a4 4 0 0 1-4-4V14a4 4 0 0 1 4-4ZM32 28a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM32 35a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM32 17v3" },
  { key: "watch", price: 199, art: "M24 20h16a6 6 0 0 1 6 6v12a6 6 0 0 1-6 6H24a6 6 0 0 1-6-6V26a6 6 0 0 1 6-6ZM24 20l2-10h12l2 10M24 44l2 10h12l2-10M32 26v7l5 3" },
  { key: "reader", price: 139, art: "M20 8h24a3 3 0 0 1 3 3v42a3 3 0 0 1-3 3H20a3 3 0 0 1-3-3V11a3 3 0 0 1 3-3ZM23 17h18M23 24h18M23 31h12M30 50h4" },
  { key: "coffee", price: 89, art: "M16 10h32M20 10v10h24V10M18 54h30M22 30h22v12a8 8 0 0 1-8 8h-6a8 8 0 0 1-8-8ZM44 33h4a4 4 0 0 1 0 9h-4M33 20v5" },
  { key: "kettle", price: 55, art: "M22 18h18l6 34H18ZM24 18a7 5 0 0 1 14 0M40 22h6a5 5 0 0 1 5 5v14a5 5 0 0 1-5 5M22 26l-8-4M31 9v3" },
  { key: "projector", price: 279, art: "M12 22h40a4 4 0 0 1 4 4v14a4 4 0 0 1-4 4H12a4 4 0 0 1-4-4V26a4 4 0 0 1 4-4ZM42 26a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM16 30h10M16 36h10M16 44v6M48 44v6" },
  { key: "bank", price: 45, art: "M18 10h28a4 4 0 0 1 4 4v36a4 4 0 0 1-4 4H18a4 4 0 0 1-4-4V14a4 4 0 0 1 4-4ZM34 20l-8 13h12l-8 12" },
];

const $ = (id) => document.getElementById(id);
const shop = document.body.dataset.shop;
const state = { customers: [], chosen: "", timer: 0, problem: false };
const speech = new Speech(TEXTS, render);
const text = (key, values) => speech.text(key, values);

function render() {
  document.title = `${text("title")} · Northlight`;
  $("shelf").replaceChildren(...PRODUCTS.map(card));
  renderCustomers();
  renderOrder();
  window.StewardChat?.setLocale(speech.language);
}

function card({ key, price, art }) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 64 64");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", art);
  picture.append(line);
  const amount = new Intl.NumberFormat(speech.language, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", minimumFractionDigits: 0 });
  return h("li", { class: `product ${key}` }, h("div", { class: "picture" }, picture),
    h("h3", {}, text(`names.${key}`)), h("p", { class: "price" }, amount.format(price)));
}

// ---- who visits

async function ask(path, body) {
  const options = body && { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const answer = await fetch(shop + path, { credentials: "omit", ...options });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function load() {
  try {
    state.customers = await ask("/demo/customers");
  } catch {
    state.problem = true;
  }
  renderCustomers();
  renderOrder();
}

function renderCustomers() {
  const options = state.customers.map(({ customer_id, name, locale }) => h("option", { value: customer_id }, `${name} (${text(`languages.${locale}`) ?? locale})`));
  $("who").replaceChildren(h("option", { value: "" }, text("anonymous")), ...options);
  $("who").value = state.chosen;
}

function renderOrder() {
  const customer = state.customers.find(({ customer_id }) => customer_id === state.chosen);
  const line = state.problem ? text("noShop") : customer ? text("order", { number: customer.order_id, state: text(`states.${customer.status}`) ?? customer.status }) : text("noOrders");
  $("order").replaceChildren(...prose(line));
}

async function choose(customer) {
  clearTimeout(state.timer);
  Object.assign(state, { chosen: customer, problem: false });
  try {
    if (!customer) window.StewardChat?.setCustomerToken(null);
    else {
      const { token, expires_in } = await ask("/demo/customer-token", { customer_id: customer });
      if (state.chosen !== customer) return;
      window.StewardChat?.setCustomerToken(token);
      state.timer = setTimeout(() => choose(customer), Math.max(10, expires_in - SPARE_S) * 1000);
    }
  } catch {
    Object.assign(state, { chosen: "", problem: true });
    window.StewardChat?.setCustomerToken(null);
    $("who").value = "";
  }
  renderOrder();
}

// ---- start

$("who").addEventListener("change", (event) => choose(event.target.value));
$("ask").addEventListener("click", () => window.StewardChat?.open());
// The chat's script runs after this one, and starts in the page's language.
document.querySelector("script[data-key]").dataset.locale = speech.language;
speech.start();
load();
