// A decoder in the page. `loadDecoder` takes what decoder.py described: a network, whose layers run here, or frames that
// were decoded beforehand. Either way: { width, height, exact, decode(code) }, and decode gives an ImageData.

const TILE = 4; // rows of a product that are computed together

function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function halves(bytes) {
  const bits = new Uint16Array(bytes.buffer);
  return Float32Array.from(bits, (half) => {
    const exponent = (half >> 10) & 31, fraction = half & 1023, sign = half & 32768 ? -1 : 1;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
}

// Zeros for m rows of k numbers, with m rounded up to a multiple of TILE: what `multiply` takes and gives.
function rowsOf(m, k, given = []) {
  const rows = new Float32Array(Math.ceil(m / TILE) * TILE * k);
  rows.set(given);
  return rows;
}

// c = a b, for a (m × k), b (k × n): TILE rows and two columns at a time, so that each number read serves several products
function multiply(a, b, c, m, k, n) {
  for (let row = 0; row < m; row += TILE) {
    for (let column = 0; column < n; column += 2) {
      let p0 = 0, p1 = 0, p2 = 0, p3 = 0, q0 = 0, q1 = 0, q2 = 0, q3 = 0;
      const a0 = row * k, a1 = a0 + k, a2 = a1 + k, a3 = a2 + k;
      for (let i = 0, at = column; i < k; i++, at += n) {
        const p = b[at], q = b[at + 1];
        let weight = a[a0 + i];
        p0 += weight * p; q0 += weight * q;
        weight = a[a1 + i];
        p1 += weight * p; q1 += weight * q;
        weight = a[a2 + i];
        p2 += weight * p; q2 += weight * q;
        weight = a[a3 + i];
        p3 += weight * p; q3 += weight * q;
      }
      const c0 = row * n + column, c1 = c0 + n, c2 = c1 + n, c3 = c2 + n;
      c[c0] = p0; c[c1] = p1; c[c2] = p2; c[c3] = p3;
      if (column + 1 < n) { c[c0 + 1] = q0; c[c1 + 1] = q1; c[c2 + 1] = q2; c[c3 + 1] = q3; }
    }
  }
}

const size = (shape) => shape.reduce((product, side) => product * side, 1);

function pointwise(shape, change) {
  const y = new Float32Array(size(shape));
  return { shape, run: (x) => { for (let i = 0; i < y.length; i++) y[i] = change(x[i]); return y; } };
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// Each layer: the shape of what it takes and `take(count)`, the next weights → { shape, run }. What it gives is its own.
const LAYERS = {
  relu: (layer, shape) => pointwise(shape, (x) => (x > 0 ? x : 0)),
  leaky: ({ slope }, shape) => pointwise(shape, (x) => (x > 0 ? x : slope * x)),
  sigmoid: (layer, shape) => pointwise(shape, sigmoid),
  tanh: (layer, shape) => pointwise(shape, Math.tanh),
  reshape: (layer) => ({ shape: layer.shape, run: (x) => x }),

  dense({ out }, shape, take) {
    const inputs = size(shape), weight = take(out * inputs), bias = take(out), y = new Float32Array(out);
    const run = (x) => {
      for (let row = 0; row < out; row++) {
        let sum = bias[row];
        for (let i = 0, at = row * inputs; i < inputs; i++, at++) sum += weight[at] * x[i];
        y[row] = sum;
      }
      return y;
    };
    return { shape: [out], run };
  },

  // The places that each output sees as columns (input channel and tap × place), times the kernels.
  conv({ out, kernel: [kh, kw], stride: [sh, sw], padding: [ph, pw] }, [channels, h, w], take) {
    const taps = channels * kh * kw, weight = rowsOf(out, taps, take(out * taps)), bias = take(out);
    const height = Math.floor((h + 2 * ph - kh) / sh) + 1, width = Math.floor((w + 2 * pw - kw) / sw) + 1;
    const places = height * width, columns = new Float32Array(taps * places), y = rowsOf(out, places);
    const run = (x) => {
      columns.fill(0);
      let at = 0;
      for (let channel = 0; channel < channels; channel++) for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
        for (let row = 0; row < height; row++) {
          const above = row * sh + i - ph;
          for (let column = 0; column < width; column++, at++) {
            const left = column * sw + j - pw;
            if (above >= 0 && above < h && left >= 0 && left < w) columns[at] = x[(channel * h + above) * w + left];
          }
        }
      }
      multiply(weight, columns, y, out, taps, places);
      for (let channel = 0, k = 0; channel < out; channel++) for (let i = 0; i < places; i++, k++) y[k] += bias[channel];
      return y;
    };
    return { shape: [out, height, width], run };
  },

  // What each input place adds at each tap (output channel and tap × place), summed where the taps overlap.
  transposed({ out, kernel: [kh, kw], stride: [sh, sw], padding: [ph, pw], extra: [eh, ew] }, [channels, h, w], take) {
    const taps = out * kh * kw, places = h * w, weight = rowsOf(taps, channels, take(taps * channels)), bias = take(out);
    const height = (h - 1) * sh - 2 * ph + kh + eh, width = (w - 1) * sw - 2 * pw + kw + ew;
    const columns = rowsOf(taps, places), y = new Float32Array(out * height * width);
    const run = (x) => {
      multiply(weight, x, columns, taps, channels, places);
      for (let channel = 0; channel < out; channel++) {
        y.fill(bias[channel], channel * height * width, (channel + 1) * height * width);
      }
      let at = 0;
      for (let channel = 0; channel < out; channel++) for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
        for (let row = 0; row < h; row++) {
          const above = row * sh + i - ph, start = (channel * height + above) * width;
          for (let column = 0; column < w; column++, at++) {
            const left = column * sw + j - pw;
            if (above >= 0 && above < height && left >= 0 && left < width) y[start + left] += columns[at];
          }
        }
      }
      return y;
    };
    return { shape: [out, height, width], run };
  },

  scale(layer, shape, take) {
    const channels = shape[0], each = size(shape) / channels, y = new Float32Array(size(shape));
    const factor = take(channels), shift = take(channels);
    const run = (x) => {
      for (let channel = 0, k = 0; channel < channels; channel++) {
        for (let i = 0; i < each; i++, k++) y[k] = factor[channel] * x[k] + shift[channel];
      }
      return y;
    };
    return { shape, run };
  },

  groupnorm({ groups, eps }, shape, take) {
    const channels = shape[0], each = size(shape) / channels, together = size(shape) / groups;
    const factor = take(channels), shift = take(channels), y = new Float32Array(size(shape));
    const run = (x) => {
      for (let start = 0; start < y.length; start += together) {
        let mean = 0, square = 0;
        for (let k = start; k < start + together; k++) mean += x[k];
        mean /= together;
        for (let k = start; k < start + together; k++) square += (x[k] - mean) ** 2;
        const scale = 1 / Math.sqrt(square / together + eps);
        for (let k = start; k < start + together; k++) {
          const channel = Math.floor(k / each);
          y[k] = factor[channel] * scale * (x[k] - mean) + shift[channel];
        }
      }
      return y;
    };
    return { shape, run };
  },

  nearest({ size: [height, width] }, [channels, h, w]) {
    const y = new Float32Array(channels * height * width);
    const run = (x) => {
      let k = 0;
      for (let channel = 0; channel < channels; channel++) for (let row = 0; row < height; row++) {
        const start = (channel * h + Math.floor((row * h) / height)) * w;
        for (let column = 0; column < width; column++, k++) y[k] = x[start + Math.floor((column * w) / width)];
      }
      return y;
    };
    return { shape: [channels, height, width], run };
  },

  residual({ layers }, shape, take) {
    const change = chain(layers, shape, take), y = new Float32Array(size(shape));
    const run = (x) => {
      const changed = change.run(x);
      for (let k = 0; k < y.length; k++) y[k] = x[k] + changed[k];
      return y;
    };
    return { shape, run };
  },
};

function chain(layers, shape, take) {
  const steps = layers.map((layer) => {
    const step = LAYERS[layer.op](layer, shape, take);
    shape = step.shape;
    return step.run;
  });
  return { shape, run: (x) => steps.reduce((value, step) => step(value), x) };
}

// One or three channels of the sample per picture, pictures side by side: null is black, one channel alone is grey.
function painted(x, [, h, w], planes, image) {
  const across = w * planes.length;
  planes.forEach((channels, part) => {
    for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) {
      const at = 4 * (row * across + part * w + column), from = row * w + column;
      for (let k = 0; k < 3; k++) {
        const channel = channels[channels.length === 1 ? 0 : k];
        image.data[at + k] = channel === null ? 0 : Math.round(255 * x[channel * h * w + from]); // clamped by its array
      }
      image.data[at + 3] = 255;
    }
  });
  return image;
}

function network({ latent, told, layers, weights, half, squash, planes }) {
  const bytes = bytesOf(weights), numbers = half ? halves(bytes) : new Float32Array(bytes.buffer);
  let at = 0;
  const take = (count) => numbers.subarray(at, (at += count));
  const { shape, run } = chain(layers, [latent + told.length], take);
  if (at !== numbers.length) throw new Error(`the decoder has ${numbers.length} weights; its layers take ${at}`);
  const height = shape[1], width = shape[2] * planes.length, image = new ImageData(width, height);
  const decode = (code) => {
    const outputs = run(Float32Array.from([...code, ...told]));
    return painted(squash ? outputs.map(sigmoid) : outputs, shape, planes, image);
  };
  return { width, height, exact: true, decode };
}

async function pixelsOf(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context;
}

// Frames around one code, a row of the sheet for each dimension: of a code the dimension that moved farthest is shown.
async function frames({ code, dims, low, high, steps, width, height, sheet, start }) {
  const context = await pixelsOf(sheet), begin = start ? await pixelsOf(start) : null;
  const share = (k, value) => (value - low[k]) / (high[k] - low[k] || 1);
  const decode = (wanted) => {
    const moved = dims.map((dim, k) => Math.abs(share(k, wanted[dim]) - share(k, code[dim])));
    const far = moved.indexOf(Math.max(...moved));
    if (begin && moved[far] === 0) return begin.getImageData(0, 0, width, height);
    const frame = Math.round(Math.min(1, Math.max(0, share(far, wanted[dims[far]]))) * (steps - 1));
    return context.getImageData(frame * width, far * height, width, height);
  };
  return { width, height, exact: false, decode };
}

export async function loadDecoder(description) {
  return description.kind === "network" ? network(description) : frames(description);
}
