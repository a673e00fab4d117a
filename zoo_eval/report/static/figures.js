"use strict";

// Draws each figure when it comes into view. Colours are the style sheet's, in both schemes.
const FAMILIES = 8;
const PLOTLY = document.currentScript.dataset.plotly;

// Plotly is large: a page is there and of use before it is, and is read only for a figure in view.
let plotly = null;
function loadPlotly() {
  plotly ??= new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = PLOTLY;
    script.onload = () => loaded(window.Plotly);
    script.onerror = () => failed(new Error(`${PLOTLY} cannot be loaded`));
    document.head.append(script);
  });
  return plotly;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const series = Array.from({ length: FAMILIES }, (_, place) => read(`series-${place + 1}`));
  const [ink, muted, line, paper] = ["ink", "muted", "line", "raised"].map(read);
  return { series, ink, muted, line, paper };
}

function styled(figure, wide) {
  const { series, ink, muted, line, paper } = colours();
  const n = figure.data.reduce((sum, trace) => sum + trace.x.length, 0);
  const size = n > 600 ? 5 : 7;
  const data = figure.data.map((trace) => {
    const { series: place, front } = trace.meta;
    const pair = figure.data.some((each) => each.meta.front);
    const colour = pair ? (front ? series[1] : series[7]) : series[place];
    const marker = { ...trace.marker, color: colour, size: front ? size + 1 : size, opacity: 0.8 };
    return { ...trace, marker, line: { ...trace.line, color: colour } };
  });
  const axis = { gridcolor: line, linecolor: muted, zeroline: false, automargin: true, fixedrange: true };
  const given = figure.layout;
  const layout = {
    ...given,
    xaxis: { ...axis, ...given.xaxis },
    yaxis: { ...axis, ...given.yaxis },
    font: { family: "system-ui, sans-serif", size: 12, color: ink },
    paper_bgcolor: paper,
    plot_bgcolor: paper,
    margin: { l: 8, r: 12, t: 8, b: 8 },
    height: wide ? 400 : 380,
    legend: {
      orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { color: ink, size: 11 },
      entrywidth: wide ? 0.25 : 0.5, entrywidthmode: "fraction",
    },
    hoverlabel: { bgcolor: paper, bordercolor: muted, font: { color: ink, size: 12 } },
    hovermode: "closest",
    dragmode: false,
  };
  return [data, layout];
}

async function draw(canvas) {
  const library = await loadPlotly();
  const figure = JSON.parse(canvas.parentElement.querySelector("script").textContent);
  const [data, layout] = styled(figure, canvas.clientWidth > 500);
  library.react(canvas, data, layout, { responsive: true, displayModeBar: false });
  canvas.dataset.drawn = "yes";
}

const canvases = Array.from(document.querySelectorAll(".plot .canvas"));
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "300px" });
for (const canvas of canvases) seen.observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const canvas of canvases) if (canvas.dataset.drawn) draw(canvas);
});
