"use strict";

// A chosen file is put into the editor, to be looked at before it is submitted.
const file = document.getElementById("job-file");
if (file) {
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    document.getElementById("job-text").value = await chosen.text();
    document.getElementById("job-name").value = chosen.name.replace(/\.toml$/i, "");
  });
}

// Each event says that something has changed; the page itself says what. So there is one
// rendering of runs, and it is the server's.
const live = document.getElementById("live");
const connection = document.getElementById("connection");
const PAUSE_MS = 500;
let due = false;
let events;

async function refresh() {
  due = false;
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const open = new Set(Array.from(live.querySelectorAll("details[open]"), keyOf));
  const focused = live.contains(document.activeElement);
  const fresh = next.getElementById("live");
  if (!fresh) location.reload();  // it has become the page of a ranking
  if (!fresh || focused) return;
  if (!fresh.dataset.events) {  // it has ended
    events.close();
    connection.textContent = "";
  }
  for (const details of fresh.querySelectorAll("details")) details.open = open.has(keyOf(details));
  for (const section of Array.from(live.querySelectorAll("section"))) section.remove();
  live.append(...fresh.querySelectorAll("section"));
}

function keyOf(details) {
  return details.closest("tr")?.cells[0].textContent ?? "";
}

function soon() {
  if (due) return;
  due = true;
  setTimeout(() => refresh().catch(() => { due = false; }), PAUSE_MS);
}

if (live?.dataset.events) {
  events = new EventSource(live.dataset.events);
  events.addEventListener("open", () => { connection.textContent = "Live"; });
  events.addEventListener("error", () => { connection.textContent = "Not connected; trying again"; });
  for (const kind of ["run", "store", "ranking"]) events.addEventListener(kind, soon);
}
