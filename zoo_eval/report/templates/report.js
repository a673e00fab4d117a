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

for (const header of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => {
    const table = header.closest("table");
    const first = header.classList.contains("number") ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = header.getAttribute("aria-sort") === first ? other : first;
    for (const each of table.querySelectorAll("thead th")) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [keyOf(row, header.cellIndex), row]);
    rows.sort(([a], [b]) => compare(a, b, order === "ascending" ? 1 : -1));
    body.append(...rows.map(([, row]) => row));
  });
}

// Filter of the leaderboard: by model and family.
for (const filter of document.querySelectorAll(".filter")) {
  filter.hidden = false;
  const input = filter.querySelector("input");
  const output = filter.querySelector("output");
  const body = document.getElementById(input.dataset.table).tBodies[0];
  const rows = Array.from(body.rows, (row) => [
    `${row.cells[0].textContent} ${row.cells[2].textContent}`.toLowerCase(), row,
  ]);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const [text, row] of rows) {
      row.hidden = !text.includes(wanted);
      shown += !row.hidden;
    }
    output.textContent = wanted ? `${shown} of ${rows.length} models` : "";
  });
}

// Scatters: the name of the point under the pointer, and of a tapped one.
for (const figure of document.querySelectorAll("figure")) {
  const output = figure.querySelector("output");
  let on = null;
  const show = (event) => {
    if (!(event.target instanceof SVGCircleElement)) return;
    if (on) on.classList.remove("on");
    on = event.target;
    on.classList.add("on");
    output.textContent = on.textContent;
  };
  figure.addEventListener("pointerover", show);
  figure.addEventListener("click", show);
}
