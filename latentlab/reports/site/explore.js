// One run's map at a time, with the pictures of its rows cut out of a sheet that all runs share.
const root = document.getElementById("map"), picked = document.getElementById("picked");
const [run, view, by] = ["run", "view", "by"].map((what) => document.querySelector(`select[data-chooses="${what}"]`));
const NONE = "–";

// A function from a row to the address of its picture.
async function pictures(number) {
  if (number < 0) return "";
  const { sheet, across, width, height, rows } = await load(`rows-${number}`);
  const image = new Image(), place = new Map(rows.map((row, k) => [row, k]));
  image.src = sheet;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  return (row) => {
    const k = place.get(row);
    context.drawImage(image, (k % across) * width, Math.floor(k / across) * height, width, height, 0, 0, width, height);
    return canvas.toDataURL();
  };
}

function offer(select, values, wanted) {
  select.replaceChildren(...values.map((value) => new Option(value, value)));
  select.value = values.includes(wanted) ? wanted : values[0];
}

function pick(address, row, facts) {
  picked.hidden = false;
  const [image, caption] = picked.children;
  image.hidden = !address;
  if (address) image.src = address(row);
  caption.textContent = facts;
}

async function show(fresh) {
  const name = run.value;
  try {
    const { views, sheet, by: first } = await load(`map-${name}`), address = await pictures(sheet);
    if (name !== run.value) return;
    if (fresh) {
      offer(view, Object.keys(views), view.value);
      offer(by, [...views[view.value].factors.map((factor) => factor.name), NONE], by.value || first);
      picked.hidden = true;
    }
    mountMap(root, { ...views[view.value], by: by.value === NONE ? null : by.value, pictures: address }, { pick: (...given) => pick(address, ...given) });
    say("");
  } catch (error) { say(error.message); }
}

function choose() {
  const asked = decodeURIComponent(location.hash.slice(1));
  run.value = page.runs.some(({ name }) => name === asked) ? asked : page.chosen;
  show(true);
}

if (run) {
  run.onchange = () => { location.hash = run.value; };
  view.onchange = by.onchange = () => show(false);
  window.onhashchange = choose;
  choose();
}
