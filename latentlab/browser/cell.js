// What every widget does in the cell of a notebook: a root in the notebook's theme, under a note. The still picture
// that is kept beside a widget for exported notebooks is hidden in any page where widgets are alive.
const HIDES = "latentlab-hides-stills";

export function cell(el, ...parts) {
  if (!document.getElementById(HIDES)) {
    document.head.append(Object.assign(document.createElement("style"), { id: HIDES, textContent: ".latentlab-still { display: none }" }));
  }
  const root = document.createElement("div");
  root.className = "latentlab-cell";
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's: keys that are typed here belong to the sliders and the map
  root.append(...parts);
  el.replaceChildren(root);
  return root;
}
