// Sliders in a notebook's cell, for anywidget: the traits are those of widgets/_sliders.py. Only a release tells the kernel.
import { mountSliders, mountStage } from "./stage.js";
import { cell } from "./cell.js";

function render({ model, el }) {
  const note = Object.assign(document.createElement("p"), { className: "noted" }), root = document.createElement("div");
  const mount = model.get("data").runs.length > 1 ? mountStage : mountSliders;
  let turn = 0, told = JSON.stringify(model.get("values"));
  const onMoved = (values) => {
    told = JSON.stringify(values);
    model.set("values", values);
    model.save_changes();
  };
  const show = () => {
    note.textContent = model.get("note");
    mount(root, { ...model.get("data"), turn, values: model.get("values") }, { onMoved });
  };
  const moved = () => {
    if (JSON.stringify(model.get("values")) === told) return;
    told = JSON.stringify(model.get("values"));
    turn += 1;
    show();
  };
  cell(el, note, root);
  model.on("change:data", show);
  model.on("change:values", moved);
  show();
  return () => { model.off("change:data", show); model.off("change:values", moved); };
}

export default { render };
