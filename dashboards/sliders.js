// Sliders over latent dimensions. While one is dragged, frames that were decoded beforehand follow it, with no word to
// the server; when it is let go, the server decodes the code exactly and sends the frames around it.
const states = new WeakMap();

function picture(uri) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = uri;
  });
}

function blit(canvas, image, x, width, height) {
  canvas.width = width;
  canvas.height = height;
  canvas.classList.toggle("smooth", width > 100);
  canvas.classList.toggle("wide", width >= 2 * height);
  canvas.getContext("2d").drawImage(image, x, 0, width, height, 0, 0, width, height);
}

function number(value) { return value.toFixed(2).replace("-", "−"); }

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".sliding");
  const state = states.get(root) || { values: {}, dragging: false, version: 0 };
  states.set(root, state);
  const version = ++state.version;
  const [start, preview] = root.querySelectorAll("canvas");
  const [startSaid, said] = root.querySelectorAll("figcaption");
  const rows = root.querySelector(".rows");
  const { width, height, steps } = data;

  const send = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => setTriggerValue("moved", { ...state.values }), 120);
  };
  rows.replaceChildren();
  state.values = {};
  const sprites = data.dims.map((dim) => picture(dim.frames));
  data.dims.forEach((dim, k) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const output = document.createElement("output");
    const fact = document.createElement("small");
    label.textContent = dim.label;
    fact.textContent = dim.fact;
    label.append(fact);
    label.htmlFor = input.id = `slide-${dim.dim}`;
    label.title = `${dim.label} ${dim.fact}`;
    Object.assign(input, { type: "range", min: dim.low, max: dim.high, step: 0.01, value: dim.value });
    output.textContent = number(dim.value);
    let frames = null;
    sprites[k].then((image) => { frames = image; });
    input.addEventListener("input", () => {
      const value = Number(input.value);
      output.textContent = number(value);
      state.dragging = true;
      if (!frames) return;
      const frame = Math.round(((value - dim.low) / (dim.high - dim.low)) * (steps - 1));
      blit(preview, frames, frame * width, width, height);
      said.textContent = `preview, ${dim.dim} = ${number(value)}`;
    });
    input.addEventListener("change", () => {
      state.dragging = false;
      state.values[dim.dim] = Number(input.value);
      said.textContent = "decoding …";
      send();
    });
    rows.append(label, input, output);
  });
  if (state.focus) rows.querySelector(`#${state.focus}`)?.focus({ preventScroll: true });
  rows.onfocusin = (event) => { state.focus = event.target.id; };
  rows.onfocusout = () => { if (document.hasFocus()) state.focus = null; };
  picture(data.exact).then((image) => {
    if (version !== state.version || state.dragging) return;
    blit(preview, image, 0, width, height);
    said.textContent = "decoded exactly";
  });
  start.parentElement.hidden = !data.start;
  if (data.start) {
    picture(data.start).then((image) => blit(start, image, 0, width, height));
    startSaid.textContent = data.startSaid;
  }
  preview.setAttribute("aria-label", data.alt);
}
