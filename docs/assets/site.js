// What the theme adds to a page while it loads, made reachable and told apart: tables that scroll, buttons that copy.

const mend = () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
    const table = box.querySelector("table");
    if (table && table.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
  document.querySelectorAll(".md-code__nav").forEach((buttons, place) => {
    const name = `Code ${place + 1}`;
    if (buttons.ariaLabel !== name) buttons.ariaLabel = name;
  });
};

mend();
new MutationObserver(mend).observe(document.querySelector(".md-content"), { childList: true, subtree: true });
addEventListener("resize", mend);
