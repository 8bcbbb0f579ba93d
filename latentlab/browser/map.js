// A map of all rows: WebGL points that are pale where they are many, labels, thumbnails where there is room for them,
// histograms that filter, lassos and paths. `data` is what map.py prepares, with `by` (a factor), `pictures` (a row's
// address, with {row} in it, or a function of the row that gives or promises one; empty where there are none), `areas` (polygons to
// show) and `path` (row ids). Callbacks: area(polygons), path(rows), pick(row, facts), filter({factor: [values]}); what
// has none is not offered.
const CELLS = 256, NEAR = 12, PICTURE = 44, FEW = 500, MOST = 60, PLAIN = "#8A8A86";
const MOVED = 250_000, STILL = 140; // rows drawn while the view moves, and ms after which it is still
const REST = 80; // ms that the pointer rests on a row before its picture is asked for
const states = new WeakMap();
const VERTEX = `
  attribute vec2 place; attribute vec4 colour; uniform vec2 centre, scale; uniform float size, opacity; varying vec4 shade;
  void main() {
    gl_Position = colour.a < 0.5 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4((place - centre) * scale, 0.0, 1.0);
    gl_PointSize = size; shade = vec4(colour.rgb * opacity, opacity);
  }`;
const FRAGMENT = `
  precision mediump float; varying vec4 shade;
  void main() { if (length(gl_PointCoord - 0.5) > 0.5) discard; gl_FragColor = shade; }`;

function bytes(text) {
  const letters = atob(text), found = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) found[k] = letters.charCodeAt(k);
  return found;
}
function element(tag, { text, ...more } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), more);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}
function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
// A colour as the four bytes of a pixel.
function packed(tone) {
  const channels = [1, 3, 5].map((k) => parseInt(tone.slice(k, k + 2), 16));
  return new Uint32Array(new Uint8Array([...channels, 255]).buffer)[0];
}

// Points by the cell of a grid that they lie in: what is near a place, and how many are in view.
function gridOf(points, n) {
  const cell = (k) => (points[2 * k + 1] >> 8) * CELLS + (points[2 * k] >> 8);
  const start = new Uint32Array(CELLS * CELLS + 1), order = new Uint32Array(n);
  for (let k = 0; k < n; k++) start[cell(k) + 1]++;
  for (let c = 0; c < CELLS * CELLS; c++) start[c + 1] += start[c];
  const next = start.slice();
  for (let k = 0; k < n; k++) order[next[cell(k)]++] = k;
  return { start, order };
}
// The runs of `order` that cover a box of places in [0, 1].
function* runsIn({ start }, x0, y0, x1, y1) {
  const clip = (value) => Math.max(0, Math.min(CELLS - 1, Math.floor(value * 65535 / 256)));
  if (x1 < 0 || y1 < 0 || x0 > 1 || y0 > 1) return;
  const [left, right] = [clip(x0), clip(x1)];
  for (let row = clip(y0); row <= clip(y1); row++) yield [start[row * CELLS + left], start[row * CELLS + right + 1]];
}

function openGl(canvas) {
  const gl = canvas.getContext("webgl", { premultipliedAlpha: true, antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const buffers = { place: gl.createBuffer(), colour: gl.createBuffer() };
  const bind = (name, count, kind, array) => {
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, count, kind, true, 0, 0);
  };
  const at = (name) => gl.getUniformLocation(program, name);
  return { gl, bind, centre: at("centre"), scale: at("scale"), size: at("size"), opacity: at("opacity") };
}

class Explorer {
  constructor(root) {
    this.root = root;
    this.canvas = element("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "img");
    this.lines = svg("svg", { "aria-hidden": "true" });
    this.over = element("div", { className: "over" });
    this.side = element("div", { className: "side" });
    this.said = element("p", { className: "said" });
    this.said.setAttribute("aria-live", "polite");
    this.tools = element("div", { className: "tools" });
    this.modes = ["Move", "Lasso", "Path"].map((mode) => this.button(mode, () => this.setMode(mode)));
    this.decode = this.button("Decode the path", () => this.callbacks.path([...this.path]));
    this.take = this.button("Select these rows", () => this.callbacks.filter(this.filters()));
    this.tools.append(...this.modes, this.button("Fit", () => this.fit()), this.decode, this.take);
    this.stage = element("div", { className: "view" }, this.canvas, this.lines, this.over);
    root.replaceChildren(this.tools, element("div", { className: "both" }, this.stage, this.side), this.said);
    this.path = [];
    this.chosen = new Map();
    this.setMode("Move");
    this.listen();
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
  }
  button(text, act) { return element("button", { type: "button", text, onclick: act }); }
  setMode(mode) {
    this.mode = mode;
    for (const button of this.modes) button.setAttribute("aria-pressed", button.textContent === mode);
    this.canvas.style.cursor = mode === "Move" ? "grab" : "crosshair";
    if (this.data) this.draw();
  }

  update(data, callbacks) {
    const fresh = !this.data || this.data.points !== data.points || this.data.rows !== data.rows;
    const before = this.data;
    this.data = data;
    this.callbacks = callbacks;
    this.modes.forEach((button) => { button.hidden = !{ Move: callbacks.area || callbacks.path, Lasso: callbacks.area, Path: callbacks.path }[button.textContent]; });
    if (fresh) this.load();
    if (fresh || before.by !== data.by) this.paint();
    if (fresh || String(before.path) !== String(data.path)) this.path = [...(data.path || [])];
    if (fresh) this.fit(); else this.draw();
  }
  load() {
    const { data } = this;
    this.points = new Uint16Array(bytes(data.points).buffer);
    const { buffer } = bytes(data.rows);
    this.rows = buffer.byteLength === 4 * data.n ? new Uint32Array(buffer) : new Float64Array(buffer);
    this.places = new Map();
    this.factors = data.factors.map((factor) => ({ ...factor, levels: bytes(factor.levels) }));
    this.grid = gridOf(this.points, data.n);
    this.chosen.clear();
    this.canvas.setAttribute("aria-label", `map of ${data.n.toLocaleString("en")} rows`);
    this.gl ||= openGl(this.canvas);
    if (!this.gl) { this.said.textContent = "This browser draws no WebGL, which the map needs."; return; }
    this.gl.bind("place", 2, this.gl.gl.UNSIGNED_SHORT, this.points);
  }
  // Colours by the factor, none where a histogram filters the row out; then every histogram counts what is left.
  paint() {
    const { n } = this.data, colours = new Uint32Array(n), failed = new Uint8Array(n), last = new Uint8Array(n);
    const tests = this.factors.flatMap((factor, f) => (this.chosen.get(factor.name)?.size ? [f] : []));
    for (const f of tests) this.fail(f, failed, last);
    const counts = this.factors.map((_, f) => this.count(f, failed, last));
    const by = this.factors.find((each) => each.name === this.data.by), plain = packed(PLAIN);
    const tones = new Uint32Array(256).fill(plain), levels = by?.levels || new Uint8Array(n);
    by?.colours.forEach((tone, level) => { tones[level] = packed(tone); });
    this.shown = 0;
    for (let k = 0; k < n; k++) {
      if (failed[k]) continue;
      colours[k] = tones[levels[k]];
      this.shown++;
    }
    this.failed = failed;
    if (this.gl) this.gl.bind("colour", 4, this.gl.gl.UNSIGNED_BYTE, new Uint8Array(colours.buffer));
    this.histograms(counts);
    this.take.hidden = !tests.length || !this.callbacks.filter;
    const of = this.data.n.toLocaleString("en");
    this.told = tests.length ? `${this.shown.toLocaleString("en")} of ${of} rows` : `${of} rows`;
  }
  // How many filters each row fails, and which is the last of them.
  fail(f, failed, last) {
    const { name, levels } = this.factors[f], kept = new Uint8Array(256);
    for (const level of this.chosen.get(name)) kept[level] = 1;
    for (let k = 0; k < levels.length; k++) {
      if (kept[levels[k]]) continue;
      failed[k]++;
      last[k] = f;
    }
  }
  // Rows by level that pass all filters but the factor's own.
  count(f, failed, last) {
    const { levels } = this.factors[f], counts = new Uint32Array(256);
    for (let k = 0; k < levels.length; k++) {
      if (failed[k] === 0 || (failed[k] === 1 && last[k] === f)) counts[levels[k]]++;
    }
    return counts;
  }
  histograms(counts) {
    const focus = document.activeElement?.dataset?.bar || this.root.getRootNode().activeElement?.dataset?.bar;
    this.side.replaceChildren(...this.factors.map((factor, f) => {
      const most = Math.max(1, ...counts[f].subarray(0, factor.values.length)), chosen = this.chosen.get(factor.name) || new Set();
      const bars = factor.values.map((value, level) => {
        const bar = this.button("", () => this.toggle(factor.name, level));
        bar.dataset.bar = `${factor.name} ${level}`;
        bar.title = `${factor.name} ${value}: ${counts[f][level].toLocaleString("en")} rows`;
        bar.setAttribute("aria-label", bar.title);
        bar.setAttribute("aria-pressed", chosen.has(level));
        const fill = element("i");
        fill.style.height = `${100 * counts[f][level] / most}%`;
        fill.style.background = factor.name === this.data.by ? factor.colours[level] : "";
        bar.append(fill);
        return bar;
      });
      const ends = factor.values.length > 1 ? `${factor.values[0]} … ${factor.values.at(-1)}` : factor.values[0];
      const named = chosen.size ? [...chosen].map((level) => factor.values[level]).join(", ") : ends;
      return element("section", {}, element("b", { text: factor.name }), element("div", { className: "bars" }, ...bars),
        element("small", { text: named }));
    }));
    if (focus) [...this.side.querySelectorAll("button")].find((bar) => bar.dataset.bar === focus)?.focus();
  }
  toggle(name, level) {
    const chosen = this.chosen.get(name) || new Set();
    if (!chosen.delete(level)) chosen.add(level);
    this.chosen.set(name, chosen);
    this.paint();
    this.draw();
  }
  filters() {
    const found = {};
    for (const { name, values } of this.factors) {
      if (this.chosen.get(name)?.size) found[name] = [...this.chosen.get(name)].sort((a, b) => a - b).map((level) => values[level]);
    }
    return found;
  }

  // Places are in [0, 1] of the picture's longer side, y upward; `zoom` is CSS pixels per unit.
  fit() {
    this.centre = [0.5, this.data.high / 2];
    this.zoom = 0.94 * Math.min(this.canvas.clientWidth, this.canvas.clientHeight / Math.max(this.data.high, 0.2)) || 1;
    this.draw();
  }
  resize() {
    const ratio = window.devicePixelRatio || 1, { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    Object.assign(this.canvas, { width: Math.round(clientWidth * ratio), height: Math.round(clientHeight * ratio) });
    if (this.data) { if (this.zoom > 1) this.draw(); else this.fit(); }
  }
  screen(x, y) {
    const { clientWidth, clientHeight } = this.canvas;
    return [clientWidth / 2 + (x - this.centre[0]) * this.zoom, clientHeight / 2 - (y - this.centre[1]) * this.zoom];
  }
  place(x, y) {
    const { clientWidth, clientHeight } = this.canvas;
    return [this.centre[0] + (x - clientWidth / 2) / this.zoom, this.centre[1] - (y - clientHeight / 2) / this.zoom];
  }
  toData([x, y]) { return [this.data.low[0] + x * this.data.span, this.data.low[1] + y * this.data.span]; }
  fromData([x, y]) { return [(x - this.data.low[0]) / this.data.span, (y - this.data.low[1]) / this.data.span]; }
  pointAt(k) { return [this.points[2 * k] / 65535, this.points[2 * k + 1] / 65535]; }
  placeOf(row) {
    if (!this.places.has(row)) this.places.set(row, this.rows.indexOf(row));
    return this.places.get(row);
  }
  nearest(x, y, within) {
    const [px, py] = this.place(x, y), reach = within / this.zoom;
    let best = -1, least = reach * reach;
    for (const [from, to] of runsIn(this.grid, px - reach, py - reach, px + reach, py + reach)) {
      for (let i = from; i < to; i++) {
        const k = this.grid.order[i], dx = this.points[2 * k] / 65535 - px, dy = this.points[2 * k + 1] / 65535 - py;
        if (!this.failed[k] && dx * dx + dy * dy <= least) { least = dx * dx + dy * dy; best = k; }
      }
    }
    return best;
  }
  view() {
    const { clientWidth, clientHeight } = this.canvas, [x0, y1] = this.place(0, 0), [x1, y0] = this.place(clientWidth, clientHeight);
    let count = 0;
    const runs = [...runsIn(this.grid, x0, y0, x1, y1)];
    for (const [from, to] of runs) count += to - from;
    return { x0, y0, x1, y1, runs, count };
  }

  // While the view moves, the first of the rows stand for all: they are in random order.
  move() {
    clearTimeout(this.still);
    this.moving = true;
    this.still = setTimeout(() => { this.moving = false; this.draw(); }, STILL);
    this.draw();
  }
  draw() {
    this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.drawNow(); });
  }
  drawNow() {
    if (!this.gl || !this.canvas.width || !this.failed) return;
    const { gl, centre, scale, size, opacity } = this.gl, { width, height, clientWidth } = this.canvas, ratio = width / clientWidth;
    const view = this.view(), drawn = this.moving ? Math.min(MOVED, this.data.n) : this.data.n, share = this.shown / this.data.n;
    const wide = Math.max(2, Math.min(9, 1.6 * Math.sqrt(width * height / Math.max(view.count * share, 1) / 40)));
    const crowd = Math.max(view.count * share * drawn / this.data.n * wide * wide * 6, 1); // device pixels that points would cover, times 6
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(centre, ...this.centre);
    gl.uniform2f(scale, 2 * this.zoom * ratio / width, 2 * this.zoom * ratio / height);
    gl.uniform1f(size, wide * ratio);
    gl.uniform1f(opacity, Math.max(0.06, Math.min(0.9, 0.9 * width * height / crowd)));
    gl.drawArrays(gl.POINTS, 0, drawn);
    this.trace();
    this.annotate(view);
    this.said.textContent = this.sentence();
    this.decode.hidden = this.path.length < 2;
  }
  sentence() {
    const lasso = this.callbacks.area ? " Shift-drag for a lasso," : "";
    const hint = { Move: `drag to move, wheel to zoom,${lasso} click for a row`, Lasso: "drag around points",
      Path: "click points in order, then decode the path; Escape clears it" }[this.mode];
    return `${this.told} · ${hint}`;
  }
  trace() {
    const line = (places, more) => svg(more.closed ? "polygon" : "polyline",
      { points: places.map((place) => this.screen(...place).map((value) => value.toFixed(1)).join(",")).join(" "), class: more.kind });
    const areas = [...(this.data.areas || []).map((area) => area.map((corner) => this.fromData(corner))), ...(this.lasso ? [this.lasso] : [])];
    const stations = this.path.map((row) => this.placeOf(row)).filter((k) => k >= 0).map((k) => this.pointAt(k));
    const dots = stations.map((place) => {
      const [cx, cy] = this.screen(...place);
      return svg("circle", { cx, cy, r: 5, class: "station" });
    });
    this.lines.replaceChildren(...areas.map((area) => line(area, { closed: true, kind: "area" })),
      line(stations, { kind: "halo" }), line(stations, { kind: "way" }), ...dots);
  }
  // Labels of regions where much is in view (they are true of all rows alone), thumbnails where little is.
  annotate(view) {
    clearTimeout(this.later);
    const labels = (this.shown < this.data.n ? [] : this.data.labels).map(({ text, x, y }) => {
      const [left, top] = this.screen(...this.fromData([x, y]));
      const label = element("span", { text });
      label.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px) translate(-50%, -50%)`;
      return label;
    });
    if (view.count * this.shown / this.data.n > FEW || !this.data.pictures) { this.over.replaceChildren(...labels); return; }
    this.over.replaceChildren();
    this.later = setTimeout(() => this.thumbnails(view), 120);
  }
  thumbnails(view) {
    const taken = [], images = [];
    for (const [from, to] of view.runs) {
      for (let i = from; i < to && images.length < MOST; i++) {
        const k = this.grid.order[i], [x, y] = this.screen(...this.pointAt(k));
        const free = !this.failed[k] && x > 0 && y > 0 && x < this.canvas.clientWidth && y < this.canvas.clientHeight;
        if (!free || taken.some(([a, b]) => Math.abs(a - x) < PICTURE && Math.abs(b - y) < PICTURE)) continue;
        taken.push([x, y]);
        const image = element("img", { alt: this.called(k) });
        image.onerror = () => image.remove();
        this.picture(image, k);
        image.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
        images.push(image);
      }
    }
    this.over.replaceChildren(...images);
  }

  listen() {
    const { canvas } = this, at = (event) => [event.offsetX, event.offsetY];
    canvas.onwheel = (event) => { event.preventDefault(); this.zoomBy(Math.exp(-event.deltaY / 300), ...at(event)); };
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      const [x, y] = at(event);
      this.drag = { x, y, moved: 0, lasso: this.callbacks.area && (this.mode === "Lasso" || event.shiftKey) };
      if (this.drag.lasso) this.lasso = [this.place(x, y)];
    };
    canvas.onpointermove = (event) => {
      const [x, y] = at(event);
      if (!this.drag) { this.hover(x, y); return; }
      this.drag.moved += Math.abs(x - this.drag.x) + Math.abs(y - this.drag.y);
      if (this.drag.lasso) this.lasso.push(this.place(x, y));
      else this.centre = [this.centre[0] - (x - this.drag.x) / this.zoom, this.centre[1] + (y - this.drag.y) / this.zoom];
      Object.assign(this.drag, { x, y });
      if (this.drag.lasso) this.draw(); else this.move();
    };
    canvas.onpointerup = () => {
      const { drag, lasso } = this;
      this.drag = this.lasso = null;
      if (!drag) return;
      if (drag.lasso && lasso.length > 4) this.callbacks.area([...(this.data.areas || []), lasso.map((place) => this.toData(place))]);
      else if (drag.moved < 4) this.click(drag.x, drag.y);
      this.draw();
    };
    canvas.onpointercancel = () => { this.drag = this.lasso = null; this.draw(); };
    canvas.onpointerleave = () => this.hover(-1e4, -1e4);
    canvas.ondblclick = () => { if (this.data.areas?.length) this.callbacks.area?.([]); };
    canvas.onkeydown = (event) => {
      const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2], step = 60 / this.zoom;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
      if (moves) this.centre = [this.centre[0] + moves[0], this.centre[1] + moves[1]];
      else if (event.key === "+" || event.key === "=") this.zoomBy(1.3, ...middle);
      else if (event.key === "-") this.zoomBy(1 / 1.3, ...middle);
      else if (event.key === "0") this.fit();
      else if (event.key === "Escape") this.path = [];
      else if (event.key === "Enter" && this.path.length > 1) this.callbacks.path([...this.path]);
      else return;
      event.preventDefault();
      this.draw();
    };
  }
  zoomBy(factor, x, y) {
    const [px, py] = this.place(x, y);
    this.zoom = Math.max(50, Math.min(4e6, this.zoom * factor));
    const [qx, qy] = this.place(x, y);
    this.centre = [this.centre[0] + px - qx, this.centre[1] + py - qy];
    this.move();
  }
  click(x, y) {
    const k = this.nearest(x, y, this.mode === "Path" ? 2 * NEAR : NEAR);
    if (k < 0) return;
    if (this.mode === "Path") this.path.push(this.rows[k]);
    else this.callbacks.pick(this.rows[k], this.facts(k));
  }
  async picture(image, k) {
    const { pictures } = this.data, row = this.rows[k];
    image.src = typeof pictures === "function" ? await pictures(row) : pictures.replace("{row}", row);
  }
  called(k) { return `row ${this.data.names?.[k] ?? this.rows[k]}`; }
  facts(k) {
    const known = this.factors.map(({ name, values, levels }) => values[levels[k]] === undefined ? "" : `${name} ${values[levels[k]]}`);
    return [this.called(k), ...known.filter(Boolean)].join(" · ");
  }
  hover(x, y) {
    const k = this.failed ? this.nearest(x, y, NEAR) : -1;
    if (k === this.hovered) return;
    this.hovered = k;
    this.card?.remove();
    clearTimeout(this.resting);
    if (k < 0) return;
    const [left, top] = this.screen(...this.pointAt(k));
    this.card = element("figure", {}, element("figcaption", { text: this.facts(k) }));
    if (this.data.pictures) {
      const image = element("img", { alt: this.called(k) });
      image.onerror = () => image.remove();
      this.card.prepend(image);
      this.resting = setTimeout(() => this.picture(image, k), REST);
    }
    const right = left > this.canvas.clientWidth - 170, low = top > this.canvas.clientHeight - 150;
    this.card.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px) translate(${right ? "calc(-100% - 12px)" : "12px"}, ${low ? "calc(-100% - 12px)" : "12px"})`;
    this.stage.append(this.card);
  }
}

export function mountMap(root, data, callbacks) {
  let explorer = states.get(root);
  if (!explorer) states.set(root, explorer = new Explorer(root));
  explorer.update(data, callbacks);
  return explorer;
}
