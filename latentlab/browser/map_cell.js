// The map in a notebook's cell, for anywidget: the traits are those of widgets/map.py. The kernel is asked for the picture
// of a row, once, when it is wanted.
import { mountMap } from "./map.js";
import { cell } from "./cell.js";

const WAITED = 5000; // ms for a picture: a page without a kernel gives none

function picturesOf(model) {
  const known = new Map(), wanted = new Map();
  const come = ({ row, picture }) => { wanted.get(row)?.(picture); wanted.delete(row); };
  const ask = (row) => new Promise((done) => {
    wanted.set(row, done);
    setTimeout(() => done(""), WAITED);
    model.send({ row });
  });
  model.on("msg:custom", come);
  return { come, of: (row) => { if (!known.has(row)) known.set(row, ask(row)); return known.get(row); } };
}

function render({ model, el }) {
  const note = Object.assign(document.createElement("p"), { className: "noted" }), root = document.createElement("div");
  const clear = Object.assign(document.createElement("button"), { type: "button", textContent: "Clear" });
  const drawn = Object.assign(document.createElement("img"), { className: "drawn" });
  const pictures = picturesOf(model);
  root.className = "latentlab-map";
  const keep = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const pick = (row) => {
    const rows = model.get("rows");
    keep({ rows: rows.includes(row) ? rows.filter((each) => each !== row) : [...rows, row] });
  };
  clear.onclick = () => keep({ areas: [], filters: {}, rows: [], path: [] });
  const callbacks = { area: (areas) => keep({ areas }), filter: (filters) => keep({ filters }), path: (path) => keep({ path }), pick };
  const show = () => {
    note.replaceChildren([model.get("note"), model.get("said")].filter(Boolean).join(" "), ...(model.get("said") ? [clear] : []));
    drawn.hidden = !model.get("strip");
    Object.assign(drawn, { src: model.get("strip"), alt: model.get("path").length ? `decoded along the rows ${model.get("path").join(", ")}` : "" });
    const found = model.get("pictured") ? pictures.of : "";
    mountMap(root, { ...model.get("data"), by: model.get("by"), areas: model.get("areas"), path: model.get("path"), pictures: found }, callbacks);
  };
  cell(el, note, root, drawn);
  const names = ["data", "by", "areas", "path", "said", "strip"];
  for (const name of names) model.on(`change:${name}`, show);
  show();
  return () => {
    for (const name of names) model.off(`change:${name}`, show);
    model.off("msg:custom", pictures.come);
  };
}

export default { render };
