"use strict";

// Sorting: a click on a column's title; numbers by data-v, empty cells always last.
function keyOf(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  return cell.textContent.trim();
}

function compare(a, b, direction) {
  if (a === "" || b === "") return (a === "") - (b === "");
  if (typeof a === "number" && typeof b === "number") return direction * (a - b);
  return direction * String(a).localeCompare(String(b), "en", { numeric: true });
}

function sort(header, order) {
  const table = header.closest("table");
  for (const each of table.querySelectorAll("thead th")) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => [keyOf(row, header.cellIndex), row]);
  rows.sort(([a], [b]) => compare(a, b, order === "ascending" ? 1 : -1));
  body.append(...rows.map(([, row]) => row));
}

for (const header of document.querySelectorAll("table.sortable thead th")) {
  if (!header.textContent.trim()) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => {
    const first = header.classList.contains("number") ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    sort(header, header.getAttribute("aria-sort") === first ? other : first);
    remember(header.closest("table"));
  });
}

// Filter: by a part of the name, and of the family where the table has one.
function filter(input, output, rows) {
  const wanted = input.value.trim().toLowerCase();
  let shown = 0;
  for (const [text, row] of rows) {
    row.hidden = !text.includes(wanted);
    shown += !row.hidden;
  }
  output.textContent = wanted ? `${shown} of ${rows.length}` : "";
}

for (const line of document.querySelectorAll(".filter")) {
  line.hidden = false;
  const [input, output] = [line.querySelector("input"), line.querySelector("output")];
  const table = document.getElementById(input.dataset.table);
  const family = Array.from(table.tHead.rows[0].cells).findIndex(
    (cell) => cell.textContent.trim().toLowerCase() === "family",
  );
  const rows = Array.from(table.tBodies[0].rows, (row) => [
    `${row.cells[0].textContent} ${family < 0 ? "" : row.cells[family].textContent}`.toLowerCase(),
    row,
  ]);
  input.addEventListener("input", () => {
    filter(input, output, rows);
    remember(table);
  });
}

// The view of a filtered table is kept in the address, so that a link reproduces it.
function remember(table) {
  const input = document.querySelector(`.filter input[data-table="${table.id}"]`);
  if (!input) return;
  const state = new URLSearchParams();
  if (input.value) state.set("q", input.value);
  const sorted = table.querySelector("thead th[aria-sort]");
  if (sorted) {
    state.set("sort", sorted.textContent.trim());
    state.set("order", sorted.getAttribute("aria-sort"));
  }
  history.replaceState(null, "", `#${state}`);
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  const input = document.querySelector(".filter input");
  if (!input || !(state.has("q") || state.has("sort"))) return;
  const table = document.getElementById(input.dataset.table);
  const titles = Array.from(table.querySelectorAll("thead th"));
  const header = titles.find((title) => title.textContent.trim() === state.get("sort"));
  if (header) sort(header, state.get("order") === "ascending" ? "ascending" : "descending");
  input.value = state.get("q") ?? "";
  input.dispatchEvent(new Event("input"));
}

recall();
