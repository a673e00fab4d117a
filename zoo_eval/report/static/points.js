"use strict";

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
