// A curve as inline SVG. Everything is placed in per cent, so that it fits a telephone and text never shrinks.
const SVG = "http://www.w3.org/2000/svg";
const STEPS = 5;

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Round numbers from 0 to beyond `largest`, as evaluation/charts.py chooses them. */
export function ticksTo(largest) {
  const power = 10 ** Math.floor(Math.log10(largest / STEPS));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size * STEPS >= largest * (1 - 1e-9));
  const count = Math.ceil(largest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, number) => number * step);
}

/**
 * Draw `points` ([x, y] in order) into `figure`, taking the place of what was drawn there before.
 * `summary` says the same in words; `label` writes a value of y; `dots` marks each point.
 */
export function drawCurve(figure, points, { summary, label, dots = false, from = 0, to }) {
  const ticks = ticksTo(Math.max(...points.map(([, y]) => y), 1e-3));
  const place = ([x, y]) => [100 * (x - from) / Math.max(1, to - from), 100 * (1 - y / ticks.at(-1))];
  const svg = make("svg", { role: "img", "aria-label": summary, width: "100%", height: "100%" });
  for (const tick of ticks) {
    const [, y] = place([from, tick]);
    svg.append(make("line", { class: "grid", x1: 0, x2: "100%", y1: `${y}%`, y2: `${y}%` }));
    svg.append(make("text", { class: "tick", x: -8, y: `${y}%`, dy: "0.35em", "text-anchor": "end" }, label(tick)));
  }
  const places = points.map(place);
  for (let end = 1; end < places.length; end++) {
    const [[x1, y1], [x2, y2]] = [places[end - 1], places[end]];
    svg.append(make("line", { class: "curve-line", x1: `${x1}%`, y1: `${y1}%`, x2: `${x2}%`, y2: `${y2}%` }));
  }
  if (dots) for (const [cx, cy] of places) svg.append(make("circle", { class: "point", cx: `${cx}%`, cy: `${cy}%`, r: 5 }));
  const plot = figure.querySelector(".plot") ?? figure.appendChild(Object.assign(document.createElement("div"), { className: "plot" }));
  plot.replaceChildren(svg);
}
