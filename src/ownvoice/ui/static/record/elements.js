// Small changes of the page, made only where something differs: what is rewritten for nothing is read out again.

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setShown(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

/** A button that cannot be used just now keeps its place and the focus, and says so when it is pressed. */
export function setUsable(button, usable) {
  const value = String(!usable);
  if (button.getAttribute("aria-disabled") !== value) button.setAttribute("aria-disabled", value);
}

/** Show another picture of icons.svg. */
export function setIcon(svg, name) {
  const address = `/static/record/icons.svg#${name}`;
  const use = svg.firstElementChild;
  if (use.getAttribute("href") !== address) use.setAttribute("href", address);
}

/** Replace a list's lines by `texts`. */
export function setLines(list, texts) {
  if (list.children.length === texts.length && texts.every((text, i) => list.children[i].textContent === text)) return;
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}
