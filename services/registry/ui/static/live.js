// Follows the log: every new event that fits the filters comes on top, unless the reader has paused.
const panel = document.querySelector("[data-live]");
const records = document.querySelector("[data-records]");
const MOST = 200;

function follow() {
  const button = panel.querySelector("[data-pause]");
  const asked = new URLSearchParams({ after: panel.dataset.after });
  for (const name of ["type", "agreement"]) if (panel.dataset[name]) asked.set(name, panel.dataset[name]);
  const waiting = [];
  let [paused, shown] = [false, Promise.resolve()];

  function state(name) {
    for (const one of panel.querySelectorAll("[data-when]")) one.hidden = one.dataset.when !== name;
    button.querySelector('[data-when="running"]').hidden = paused;
    button.querySelector('[data-when="paused"]').hidden = !paused;
    panel.querySelector("[data-waiting]").textContent = String(waiting.length);
  }

  async function put(position) {
    if (records.querySelector(`[data-position="${position}"]`)) return;
    const answer = await fetch(`/log/${position}?as=line`, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const line = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("li");
    line.classList.add("arrived");
    records.prepend(line);
    while (records.children.length > MOST) records.lastElementChild.remove();
    document.querySelector("[data-none]")?.remove();
  }

  function take(position) {
    // One after the other, so that they stand in the order of the log.
    shown = shown.then(() => put(position)).catch(() => {});
  }

  // Each type has an event name of its own, so a listener is needed for each.
  const source = new EventSource(`/events?${asked}`);
  const arrived = (event) => {
    if (paused) waiting.push(event.lastEventId);
    else take(event.lastEventId);
    state(paused ? "paused" : "running");
  };
  for (const option of document.querySelectorAll("#type option")) if (option.value) source.addEventListener(option.value, arrived);
  source.addEventListener("open", () => state(paused ? "paused" : "running"));
  source.addEventListener("error", () => state("lost"));
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) waiting.splice(0).forEach(take);
    state(paused ? "paused" : "running");
  });
  window.addEventListener("pagehide", () => source.close());
  panel.hidden = false;
}

if (panel) follow();
