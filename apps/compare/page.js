// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of vfi-compare: reads the figures in #data and the pictures in #pictures, and builds
// the rest. All text from outside goes in as text, never as HTML.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const compared = data.models.map((model, index) => ({...model, index}))
  .filter((model) => model.problem === null);

// An element of @name with properties (or, with a dash, attributes) and children.
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const colourOf = (index) => `var(--model-${index % 6})`;
const dotOf = (index) => {
  const dot = make("span", {className: "dot"});
  dot.style.setProperty("--colour", colourOf(index));
  return dot;
};

// Numbers for people; null is that of equal pictures, which differ in nothing.
const decibels = (value) => value === null ? "equal" : `${value.toFixed(2)} dB`;
const bytes = (value) => value === 0 ? "none" : value < 1 << 20 ? `${(value / 1024).toFixed(0)} KiB`
  : value < 1 << 30 ? `${(value / (1 << 20)).toFixed(0)} MiB` : `${(value / 2 ** 30).toFixed(2)} GiB`;

// Header and table.

function fillSummary() {
  const clip = data.clip;
  const parts = [`${clip.width} × ${clip.height}`, clip.format];
  if (clip.fps) {
    const [n, d] = clip.fps.split("/");
    parts.push(`${Number((n / d).toFixed(3))} frames a second`);
  }
  parts.push(`${data.compared.length} of ${clip.frames} frames made again`);
  if (data.cuts.length) parts.push(`${data.cuts.length} at scene cuts left out`);
  if (data.repeats) parts.push(`${data.repeats} repeated ones left out`);
  find("summary").textContent = parts.join(" · ");
}

const COLUMNS = [
  // Those with a value have a best one: the highest.
  {title: "PSNR", value: (m) => m.psnr ?? Infinity, text: (m) => decibels(m.psnr)},
  {title: "PSNR, RGB", value: (m) => m.psnr_rgb ?? Infinity, text: (m) => decibels(m.psnr_rgb)},
  {title: "SSIM", value: (m) => m.ssim, text: (m) => m.ssim.toFixed(4)},
  {title: "Worst frame", value: (m) => m.frame_psnr[m.worst] ?? Infinity,
    text: (m) => decibels(m.frame_psnr[m.worst])},
  {title: "Pictures a second",
    text: (m) => m.fps < 10 ? m.fps.toFixed(2) : m.fps.toFixed(1)},
  {title: "Memory", text: (m) => bytes(m.memory)},
];

function aboutModel(model) {
  const name = model.family && model.model.startsWith(model.family) ? "" : model.family;
  const parts = [[name, name ? model.variant : ""].filter(Boolean).join(" "), model.device,
    model.precision, model.tiles > 1 ? `${model.tiles} tiles` : "", model.licence];
  return parts.filter(Boolean).join(", ");
}

function fillTable() {
  const head = make("tr", {}, make("th", {scope: "col"}, "Model"));
  const body = make("tbody");
  for (const column of COLUMNS) head.append(make("th", {scope: "col"}, column.title));
  data.models.forEach((model, index) => {
    const row = make("tr", {}, make("th", {scope: "row"}, dotOf(index), model.label,
      make("small", {}, aboutModel(model))));
    if (model.problem !== null)
      row.append(make("td", {colSpan: COLUMNS.length, className: "problem"},
        `not compared: ${model.problem}`));
    for (const column of model.problem === null ? COLUMNS : []) {
      const isBest = compared.length > 1 && column.value &&
        column.value(model) === Math.max(...compared.map(column.value));
      row.append(make("td", {className: isBest ? "best" : ""}, column.text(model)));
    }
    body.append(row);
  });
  find("table").append(make("thead", {}, head), body);
}

// Pictures of a frame, by key: "truth", "first", "last", a model's index, and "d" with a model's
// index for its difference from the truth.

const state = {frame: 0, left: "truth", right: "", split: 0.5, zoom: 1, x: 0, y: 0, gain: 8};

const keys = () => ["truth", ...compared.map((m) => `${m.index}`),
  ...compared.map((m) => `d${m.index}`), "first", "last"];

function nameOf(key) {
  if (key === "truth") return "Truth";
  if (key === "first") return "Frame before";
  if (key === "last") return "Frame after";
  return key[0] === "d" ? `Difference of ${data.models[key.slice(1)].label}` : data.models[key].label;
}

function figuresOf(key, frame) {
  const model = data.models[key[0] === "d" ? key.slice(1) : key];
  if (!model) return "";
  const at = data.shown[frame].at;
  return `${decibels(model.frame_psnr[at])} · SSIM ${model.frame_ssim[at].toFixed(4)}`;
}

const imageOf = (frame, which) => find(`picture-${frame}-${which}`);

function pixelsOf(image) {
  const canvas = make("canvas", {width: image.naturalWidth, height: image.naturalHeight});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

// Differences are shown around grey: brighter where the model is brighter than the truth.
function drawDifference(context, frame, model) {
  const truth = pixelsOf(imageOf(frame, "truth"));
  const made = pixelsOf(imageOf(frame, model));
  for (let i = 0; i < made.data.length; i++)
    if (i % 4 !== 3) made.data[i] = 128 + (made.data[i] - truth.data[i]) * state.gain;
  context.putImageData(made, 0, 0);
}

function draw(canvas, frame, key) {
  const image = imageOf(frame, key[0] === "d" ? key.slice(1) : key);
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  if (key[0] === "d") drawDifference(canvas.getContext("2d"), frame, key.slice(1));
  else canvas.getContext("2d").drawImage(image, 0, 0);
}

// The viewer.

const stage = find("stage");
const canvases = {left: stage.querySelector("#left-layer canvas"),
  right: stage.querySelector("#right-layer canvas")};

function showSide(side) {
  const key = state[side], figures = figuresOf(key, state.frame);
  draw(canvases[side], state.frame, key);
  find(side).value = key;
  find(`${side}-tag`).textContent = nameOf(key) + (figures ? ` — ${figures}` : "") +
    (key[0] === "d" ? ` · × ${state.gain}` : "");
  for (const button of document.querySelectorAll("#gallery button"))
    button.setAttribute("aria-pressed", [state.left, state.right].includes(button.dataset.key));
}

function choose(side, key) {
  state[side] = key;
  showSide(side);
}

function moveSplit(split) {
  state.split = Math.min(1, Math.max(0, split));
  stage.style.setProperty("--split", `${state.split * 100}%`);
  find("slider").value = Math.round(state.split * 1000);
}

// Zoom 1 is the whole picture; x and y are the upper left corner, in stage widths and heights.
function applyZoom() {
  const most = 1 - 1 / state.zoom, scale = stage.clientWidth / canvases.left.width * state.zoom;
  state.x = Math.min(most, Math.max(0, state.x));
  state.y = Math.min(most, Math.max(0, state.y));
  const shift = `translate(${-state.x * state.zoom * 100}%, ${-state.y * state.zoom * 100}%)`;
  for (const canvas of Object.values(canvases))
    canvas.style.transform = `${shift} scale(${state.zoom})`;
  stage.classList.toggle("zoomed", state.zoom > 1);
  stage.classList.toggle("coarse", scale >= 2);
  find("zoom-value").textContent = `${Math.round(scale * 100)} %`;
}

// Zooms so that what is at @u, @v of the stage (0 to 1) stays there.
function zoomTo(zoom, u = 0.5, v = 0.5) {
  const next = Math.min(32, Math.max(1, zoom));
  state.x += u / state.zoom - u / next;
  state.y += v / state.zoom - v / next;
  state.zoom = next;
  applyZoom();
}

const zoomActual = () => zoomTo(canvases.left.width / stage.clientWidth);

function placeIn(event) {
  const box = stage.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function dragStage(event) {
  const pan = state.zoom > 1 && !event.target.closest("#split");
  let [u, v] = placeIn(event);
  const move = (moved) => {
    const [nextU, nextV] = placeIn(moved);
    if (pan) {
      state.x -= (nextU - u) / state.zoom;
      state.y -= (nextV - v) / state.zoom;
      applyZoom();
    } else {
      moveSplit(nextU);
    }
    [u, v] = [nextU, nextV];
  };
  if (!pan) moveSplit(u);
  stage.focus({preventScroll: true});
  stage.setPointerCapture(event.pointerId);
  stage.classList.toggle("moving", pan);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("lostpointercapture", () => {
    stage.removeEventListener("pointermove", move);
    stage.classList.remove("moving");
  }, {once: true});
}

// Frames.

function reasonText(reason) {
  const what = ["typical (median)", "worst", "second worst", "third worst"][reason.rank];
  return `${what} of ${data.models[reason.model].label}`;
}

function fillList() {
  data.shown.forEach((shown, frame) => {
    const place = data.compared[shown.at];
    const reasons = shown.reasons.map((reason) =>
      make("small", {}, dotOf(reason.model), reasonText(reason)));
    find("list").append(make("button", {type: "button", onclick: () => showFrame(frame)},
      make("b", {}, place.clock, make("span", {}, `frame ${place.frame}`)), ...reasons));
  });
}

function thumbnail(frame, key) {
  const canvas = make("canvas");
  draw(canvas, frame, key);
  return make("button", {type: "button", "data-key": key, "aria-label": nameOf(key),
    title: `${nameOf(key)}: click for the right, with Shift for the left`,
    onclick: (event) => choose(event.shiftKey ? "left" : "right", key)}, canvas);
}

// A column each: the truth above its neighbours, every model above its difference.
function fillGallery(frame) {
  const truth = make("figure", {}, thumbnail(frame, "truth"),
    make("div", {className: "pair"}, thumbnail(frame, "first"), thumbnail(frame, "last")),
    make("figcaption", {}, "Truth", make("small", {}, "below: the frames before and after")));
  const models = compared.map((model) => make("figure", {}, thumbnail(frame, `${model.index}`),
    thumbnail(frame, `d${model.index}`), make("figcaption", {}, dotOf(model.index), model.label,
      make("small", {}, figuresOf(`${model.index}`, frame)))));
  find("gallery").replaceChildren(truth, ...models);
}

const imagesOf = (frame) => [...document.querySelectorAll(`img[id^="picture-${frame}-"]`)];

// Pictures are decoded when they are looked at; the last frame that was asked for wins.
async function showFrame(frame) {
  state.frame = frame;
  await Promise.all(imagesOf(frame).map((image) => image.decode()));
  if (state.frame === frame) fillFrame(frame);
}

function fillFrame(frame) {
  const place = data.compared[data.shown[frame].at], [x, y, width, height] = data.shown[frame].part;
  const isPart = width < data.clip.width || height < data.clip.height;
  document.documentElement.style.setProperty("--shape", width * data.clip.pixel_aspect / height);
  find("gallery-title").textContent = `All pictures of frame ${place.frame}, ${place.clock}` +
    (isPart ? ` (${width} × ${height} pixels from ${x}, ${y}, where most moves)` : "");
  fillGallery(frame);
  showSide("left");
  showSide("right");
  applyZoom();
  [...find("list").children].forEach((button, index) =>
    index === frame ? button.setAttribute("aria-current", "true")
      : button.removeAttribute("aria-current"));
  for (const mark of document.querySelectorAll(".mark"))
    mark.classList.toggle("current", Number(mark.dataset.frame) === frame);
}

// Charts.

// The page holds no address of anything, not even of a namespace.
const SVG = find("chart-space").namespaceURI;
const CHART = {width: 640, height: 220, left: 44, right: 10, top: 8, bottom: 38};

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// About @n round numbers from @low to @high.
function ticks(low, high, n) {
  const rough = (high - low) / n || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const result = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    result.push(Number((i * step).toPrecision(12)));
  return result;
}

function chartScales() {
  const values = compared.flatMap((model) => model.frame_psnr).filter((v) => v !== null);
  const times = data.compared.map((place) => place.time);
  // Not with "...": a call takes some ten thousand arguments, and clips have more frames.
  const low = Math.floor(values.reduce((a, b) => Math.min(a, b), 60) - 0.5);
  const high = Math.ceil(values.reduce((a, b) => Math.max(a, b), low + 2) + 0.5);
  const begin = times[0], end = Math.max(times[times.length - 1], begin + 1e-3);
  const {width, height, left, right, top, bottom} = CHART;
  return {
    low, high, begin, end,
    x: (time) => left + (time - begin) / (end - begin) * (width - left - right),
    y: (value) => top + (high - value) / (high - low) * (height - top - bottom),
  };
}

// Gaps are where pictures are equal.
function pathOf(model, scales) {
  let path = "", pen = "M";
  model.frame_psnr.forEach((value, at) => {
    if (value === null) { pen = "M"; return; }
    path += `${pen}${scales.x(data.compared[at].time).toFixed(1)} ${scales.y(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
}

function axes(scales) {
  const {width, height, left, right, bottom} = CHART, parts = [];
  for (const value of ticks(scales.low, scales.high, 6)) {
    const y = scales.y(value);
    parts.push(svg("line", {class: "grid", x1: left, x2: width - right, y1: y, y2: y}),
      svg("text", {x: left - 6, y: y + 4, "text-anchor": "end"}, `${value}`));
  }
  for (const value of ticks(scales.begin, scales.end, 8))
    parts.push(svg("text", {x: scales.x(value), y: height - bottom + 15, "text-anchor": "middle"},
      `${value}`));
  parts.push(svg("text", {x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle"},
    "time in the clip, s"),
  svg("text", {"text-anchor": "middle", transform: `translate(11 ${(height - bottom) / 2}) rotate(-90)`},
    "PSNR, dB"));
  return parts;
}

function marksOf(model, scales) {
  return data.shown.flatMap((shown, frame) => {
    const reasons = shown.reasons.filter((reason) => reason.model === model.index);
    const value = model.frame_psnr[shown.at], place = data.compared[shown.at];
    if (!reasons.length || value === null) return [];
    const mark = svg("circle", {class: "mark", "data-frame": frame, cx: scales.x(place.time),
      cy: scales.y(value), r: 4.5}, svg("title", {},
      `${place.clock}, ${decibels(value)}: ${reasons.map(reasonText).join(", ")}`));
    mark.addEventListener("click", () => showFrame(frame));
    return [mark];
  });
}

function fillCharts() {
  const scales = chartScales();
  for (const model of compared) {
    const chart = svg("svg", {viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img",
      "aria-label": `PSNR of ${model.label}, frame by frame`}, ...axes(scales));
    chart.style.setProperty("--colour", colourOf(model.index));
    for (const cut of data.cuts.filter((c) => c.time > scales.begin && c.time < scales.end))
      chart.append(svg("line", {class: "cut", x1: scales.x(cut.time), x2: scales.x(cut.time),
        y1: CHART.top, y2: CHART.height - CHART.bottom}, svg("title", {}, `scene cut, ${cut.clock}`)));
    for (const other of compared)
      if (other !== model) chart.append(svg("path", {class: "other", d: pathOf(other, scales)}));
    if (model.psnr !== null)
      chart.append(svg("line", {class: "mean", x1: CHART.left, x2: CHART.width - CHART.right,
        y1: scales.y(model.psnr), y2: scales.y(model.psnr)}));
    chart.append(svg("path", {class: "own", d: pathOf(model, scales)}), ...marksOf(model, scales));
    find("charts").append(make("figure", {}, make("figcaption", {}, dotOf(model.index), model.label,
      make("small", {}, ` — ${decibels(model.psnr)} in all`)), chart));
  }
  find("charts-note").textContent = "PSNR of luma; dashed: of all frames together; grey: the other " +
    "models; circles: frames shown above." + (data.cuts.length ? " Dotted: scene cuts." : "");
}

// Everything together.

function nextModel(step) {
  const names = compared.map((m) => `${m.index}`);
  const at = names.indexOf(state.right.replace("d", ""));
  choose("right", names[(at + step + names.length) % names.length]);
}

function toggleDifference() {
  const key = state.right;
  choose("right", key[0] === "d" ? key.slice(1) : data.models[key] ? `d${key}` : `d${compared[0].index}`);
}

function swap() {
  [state.left, state.right] = [state.right, state.left];
  showSide("left");
  showSide("right");
}

function toggleTheme() {
  const root = document.documentElement;
  const isDark = getComputedStyle(root).colorScheme === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
}

const step = (by) => showFrame((state.frame + by + data.shown.length) % data.shown.length);
const KEYS = {
  ArrowLeft: () => moveSplit(state.split - 0.02), ArrowRight: () => moveSplit(state.split + 0.02),
  ArrowUp: () => step(-1), ArrowDown: () => step(1),
  "+": () => zoomTo(state.zoom * 1.5), "=": () => zoomTo(state.zoom * 1.5),
  "-": () => zoomTo(state.zoom / 1.5), "0": () => zoomTo(1), "1": zoomActual,
  m: (event) => nextModel(event.shiftKey ? -1 : 1), d: toggleDifference, x: swap, t: toggleTheme,
};

function onKey(event) {
  const busy = event.target.closest("select, input");
  // Letters are the same with Caps Lock.
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (busy || event.ctrlKey || event.metaKey || event.altKey || !(key in KEYS)) return;
  event.preventDefault();
  KEYS[key](event);
}

function onWheel(event) {
  if (document.activeElement !== stage && !event.ctrlKey) return;
  event.preventDefault();
  zoomTo(state.zoom * 1.0015 ** -event.deltaY, ...placeIn(event));
}

function listen() {
  for (const side of ["left", "right"]) {
    find(side).append(...keys().map((key) => make("option", {value: key}, nameOf(key))));
    find(side).addEventListener("change", (event) => choose(side, event.target.value));
  }
  find("slider").addEventListener("input", (event) => moveSplit(event.target.value / 1000));
  find("gain").addEventListener("input", (event) => {
    state.gain = 2 ** event.target.value;
    find("gain-value").textContent = state.gain;
    showFrame(state.frame);
  });
  find("gain-value").textContent = state.gain;
  find("swap").addEventListener("click", swap);
  find("zoom-in").addEventListener("click", () => zoomTo(state.zoom * 1.5));
  find("zoom-out").addEventListener("click", () => zoomTo(state.zoom / 1.5));
  find("fit").addEventListener("click", () => zoomTo(1));
  find("actual").addEventListener("click", zoomActual);
  find("theme").addEventListener("click", toggleTheme);
  stage.addEventListener("pointerdown", dragStage);
  stage.addEventListener("wheel", onWheel, {passive: false});
  stage.addEventListener("dblclick", (event) =>
    event.target.closest("#split") || zoomTo(state.zoom * 2, ...placeIn(event)));
  document.addEventListener("keydown", onKey);
  addEventListener("resize", applyZoom);
}

async function begin() {
  fillSummary();
  fillTable();
  state.right = `${compared.reduce((a, b) => (b.psnr ?? 1e9) > (a.psnr ?? 1e9) ? b : a).index}`;
  listen();
  fillList();
  fillCharts();
  moveSplit(0.5);
  await showFrame(Math.max(0, data.shown.findIndex((shown) =>
    shown.reasons.some((r) => r.rank === 1 && `${r.model}` === state.right))));
  document.documentElement.dataset.ready = "true";
}

begin();
