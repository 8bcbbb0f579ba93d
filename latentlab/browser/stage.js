// Sliders that move codes, and the images that the runs' decoders make of them, all drawn in the same frame of animation.
// `data` is what stage.py prepares; mounting a second time updates what is there: elements, focus and a drag survive.
import { loadDecoder } from "./decoder.js";

const STEP = 0.1, LEAP = 0.5; // of the arrow keys, and of Page Up and Page Down
const KEYS = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP };
const PAUSE = 150; // ms after a release until it is told: a drag that follows at once is told with it
const LATE = 200; // ms that one decoder takes, from which on it is said that images follow late
const states = new WeakMap();

function number(value) { return value.toFixed(2).replace("-", "−"); }

function element(tag, { text, ...more } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), more);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

// The code of run k where the sliders stand: each moves one dimension of it, or none.
function codeOf(state, k) {
  const code = [...state.data.runs[k].code];
  for (const { key, start, moves } of state.data.sliders) {
    const move = moves[k];
    if (move && key in state.values) code[move.dim] += move.sign * move.scale * (state.values[key] - start);
  }
  return code;
}

function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    [canvas.width, canvas.height] = [image.width, image.height];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function draw(state) {
  state.frame = 0;
  const begun = performance.now();
  const images = state.decoders.map((decoder, k) => decoder.decode(codeOf(state, k)));
  images.forEach((image, k) => paint(state.shown[k].canvas, image));
  const taken = performance.now() - begun, late = taken > LATE * images.length ? " · large decoder, images follow late" : "";
  state.root.dataset.milliseconds = taken.toFixed(1);
  state.shown.forEach(({ caption }, k) => { caption.textContent = said(state, k) + late; });
}

function said(state, k) {
  const slider = state.data.sliders.find(({ key }) => key === state.last);
  if (!slider || !(slider.key in state.values)) return "at the start";
  const move = slider.moves[k];
  if (!move) return "not moved: no matching dimension";
  return `${move.symbol} = ${number(codeOf(state, k)[move.dim])}${state.decoders[k].exact ? "" : " (nearest decoded frame)"}`;
}

function schedule(state) {
  if (!state.frame && state.decoders) state.frame = requestAnimationFrame(() => draw(state));
}

function set(state, key, value) {
  state.values[key] = value;
  state.last = key;
  state.inputs[key].output.textContent = number(value);
  schedule(state);
}

function release(state) {
  clearTimeout(state.timer);
  state.timer = setTimeout(() => state.callbacks.onMoved?.({ ...state.values }), PAUSE);
}

function letGo(state) {
  state.dragging = false;
  const data = state.waiting;
  state.waiting = null;
  if (data) update(state, data);
}

function show(state) {
  for (const { key, start } of state.data.sliders) {
    const { input, output } = state.inputs[key];
    input.value = state.values[key] ?? start;
    output.textContent = number(Number(input.value));
  }
}

function row(state, slider) {
  const input = element("input", { type: "range", min: slider.low, max: slider.high, step: 0.01, value: slider.start });
  const output = element("output", { text: number(slider.start) });
  const name = element("span", { text: slider.label }, element("small", { text: slider.fact }));
  const label = element("label", { className: slider.off ? "off" : "", title: `${slider.label} ${slider.fact}` }, name, input, output);
  input.addEventListener("input", () => set(state, slider.key, Number(input.value)));
  input.addEventListener("change", () => release(state));
  input.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    input.value = Number(input.value) + KEYS[event.key];
    set(state, slider.key, Number(input.value));
    release(state);
  });
  input.addEventListener("pointerdown", () => { state.dragging = true; clearTimeout(state.timer); });
  for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => letGo(state));
  state.inputs[slider.key] = { input, output, name, label };
  return label;
}

// The axes of a picture: ticks beside and below it, titles, and the range of each channel where they differ.
function ruled(shown, ruler) {
  shown.figure.classList.toggle("ruled", Boolean(ruler));
  const { x = [], y = [], x_title = "", y_title = "", channels = [] } = ruler ?? {};
  const tick = (side) => ([share, text]) => {
    const made = element("span", { text: text.replace("-", "−") });
    made.style[side] = `${100 * share}%`;
    return made;
  };
  shown.left.replaceChildren(...y.map(tick("bottom")));
  shown.below.replaceChildren(...x.map(tick("left")));
  shown.across.textContent = x_title;
  shown.up.textContent = y.length ? y_title : "";
  shown.channels.replaceChildren(...channels.map(({ name, colour, range }) => {
    const made = element("span", { text: `${name} ${range.replaceAll("-", "−")} ${y_title}` });
    made.style.borderColor = colour;
    return made;
  }));
}

function picture(state, run) {
  const canvas = element("canvas", { role: "img" }), caption = element("figcaption");
  const title = element("h3"), note = element("small"), small = element("canvas", { role: "img", title: "reconstruction" });
  const [left, below, up, across, channels] = ["left", "below", "up", "across", "channels"].map((className) => element("div", { className }));
  const figure = element("figure", {}, element("header", {}, title, note, small), up, left, canvas, below, across, channels, caption);
  state.shown.push({ figure, canvas, caption, title, note, small, left, below, up, across, channels });
  return figure;
}

function present(state, on) {
  const { root } = state;
  root.classList.toggle("present", on);
  state.button.textContent = on ? "End" : "Present";
  // The top layer covers everything that the page around has, whatever its stacking.
  if (on) { root.popover = "manual"; root.showPopover(); } else { root.hidePopover(); root.removeAttribute("popover"); }
}

function build(state, several) {
  const { root, data } = state;
  Object.assign(state, { values: {}, inputs: {}, shown: [], last: null });
  const start = element("img"), from = element("figcaption");
  state.start = { start, from, figure: element("figure", { className: "start" }, start, from) };
  const reset = element("button", { type: "button", text: "Reset" });
  reset.onclick = () => { state.values = {}; show(state); schedule(state); release(state); };
  state.button = element("button", { type: "button", text: "Present", hidden: !several });
  state.button.onclick = () => present(state, !root.classList.contains("present"));
  root.onkeydown = (event) => { if (event.key === "Escape" && root.classList.contains("present")) present(state, false); };
  const head = element("div", { className: "head" }, state.start.figure, reset, state.button);
  const rows = element("div", { className: "rows" }, ...data.sliders.map((slider) => row(state, slider)));
  const pictures = element("div", { className: `pictures of${data.runs.length}` }, ...data.runs.map((run) => picture(state, run)));
  pictures.style.setProperty("--runs", data.runs.length);
  root.classList.add("latentlab-stage");
  root.replaceChildren(element("div", { className: "side" }, head, rows), pictures);
}

function update(state, data) {
  if (state.dragging) { state.waiting = data; return; }
  const fresh = data.turn !== state.turn;
  Object.assign(state, { data, turn: data.turn });
  if (fresh) state.values = { ...data.values };
  data.sliders.forEach(({ key, label, fact, low, high, off }) => {
    const { input, name, label: whole } = state.inputs[key];
    Object.assign(input, { min: low, max: high });
    name.firstChild.textContent = label;
    name.lastChild.textContent = fact;
    whole.classList.toggle("off", Boolean(off));
  });
  data.runs.forEach(({ label, note, decoder }, k) => {
    const shown = state.shown[k];
    ruled(shown, decoder.ruler);
    shown.title.textContent = shown.title.title = label;
    shown.note.textContent = note;
    shown.canvas.setAttribute("aria-label", `${data.noun} decoded by ${label}`);
    shown.small.setAttribute("aria-label", `${data.noun} of the start, decoded by ${label}`);
  });
  const { start, from, figure } = state.start;
  figure.hidden = !data.start;
  Object.assign(start, { src: data.start || "", alt: data.startSaid });
  from.textContent = data.startSaid;
  show(state);
  const loading = (state.loading = Promise.all(data.runs.map(({ decoder }) => loadDecoder(decoder))));
  loading.then((decoders) => {
    if (loading !== state.loading) return;
    state.decoders = decoders;
    decoders.forEach((decoder, k) => {
      const { canvas, small } = state.shown[k];
      canvas.classList.toggle("smooth", Math.max(decoder.width, decoder.height) > 100);
      paint(small, decoder.decode(state.data.runs[k].code));
    });
    schedule(state);
  });
}

function mounted(root, data, callbacks, several) {
  let state = states.get(root);
  if (!state || state.key !== data.key) {
    if (state?.frame) cancelAnimationFrame(state.frame);
    clearTimeout(state?.timer);
    state = { root, data, key: data.key };
    states.set(root, state);
    build(state, several);
  }
  state.callbacks = callbacks;
  update(state, data);
}

// Several runs side by side, under their names, with a mode for a projector.
export function mountStage(root, data, callbacks = {}) { mounted(root, data, callbacks, true); }

// One run.
export function mountSliders(root, data, callbacks = {}) { mounted(root, data, callbacks, false); }
