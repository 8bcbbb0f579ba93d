// One run at a time; without this script, all of them stand below one another.
const page = JSON.parse(document.getElementById("page").textContent);
const parts = [...document.querySelectorAll("section.part")], chooser = document.querySelector("select[data-chooses]");

function choose() {
  const asked = decodeURIComponent(location.hash.slice(1)), shown = parts.some(({ id }) => id === asked) ? asked : page.chosen;
  for (const part of parts) part.hidden = part.id !== shown;
  chooser.value = shown;
  scrollTo(0, 0);
}

if (chooser) {
  chooser.closest(".choosers").hidden = false;
  chooser.onchange = () => { location.hash = chooser.value; };
  window.onhashchange = choose;
  choose();
}
