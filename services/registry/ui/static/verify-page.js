// The page that verifies: shows each step of check.js in the words that the page brings along in its templates.
import { checkAgreement, checkEvent, remembering } from "./check.js";

const form = document.querySelector("form[data-verify]");
const list = document.querySelector("[data-steps]");
const verdict = document.querySelector("[data-verdict]");

function worded(name, values) {
  const template = document.querySelector(`template[data-text="${name}"]`);
  const pieces = template.content.cloneNode(true);
  const walker = document.createTreeWalker(pieces, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    walker.currentNode.data = walker.currentNode.data.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
  }
  return pieces;
}

function show({ step, state, values }) {
  const last = list.lastElementChild;
  if (step === "progress" && last?.dataset.step === "progress") last.remove();
  const item = document.createElement("li");
  item.dataset.step = step;
  item.className = `step ${state}`;
  item.append(worded(`state.${state}`, {}), " ", worded(step, values));
  list.append(item);
}

async function run() {
  list.replaceChildren();
  list.hidden = false;
  verdict.replaceChildren(worded("running", {}));
  const { position, agreement, key } = Object.fromEntries(new FormData(form));
  const memory = remembering(window.localStorage);
  const get = (path, options) => fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  const steps = position ? checkEvent(get, memory, Number(position), key) : checkAgreement(get, memory, agreement.trim(), key);
  let outcome = "verified";
  for await (const step of steps) {
    if (step.step === "signed_offered") outcome = "verified_offered";
    if (step.state === "fails") outcome = "refuted";
    show(step);
  }
  verdict.className = `outcome ${outcome === "refuted" ? "fails" : "holds"}`;
  verdict.replaceChildren(worded(outcome, {}));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
document.querySelector("[data-needs-script]")?.remove();
form.querySelector("button").hidden = false;
if (form.dataset.verify === "now") run();
