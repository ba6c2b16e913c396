// The display choices of every page: size, colours, language. Kept in cookies, so that the next page comes as chosen.
const YEAR = 365 * 24 * 3600;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=strict`;
}

for (const name of ["size", "colours"]) {
  for (const input of document.querySelectorAll(`.display input[name=${name}]`)) {
    input.addEventListener("change", () => {
      document.documentElement.dataset[name] = input.value;
      remember(name, input.value);
    });
  }
}

document.getElementById("interface-language")?.addEventListener("change", (event) => {
  remember("language", event.target.value);
  location.reload();
});

const display = document.querySelector(".display");
display.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !display.open) return;
  display.open = false;
  display.querySelector("summary").focus();
});
