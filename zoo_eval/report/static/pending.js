"use strict";

// What is still being computed is asked for until it is there; then the page is loaded again.
const PAUSE_MS = 1500;

async function ask() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  const text = response.ok ? await response.text() : "";
  const next = new DOMParser().parseFromString(text, "text/html");
  if (text && !next.querySelector("[data-pending]")) location.reload();
  else setTimeout(again, PAUSE_MS);
}

function again() {
  ask().catch(() => setTimeout(again, PAUSE_MS));
}

setTimeout(again, PAUSE_MS);
