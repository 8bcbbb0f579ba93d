// The runs that are chosen, on one stage. What is chosen stands in the address, so that a link shows the same.
const MOST_SLIDERS = 10;
const root = document.getElementById("stage"), choosers = [...document.querySelectorAll("select[data-chooses]")];

// The sliders of a first run next to several others: those of each pair, joined by the first run's dimension.
function joined(first, lists) {
  const found = lists[0].map((slider) => {
    const each = lists.map((list) => list.find(({ key }) => key === slider.key)), rho = each.map((other) => other.rho[0]);
    const strength = rho.reduce((sum, value) => sum + (value ?? 0), 0), known = rho.some((value) => value !== null);
    const told = `|ρ| ${rho.map((value) => (value === null ? "–" : value.toFixed(2))).join(", ")}`;
    const fact = lists.length === 1 ? slider.fact : known ? told : `${first.label} only`;
    return { ...slider, fact, strength, moves: [slider.moves[0], ...each.map((other) => other.moves[1])], off: each.every((other) => other.off) };
  });
  return found.sort((a, b) => b.strength - a.strength).slice(0, MOST_SLIDERS);
}

function content(names, runs) {
  const [first, ...others] = runs, lists = names.slice(1).map((name) => first.beside[name]);
  const why = lists.find((list) => typeof list === "string");
  if (why) throw new Error(`These runs cannot be compared: ${why}`);
  const sliders = others.length ? joined(first, lists) : first.alone;
  return { key: names.join(" "), turn: 0, values: {}, runs, sliders, noun: page.noun, start: first.start, startSaid: first.startSaid };
}

function chosen() { return [...new Set(choosers.map(({ value }) => value).filter(Boolean))]; }

async function show() {
  const names = chosen();
  try {
    const runs = await Promise.all(names.map((name) => load(`compare-${name}`)));
    if (String(names) !== String(chosen())) return;
    (names.length > 1 ? mountStage : mountSliders)(root, content(names, runs));
    say("");
  } catch (error) { say(error.message); }
}

function choose() {
  const known = new Set(page.runs.map(({ name }) => name));
  const asked = decodeURIComponent(location.hash.slice(1)).split(",").filter((name) => known.has(name));
  const names = asked.length ? asked : page.chosen;
  choosers.forEach((chooser, k) => { chooser.value = names[k] ?? ""; });
  show();
}

if (choosers.length) {
  for (const chooser of choosers) chooser.onchange = () => { location.hash = chosen().join(","); };
  window.onhashchange = choose;
  choose();
}
