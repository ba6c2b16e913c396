// The page of all diagrams: make them larger, find a box in any of them, print. Without this script all is there to read.

const drawings = [...document.querySelectorAll(".diagram")];

if (drawings.length > 1) {
  const tools = document.createElement("div");
  tools.className = "drawing-tools";
  tools.innerHTML = `
    <label>Find a box <input type="search" id="drawing-search" autocomplete="off"></label>
    <button type="button" id="drawing-size" aria-pressed="false">Full size</button>
    <button type="button" id="drawing-print">Print</button>`;
  const matches = document.createElement("p");
  matches.id = "drawing-matches";
  matches.setAttribute("role", "status");
  const first = document.querySelector(".md-content h2");
  first.before(tools, matches);

  const boxes = drawings.flatMap((drawing) => [...drawing.querySelectorAll("svg a")]);
  const textOf = (box) => box.textContent.replace(/\s+/g, " ").trim();

  document.getElementById("drawing-size").addEventListener("click", ({ currentTarget: button }) => {
    const enlarged = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(enlarged));
    for (const drawing of drawings) drawing.classList.toggle("enlarged", enlarged);
  });
  document.getElementById("drawing-print").addEventListener("click", () => window.print());
  document.getElementById("drawing-search").addEventListener("input", ({ currentTarget: field }) => {
    const wanted = field.value.trim().toLowerCase();
    const found = boxes.filter((box) => wanted && textOf(box).toLowerCase().includes(wanted));
    for (const box of boxes) box.classList.toggle("found", found.includes(box));
    matches.textContent = wanted ? (found.length === 1 ? "1 box" : `${found.length} boxes`) : "";
    found[0]?.scrollIntoView({ block: "nearest" });
  });
}
