// Says things to people who use a screen reader, through the two live regions of base.html.
// announce() waits for a pause in speech; alarm() interrupts and is for what cannot wait.

export function announce(text) {
  say(document.getElementById("status"), text);
}

export function alarm(text) {
  say(document.getElementById("alert"), text);
}

function say(region, text) {
  // The same text twice is no change, and would not be spoken: empty first, and fill after the reader saw that.
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 60);
}
