// SPDX-License-Identifier: MIT
// The frame view of takt: shows the capture that frame_view.cpp put into the page. Names come from
// the program and are only ever text: textContent and fillText, never markup.
"use strict";
(() => {

const startedAt = performance.now();
const byId = id => document.getElementById(id);
const capture = JSON.parse(byId("capture").textContent);
const {names, kinds, frames} = capture;
const kShareWords = {parallel: "parallel work", serial: "serial", waiting: "waiting"};
const kindOf = Object.fromEntries(kinds.map((kind, number) => [kind, number]));
const shapes = capture.shapes.map(([kind, depth, name, actor]) => ({kind, depth, name, actor}));

const kRowHeight = 16;
const kRulerHeight = 22;
const kGroupHeight = 20;
const kPlotHeight = 46;
const kBarMax = 48; // of a frame in the strip, however few there are
const kPlotsMax = 32;
const kListMax = 12;   // phases shown at first
const kTableMax = 100; // rows shown at first
const kArrowsMax = 200;
const kWindowNsMin = 100;
const kFont = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

// What letters take on average: labels are cut by it rather than measured.
const kCharWidth = (() => {
    const context = document.createElement("canvas").getContext("2d");
    context.font = kFont;
    return context.measureText("Handler of the path_step, abcdefg 0123").width / 38 * 1.04;
})();

// ---- The capture ----

// The first position whose value does not satisfy `before`; the values that do come first.
function partition(count, before) {
    let low = 0, high = count;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (before(middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

function summed(differences) {
    const values = new Float64Array(differences.length);
    let at = 0;
    for (let i = 0; i < values.length; ++i)
        values[i] = at += differences[i];
    return values;
}

function pairs(flat) {
    const map = new Map();
    for (let i = 0; i < flat.length; i += 2)
        map.set(Number(flat[i]), flat[i + 1]);
    return map;
}

// Scope numbers by depth. In a row scopes do not overlap, so begins and ends both rise.
function rowsOf(shape) {
    const counts = [];
    for (const number of shape) {
        const {depth} = shapes[number];
        while (counts.length <= depth)
            counts.push(0);
        ++counts[depth];
    }
    const rows = counts.map(count => new Uint32Array(count));
    const filled = counts.map(() => 0);
    shape.forEach((number, i) => {
        const {depth} = shapes[number];
        rows[depth][filled[depth]++] = i;
    });
    return rows;
}

function decodeLane(raw, number) {
    const shape = Uint32Array.from(raw.shape);
    const begin = summed(raw.begin);
    const end = begin.map((at, i) => at + raw.length[i]);
    return {number, name: raw.name, worker: raw.worker, cpu: raw.cpu, group: raw.group,
            dropped: raw.dropped, shape, begin, end, rows: rowsOf(shape), notes: pairs(raw.notes),
            tasks: pairs(raw.tasks)};
}

const lanes = capture.lanes.map(decodeLane);
const workers = lanes.filter(lane => lane.worker >= 0);
const scopeCount = lanes.reduce((sum, lane) => sum + lane.shape.length, 0);
const serialLane = lanes.find(lane => lane.worker < 0);
const serialPhases = serialLane
    ? Array.from(serialLane.shape.keys())
        .filter(i => shapes[serialLane.shape[i]].kind === kindOf.serial)
    : [];
const flowSent = summed(capture.flows.sent);
const flowHandled = flowSent.map((sent, i) => sent + capture.flows.wait[i]);
for (const frame of frames) {
    frame.end = frame.begin + frame.length;
    frame.over = capture.budget > 0 && frame.length > capture.budget;
    // wait is of all workers together; a share of the frame is what one of them waited.
    const wait = workers.length > 0 ? frame.wait / workers.length : 0;
    const work = Math.max(0, frame.parallel - wait);
    frame.shares = {parallel: work, serial: frame.serial, waiting: wait};
    frame.most = Object.keys(frame.shares).reduce(
        (most, share) => frame.shares[share] > frame.shares[most] ? share : most);
}

const nameOf = index => index < 0 ? "" : names[index];

function labelOf(lane, i) {
    const {kind, name} = shapes[lane.shape[i]];
    if (kind === kindOf.frame)
        return "frame " + (lane.notes.get(i) ?? 0);
    return nameOf(name) || (kind === kindOf.wait ? "waiting" : kinds[kind]);
}

function firstEndingAfter(lane, row, time) {
    return partition(row.length, p => lane.end[row[p]] <= time);
}

// The same, from a position on, for what is near it.
function nextEndingAfter(lane, row, from, time) {
    let span = 1;
    while (from + span < row.length && lane.end[row[from + span]] <= time)
        span *= 2;
    return from + partition(Math.min(span, row.length - from),
                            p => lane.end[row[from + p]] <= time);
}

// Flow numbers by one end, sorted by its time; made when a scope of the lane is first pointed at.
function flowIndex(ends, times) {
    const made = new Map();
    return lane => {
        if (!made.has(lane)) {
            const mine = [];
            ends.forEach((end, flow) => { if (end === lane) mine.push(flow); });
            made.set(lane, mine.sort((a, b) => times[a] - times[b]));
        }
        return made.get(lane);
    };
}
const flowsInto = flowIndex(capture.flows.to, flowHandled);
const flowsOutOf = flowIndex(capture.flows.from, flowSent);

function flowsWithin(sorted, times, begin, end) {
    return sorted.slice(partition(sorted.length, p => times[sorted[p]] < begin),
                        partition(sorted.length, p => times[sorted[p]] <= end));
}

// ---- Words ----

function duration(ns) {
    const size = Math.abs(ns);
    if (size < 1e3)
        return Math.round(ns) + " ns";
    const [value, unit] = size < 1e6 ? [ns / 1e3, "\u00b5s"] : size < 1e9 ? [ns / 1e6, "ms"]
                                                                           : [ns / 1e9, "s"];
    return value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0) + " " + unit;
}

const count = number => Number(number).toLocaleString("en");
const plural = (number, word) => count(number) + " " + word + (Number(number) === 1 ? "" : "s");
const percent = share => (share * 100).toFixed(share < 0.0995 ? 1 : 0) + " %";
const shortened = (text, length) =>
    text.length <= length ? text : text.slice(0, Math.max(1, length - 1)) + "\u2026";

function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className)
        made.className = className;
    if (text !== undefined)
        made.textContent = text;
    return made;
}

function say(text) { byId("said").textContent = text; }

// ---- Colours ----

const kColours = ["ink", "muted", "line", "panel", "lane", "over", "parallel", "serial", "waiting",
                  "handler", "commit", "task", "claim", "user", "frame", "rest", "hatch", "band",
                  "focus"];
const kPaintOfKind = {frame: "frame", stage: "frame", round: "frame", parallel: "parallel",
                      serial: "serial", handler: "handler", commit: "commit", task: "task",
                      claim: "claim", wait: "hatch", idle: "rest", park: "rest", user: "user"};
const colour = {};
const paints = []; // by shape: {fill, text, narrow: where it is a pixel wide}
let theme = "auto";

function channels(hex) { return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)); }

// Neighbours of one kind differ a little, by name: the colour stays that of the kind.
function shade(hex, name) {
    const step = [0, 0.14, -0.1, 0.26][(name * 7 + 3) & 3];
    const to = step > 0 ? 255 : 0;
    const mixed = channels(hex).map(c => Math.round(c + (to - c) * Math.abs(step)));
    return "#" + mixed.map(c => c.toString(16).padStart(2, "0")).join("");
}

function textOn(hex) {
    const [r, g, b] = channels(hex).map(c => (c / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#10151a" : "#ffffff";
}

function hatched(context, stripe, ground) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const c = tile.getContext("2d");
    c.fillStyle = ground;
    c.fillRect(0, 0, 8, 8);
    c.strokeStyle = stripe;
    c.lineWidth = 1.6;
    c.beginPath();
    for (const x of [-8, 0, 8]) {
        c.moveTo(x - 1, 9);
        c.lineTo(x + 9, -1);
    }
    c.stroke();
    return context.createPattern(tile, "repeat");
}

function applyTheme() {
    const dark = theme === "dark" ||
        (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    byId("theme").textContent = "Theme: " + theme;
    const style = getComputedStyle(document.documentElement);
    for (const name of kColours)
        colour[name] = style.getPropertyValue("--" + name).trim();
    const hatch = hatched(lanesView.context, colour.hatch, colour.lane);
    shapes.forEach(({kind, name}, number) => {
        const word = kinds[kind];
        const base = colour[kPaintOfKind[word] ?? "user"];
        const varied = ["handler", "commit", "user", "task"].includes(word);
        const fill = varied ? shade(base, name) : base;
        const rests = ["wait", "idle", "park"].includes(word);
        paints[number] = {fill: word === "wait" ? hatch : fill, narrow: base,
                          text: rests ? colour.muted : textOn(fill)};
    });
    legends(hatch);
    redraw();
}

function legends(hatch) {
    const entry = (paint, text) => {
        const item = element("li");
        const key = element("canvas");
        key.width = 14;
        key.height = 10;
        const context = key.getContext("2d");
        context.fillStyle = paint;
        context.fillRect(0, 0, 14, 10);
        item.append(key, text);
        return item;
    };
    const over = capture.budget > 0 ? [entry(colour.over, "over budget")] : [];
    byId("strip-legend").replaceChildren(
        ...Object.entries(kShareWords).map(([share, word]) => entry(colour[share], word)), ...over);
    const present = new Set(shapes.map(({kind}) => kinds[kind]));
    byId("lane-legend").replaceChildren(
        ...["handler", "commit", "task", "user", "claim"].filter(kind => present.has(kind))
            .map(kind => entry(colour[kind], kind)),
        entry(hatch, "at the barrier"), entry(colour.rest, "idle"),
        entry(colour.serial, "serial phase"));
}

// ---- Drawing ----

const state = {
    selected: -1,
    from: 0, to: Math.max(capture.end, 1), // the time that the lanes show
    hovered: null,                         // {lane, index}
    held: false,                           // by a click: the tip stays
    query: "",
    matches: null, // by shape, when there is a query
    firstPaint: 0, redraws: 0, lastRedraw: 0, worstRedraw: 0, drawn: 0,
};

function sized(canvas, width, height) {
    const scale = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== w || canvas.height !== h) {
        canvas.width = w;
        canvas.height = h;
        canvas.style.width = width + "px";
        canvas.style.height = height + "px";
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = kFont;
    context.textBaseline = "middle";
    return context;
}

let redrawAsked = false;
let overlayAsked = false;

function redraw() {
    if (!redrawAsked)
        requestAnimationFrame(drawAll);
    redrawAsked = true;
}

function redrawOverlay() {
    if (!overlayAsked && !redrawAsked)
        requestAnimationFrame(() => { overlayAsked = false; drawOverlay(); });
    overlayAsked = true;
}

function drawAll() {
    const begin = performance.now();
    redrawAsked = overlayAsked = false;
    state.drawn = 0;
    if (frames.length > 0) {
        drawStrip();
        drawLanes();
        drawOverlay();
        drawPlots();
    }
    state.lastRedraw = performance.now() - begin;
    state.worstRedraw = Math.max(state.worstRedraw, state.lastRedraw);
    if (++state.redraws === 1)
        state.firstPaint = performance.now();
}

// ---- The strip of frames ----

const strip = {box: byId("strip"), canvas: byId("strip-canvas"), step: 1};

function drawStrip() {
    const {clientWidth: width, clientHeight: height} = strip.box;
    const c = sized(strip.canvas, width, height);
    const most = frames.reduce((max, frame) => Math.max(max, frame.length), capture.budget * 1.15);
    const floor = height - 10, top = 12;
    const yOf = ns => floor - ns / (most || 1) * (floor - top);
    const step = strip.step = Math.min(kBarMax, width / frames.length);
    const gap = step >= 4 ? 1 : 0;
    // Where frames are narrower than a pixel, the longest of it is drawn last.
    const order = step >= 1 ? frames.keys()
        : Array.from(frames.keys()).sort((a, b) => frames[a].length - frames[b].length);
    for (const i of order) {
        const frame = frames[i];
        const x = i * step, wide = Math.max(1, step - gap), y = yOf(frame.length);
        c.fillStyle = colour[frame.most];
        c.fillRect(x, Math.min(y, floor - 1), wide, Math.max(1, floor - y));
        if (frame.over) {
            c.fillStyle = colour.over;
            c.fillRect(x, y - 4, Math.max(wide, 1.5), 4);
        }
    }
    if (capture.budget > 0) {
        const y = Math.round(yOf(capture.budget)) + 0.5;
        c.strokeStyle = colour.ink;
        c.setLineDash([4, 3]);
        c.beginPath();
        c.moveTo(0, y);
        c.lineTo(width, y);
        c.stroke();
        c.setLineDash([]);
        textOver(c, "budget " + duration(capture.budget), 4, y - 8);
    }
    if (state.selected >= 0) {
        const x = state.selected * step + (step - gap) / 2;
        c.fillStyle = colour.ink;
        c.beginPath();
        c.moveTo(x, floor + 1);
        c.lineTo(x - 6, height);
        c.lineTo(x + 6, height);
        c.fill();
        c.strokeStyle = colour.ink;
        const wide = Math.max(3, step - gap);
        c.strokeRect(x - wide / 2, top - 8, wide, floor - top + 8);
    }
}

// Text with a rim of the ground's colour: readable over bars and lines.
function textOver(c, text, x, y) {
    c.lineWidth = 3;
    c.strokeStyle = colour.panel;
    c.strokeText(text, x, y);
    c.lineWidth = 1;
    c.fillStyle = colour.ink;
    c.fillText(text, x, y);
}

function frameAt(clientX) {
    const box = strip.canvas.getBoundingClientRect();
    const i = Math.floor((clientX - box.left) / strip.step);
    return Math.min(Math.max(i, 0), frames.length - 1);
}

function frameLines(frame) {
    const shares = Object.entries(frame.shares);
    return [duration(frame.length) + (frame.over ? ", over budget" : ""),
            ...shares.map(([share, ns]) => kShareWords[share] + " " + duration(ns))];
}

strip.box.addEventListener("pointerdown", event => {
    strip.box.setPointerCapture(event.pointerId);
    select(frameAt(event.clientX));
});
strip.box.addEventListener("pointermove", event => {
    const i = frameAt(event.clientX);
    if (event.buttons & 1)
        select(i);
    if (event.pointerType === "mouse")
        showTip("frame " + frames[i].number, frameLines(frames[i]), event.clientX, event.clientY);
});
strip.box.addEventListener("pointerleave", hideTip);

function select(i) {
    i = Math.min(Math.max(i, 0), frames.length - 1);
    if (frames.length === 0)
        return;
    const frame = frames[i];
    state.selected = i;
    release();
    fit();
    const facts = frameLines(frame);
    const line = byId("chosen");
    line.replaceChildren(
        element("b", "", "Frame " + frame.number),
        ...facts.map((fact, k) => element("span", k === 0 && frame.over ? "over" : "", fact)));
    strip.box.setAttribute("aria-valuenow", i + 1);
    strip.box.setAttribute("aria-valuemax", frames.length);
    strip.box.setAttribute("aria-valuetext", "frame " + frame.number + ", " + facts.join(", "));
    byId("lanes-canvas").setAttribute("aria-label",
        "Lanes of frame " + frame.number + ": " + facts.join(", ") + ", " +
        plural(workers.length, "worker") + ", " + plural(frame.phases.length, "parallel phase"));
    listPhases(kListMax);
}

function slowest() {
    return frames.reduce((most, frame, i) => frame.length > frames[most].length ? i : most, 0);
}

function fit() {
    const frame = frames[state.selected];
    const margin = Math.max(frame.length * 0.015, kWindowNsMin);
    show(frame.begin - margin, frame.end + margin);
}

// ---- Lanes ----

const lanesView = {
    box: byId("lanes"), space: byId("lanes-space"), stick: byId("lanes-stick"),
    canvas: byId("lanes-canvas"), context: byId("lanes-canvas").getContext("2d"),
    width: 0, height: 0, gutter: 0, total: 0, bandTop: 0,
    placed: [], // {lane, y, height}; or {group, y, height}
};

// The serial lane first, then the workers by cache group.
function placeLanes() {
    const order = lanes.slice().sort((a, b) => (a.worker >= 0) - (b.worker >= 0) ||
                                               a.group - b.group || a.worker - b.worker);
    const groups = new Set(workers.map(lane => lane.group));
    let y = kRulerHeight + 4, group = null;
    for (const lane of order) {
        if (groups.size > 1 && lane.worker >= 0 && lane.group !== group) {
            group = lane.group;
            lanesView.placed.push({group, y, height: kGroupHeight});
            y += kGroupHeight;
        }
        const height = Math.max(2, lane.rows.length) * kRowHeight;
        lanesView.placed.push({lane, y, height});
        lane.y = y;
        y += height + 6;
        if (lane === serialLane)
            lanesView.bandTop = y;
    }
    lanesView.total = y;
}

function layout() {
    const {box, space, stick} = lanesView;
    const height = Math.min(lanesView.total, Math.max(280, Math.round(innerHeight * 0.62)));
    box.style.height = height + 2 + "px";
    space.style.height = lanesView.total + "px";
    stick.style.height = height + "px";
    lanesView.gutter = space.clientWidth < 600 ? 66 : 128;
    lanesView.width = Math.max(space.clientWidth, lanesView.gutter + 40); // a window may be tiny
    lanesView.height = height;
    redraw();
}

const scale = () => (lanesView.width - lanesView.gutter) / (state.to - state.from);
const xOf = time => lanesView.gutter + (time - state.from) * scale();
const timeOf = x => state.from + (x - lanesView.gutter) / scale();

// Shows this time, as far as there is a capture; the length is kept at its ends.
function show(from, to) {
    const margin = capture.end * 0.02 + kWindowNsMin;
    const length = Math.min(Math.max(to - from, kWindowNsMin), capture.end + 2 * margin);
    const middle = (from + to) / 2;
    state.from = Math.min(Math.max(middle - length / 2, -margin), capture.end + margin - length);
    state.to = state.from + length;
    redraw();
}

function zoom(factor, x = (lanesView.width + lanesView.gutter) / 2) {
    const at = timeOf(Math.max(x, lanesView.gutter));
    const length = Math.max((state.to - state.from) / factor, kWindowNsMin);
    const share = (at - state.from) / (state.to - state.from);
    show(at - length * share, at + length * (1 - share));
}

function pan(pixels) {
    const by = pixels / scale();
    show(state.from + by, state.to + by);
}

function drawLanes() {
    const {width, height, gutter} = lanesView;
    const c = sized(lanesView.canvas, width, height);
    const scrolled = lanesView.box.scrollTop;
    for (const place of lanesView.placed) {
        const y = place.y - scrolled;
        if (y > height || y + place.height < 0)
            continue;
        if (place.lane)
            drawLane(c, place.lane, y, place.height);
        else {
            c.fillStyle = colour.muted;
            c.fillText((lanesView.gutter < 100 ? "cache " : "cache group ") + place.group, 8,
                       y + kGroupHeight / 2);
        }
    }
    drawSerialBand(c);
    drawHolders(c, scrolled);
    drawFrameEdges(c);
    drawRuler(c);
    c.fillStyle = colour.line;
    c.fillRect(gutter - 1, 0, 1, height);
}

function drawLane(c, lane, y, height) {
    const {width, gutter} = lanesView;
    c.fillStyle = colour.lane;
    c.fillRect(gutter, y, width - gutter, height);
    c.save();
    c.beginPath();
    c.rect(gutter, y, width - gutter, height);
    c.clip();
    lane.rows.forEach((row, depth) => drawRow(c, lane, row, y + depth * kRowHeight));
    c.globalAlpha = 1;
    c.restore();
    c.fillStyle = colour.ink;
    const chars = Math.floor((gutter - 12) / kCharWidth);
    const cpu = lane.worker < 0 ? "" : lane.cpu < 0 ? "not pinned" : "CPU " + lane.cpu;
    c.fillText(shortened(lane.name, chars), 8, y + kRowHeight / 2);
    c.fillStyle = colour.muted;
    c.fillText(shortened(cpu, chars), 8, y + kRowHeight * 1.5);
}

// At most one rectangle for each pixel: of the scopes in it the first is drawn, in the colour of
// its kind, and the search goes on behind it. With a query all are looked at, to miss no match.
function drawRow(c, lane, row, y) {
    const {begin, end, shape} = lane;
    const {matches} = state;
    let run = {fill: null, from: 0, to: 0, alpha: 1}; // neighbouring pixels, drawn at once
    const bar = (x, right, fill, alpha) => {
        if (fill === run.fill && x <= run.to && alpha === run.alpha) {
            run.to = right;
            return;
        }
        if (run.fill !== null) {
            c.globalAlpha = run.alpha;
            c.fillStyle = run.fill;
            c.fillRect(run.from, y + 0.5, run.to - run.from, kRowHeight - 1);
            ++state.drawn;
        }
        run = {fill, from: x, to: right, alpha};
    };
    const labels = [];
    for (let p = firstEndingAfter(lane, row, state.from); p < row.length; ++p) {
        const i = row[p];
        if (begin[i] >= state.to)
            break;
        const x = Math.max(xOf(begin[i]), lanesView.gutter - 2);
        const right = Math.min(xOf(end[i]), lanesView.width + 2);
        const paint = paints[shape[i]];
        const alpha = matches === null || matches[shape[i]] ? 1 : 0.16;
        if (right - x >= 1.5) {
            bar(x, Math.max(x + 1, right - 0.6), paint.fill, alpha);
            if (right - x > 26)
                labels.push([i, x, right, paint.text, alpha]);
            continue;
        }
        const pixel = Math.floor(x);
        if (pixel + 1 > run.to || alpha > run.alpha)
            bar(pixel, pixel + 1, paint.narrow, alpha);
        if (matches === null)
            p = nextEndingAfter(lane, row, p + 1, timeOf(pixel + 1)) - 1;
    }
    bar(Infinity, 0, null, 1);
    for (const [i, x, right, paint, alpha] of labels) {
        c.globalAlpha = alpha;
        c.fillStyle = paint;
        c.fillText(shortened(labelOf(lane, i), Math.floor((right - x - 8) / kCharWidth)), x + 4,
                   y + kRowHeight / 2 + 0.5);
    }
}

function drawSerialBand(c) {
    const {gutter, width, height} = lanesView;
    if (!serialLane)
        return;
    const {begin, end} = serialLane;
    const top = Math.max(kRulerHeight, lanesView.bandTop - lanesView.box.scrollTop);
    c.fillStyle = colour.band;
    let p = partition(serialPhases.length, k => end[serialPhases[k]] <= state.from);
    for (; p < serialPhases.length && begin[serialPhases[p]] < state.to; ++p) {
        const x = Math.max(xOf(begin[serialPhases[p]]), gutter);
        const right = Math.min(xOf(end[serialPhases[p]]), width);
        if (right - x >= 0.3)
            c.fillRect(x, top, right - x, height - top);
    }
}

// A triangle at the end of a phase, on the worker that was waited for.
function drawHolders(c, scrolled) {
    const frame = frames[state.selected];
    c.fillStyle = colour.over;
    for (const [begin, length, last] of frame.phases) {
        const x = xOf(begin + length);
        if (last < 0 || x < lanesView.gutter || x > lanesView.width || length * scale() < 8)
            continue;
        const y = lanes[last].y - scrolled;
        c.beginPath();
        c.moveTo(x, y + 8);
        c.lineTo(x - 5, y - 1);
        c.lineTo(x + 5, y - 1);
        c.fill();
    }
}

function framesInView() {
    const first = partition(frames.length, i => frames[i].end < state.from);
    const last = partition(frames.length, i => frames[i].begin <= state.to);
    return frames.slice(first, last);
}

function drawFrameEdges(c) {
    const inView = framesInView();
    if (inView.length > 200)
        return;
    c.fillStyle = colour.muted;
    for (const {begin, end} of inView)
        for (const time of [begin, end])
            if (xOf(time) >= lanesView.gutter)
                c.fillRect(Math.round(xOf(time)), kRulerHeight, 1, lanesView.height);
}

// 1, 2 or 5 times a power of ten, so that marks are about 100 pixels apart.
function markStep() {
    const least = 100 / scale();
    const power = 10 ** Math.floor(Math.log10(least));
    return power * [1, 2, 5, 10].find(factor => power * factor >= least);
}

function drawRuler(c) {
    const {width, gutter} = lanesView;
    c.fillStyle = colour.panel;
    c.fillRect(0, 0, width, kRulerHeight);
    c.fillStyle = colour.line;
    c.fillRect(0, kRulerHeight - 1, width, 1);
    const zero = frames[state.selected].begin;
    const step = markStep();
    for (let mark = Math.ceil((state.from - zero) / step); ; ++mark) {
        const x = xOf(zero + mark * step);
        if (x > width)
            break;
        c.fillStyle = colour.line;
        c.fillRect(Math.round(x), 0, 1, kRulerHeight);
        c.fillStyle = colour.muted;
        if (x < width - 44)
            c.fillText(mark === 0 ? "0" : duration(mark * step), x + 4, kRulerHeight / 2);
    }
    c.fillStyle = colour.panel;
    c.fillRect(0, 0, gutter - 1, kRulerHeight - 1);
    c.fillStyle = colour.muted;
    c.fillText(duration(state.to - state.from) + (gutter < 100 ? "" : " shown"), 8,
               kRulerHeight / 2);
}

// ---- What is pointed at ----

function scopeAt(x, y) {
    const inLanes = y + lanesView.box.scrollTop;
    if (x < lanesView.gutter || y < kRulerHeight)
        return null;
    const place = lanesView.placed.find(p => p.lane && inLanes >= p.y && inLanes < p.y + p.height);
    const row = place?.lane.rows[Math.floor((inLanes - place.y) / kRowHeight)];
    if (!row)
        return null;
    const {lane} = place;
    const p = firstEndingAfter(lane, row, timeOf(x - 1));
    return p < row.length && xOf(lane.begin[row[p]]) <= x + 1 ? {lane, index: row[p]} : null;
}

function flowsOf({lane, index}) {
    const kind = kinds[shapes[lane.shape[index]].kind];
    if (!["handler", "commit", "task", "user"].includes(kind))
        return {into: [], outOf: []};
    const [begin, end] = [lane.begin[index], lane.end[index]];
    return {into: flowsWithin(flowsInto(lane.number), flowHandled, begin, end),
            outOf: flowsWithin(flowsOutOf(lane.number), flowSent, begin, end)};
}

// y of the innermost scope of a lane at a time.
function depthAt(lane, time) {
    let depth = 0;
    lane.rows.forEach((row, d) => {
        const p = partition(row.length, k => lane.end[row[k]] < time);
        if (p < row.length && lane.begin[row[p]] <= time)
            depth = d;
    });
    return lane.y - lanesView.box.scrollTop + depth * kRowHeight + kRowHeight / 2;
}

function drawOverlay() {
    const c = sized(byId("overlay"), lanesView.width, lanesView.height);
    if (state.hovered === null || frames.length === 0)
        return;
    const {lane, index} = state.hovered;
    c.beginPath();
    c.rect(lanesView.gutter, kRulerHeight, lanesView.width, lanesView.height);
    c.clip();
    const x = xOf(lane.begin[index]), right = xOf(lane.end[index]);
    const y = lane.y - lanesView.box.scrollTop + shapes[lane.shape[index]].depth * kRowHeight;
    c.strokeStyle = colour.ink;
    c.lineWidth = 2;
    c.strokeRect(x, y, Math.max(2, right - x), kRowHeight);
    const {into, outOf} = flowsOf(state.hovered);
    for (const flow of into.concat(outOf).slice(0, kArrowsMax))
        drawArrow(c, flow);
}

function drawArrow(c, flow) {
    const [from, to] = [lanes[capture.flows.from[flow]], lanes[capture.flows.to[flow]]];
    if (!from || !to)
        return; // sent by a thread that has no lane
    const [x0, x1] = [xOf(flowSent[flow]), xOf(flowHandled[flow])];
    const [y0, y1] = [depthAt(from, flowSent[flow]), depthAt(to, flowHandled[flow])];
    const bend = Math.max(16, Math.abs(x1 - x0) / 2);
    for (const [paint, wide] of [[colour.panel, 4], [colour.ink, 1.5]]) {
        c.strokeStyle = c.fillStyle = paint;
        c.lineWidth = wide;
        c.beginPath();
        c.moveTo(x0, y0);
        c.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1 - 6, y1);
        c.stroke();
    }
    c.beginPath();
    c.moveTo(x1, y1);
    c.lineTo(x1 - 8, y1 - 4);
    c.lineTo(x1 - 8, y1 + 4);
    c.fill();
    c.beginPath();
    c.arc(x0, y0, 3, 0, 7);
    c.fill();
}

function scopeLines({lane, index}) {
    const {kind, actor} = shapes[lane.shape[index]];
    const word = kinds[kind];
    const frame = frames.find(f => lane.begin[index] < f.end) ?? frames[0];
    const lines = [word + " on " + lane.name,
                   duration(lane.end[index] - lane.begin[index]) + ", begins at " +
                   duration(lane.begin[index] - frame.begin) + " of frame " + frame.number];
    if (actor >= 0)
        lines.splice(1, 0, "actor " + shortened(nameOf(actor), 200));
    const note = lane.notes.get(index);
    if (note !== undefined && word !== "frame")
        lines.push(word === "parallel" || word === "claim" ? plural(note, "message")
                                                           : "note " + count(note));
    if (lane.tasks.has(index))
        lines.push("task " + lane.tasks.get(index));
    const {into, outOf} = flowsOf(state.hovered);
    if (into.length === 1)
        lines.push("sent " + duration(capture.flows.wait[into[0]]) + " before it ran, from " +
                   (lanes[capture.flows.from[into[0]]]?.name ?? "elsewhere"));
    else if (into.length > 1)
        lines.push("runs " + plural(into.length, "message"));
    if (outOf.length > 0)
        lines.push("sends " + plural(outOf.length, "message"));
    if (into.length + outOf.length > kArrowsMax)
        lines.push("arrows of the first " + kArrowsMax);
    return lines;
}

function showTip(title, lines, clientX, clientY) {
    const tip = byId("tip");
    tip.replaceChildren(element("b", "", shortened(title, 300)),
                        ...lines.map(line => element("div", "", line)));
    tip.hidden = false;
    const {width, height} = tip.getBoundingClientRect();
    const left = clientX + 14 + width > innerWidth - 8 ? clientX - width - 14 : clientX + 14;
    const top = clientY + 16 + height > innerHeight - 8 ? clientY - height - 12 : clientY + 16;
    tip.style.left = Math.max(8, Math.min(left, innerWidth - width - 8)) + "px";
    tip.style.top = Math.max(8, top) + "px";
}

function hideTip() { byId("tip").hidden = true; }

function point(event) {
    const box = lanesView.canvas.getBoundingClientRect();
    const found = scopeAt(event.clientX - box.left, event.clientY - box.top);
    state.hovered = found;
    if (found)
        showTip(labelOf(found.lane, found.index), scopeLines(found), event.clientX, event.clientY);
    else
        hideTip();
    redrawOverlay();
}

function release() {
    state.held = false;
    state.hovered = null;
    hideTip();
    redrawOverlay();
}

// One pointer drags, two pinch. A press that does not move holds the scope below it.
const pointers = new Map(); // id -> {x, y}
let moved = 0;

lanesView.canvas.addEventListener("pointerdown", event => {
    if (event.button !== 0)
        return;
    lanesView.canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
    moved = 0;
});
lanesView.canvas.addEventListener("pointermove", event => {
    const before = pointers.get(event.pointerId);
    if (!before) {
        if (event.pointerType === "mouse" && !state.held)
            point(event);
        return;
    }
    const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
    const other = Array.from(pointers).find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
    moved += Math.abs(dx) + Math.abs(dy);
    if (other) {
        const left = lanesView.canvas.getBoundingClientRect().left;
        const apart = x => Math.max(20, Math.abs(x - other.x));
        zoom(apart(event.clientX) / apart(before.x), (event.clientX + other.x) / 2 - left);
    } else if (moved > 4) {
        release();
        pan(-dx);
        lanesView.box.scrollTop -= dy;
    }
});
for (const end of ["pointerup", "pointercancel"])
    lanesView.canvas.addEventListener(end, event => {
        if (!pointers.delete(event.pointerId) || end === "pointercancel" || moved > 4)
            return;
        state.held = false;
        point(event);
        state.held = state.hovered !== null;
    });
lanesView.canvas.addEventListener("pointerleave", () => {
    if (!state.held)
        release();
});
lanesView.canvas.addEventListener("dblclick", () => {
    if (state.hovered === null)
        return;
    const {lane, index} = state.hovered;
    const margin = (lane.end[index] - lane.begin[index]) * 0.1;
    show(lane.begin[index] - margin, lane.end[index] + margin);
    release();
});
lanesView.canvas.addEventListener("wheel", event => {
    event.preventDefault();
    release();
    const lines = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        pan((event.deltaX || event.deltaY) * lines);
    else
        zoom(Math.exp(-event.deltaY * lines * 0.002),
             event.clientX - lanesView.canvas.getBoundingClientRect().left);
}, {passive: false});
lanesView.box.addEventListener("scroll", () => { release(); redraw(); });

// ---- Plots ----

const plots = capture.plots.slice(0, kPlotsMax)
    .map(({name, at, value}) => ({name, at: summed(at), value}));

function drawPlots() {
    if (plots.length === 0)
        return;
    const canvas = byId("plots");
    const c = sized(canvas, lanesView.width, plots.length * kPlotHeight + 4);
    plots.forEach((plot, k) => drawPlot(c, plot, k * kPlotHeight + 4));
}

// Where several values share a pixel, the line goes through the least and the greatest of them. No
// number is a gap.
function plotLine(c, {at, value}, first, last, yOf) {
    c.strokeStyle = colour.parallel;
    c.lineWidth = 1.5;
    c.beginPath();
    for (let p = first, begun = false; p < last; ) {
        const pixel = Math.floor(xOf(at[p]));
        const here = [];
        for (; p < last && Math.floor(xOf(at[p])) === pixel; ++p)
            if (value[p] !== null)
                here.push(value[p]);
        const ends = here.length > 2 ? [here[0], ...extremes(here), here.at(-1)] : here;
        for (const end of ends) {
            c[begun ? "lineTo" : "moveTo"](pixel, yOf(end));
            begun = true;
        }
        begun = begun && here.length > 0;
    }
    c.stroke();
}

function extremes(values) {
    let least = Infinity, most = -Infinity;
    for (const value of values)
        if (value !== null) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
    return [least, most];
}

function drawPlot(c, plot, y) {
    const {at, value} = plot;
    const {gutter, width} = lanesView;
    const first = Math.max(0, partition(at.length, p => at[p] < state.from) - 1);
    const last = Math.min(at.length, partition(at.length, p => at[p] <= state.to) + 1);
    const [least, most] = extremes(value.slice(first, last));
    const narrow = gutter < 100; // the words stand above the line rather than beside it
    const bottom = y + kPlotHeight - 11, height = bottom - y - (narrow ? 17 : 2);
    c.fillStyle = colour.lane;
    c.fillRect(gutter, y, width - gutter, kPlotHeight - 8);
    c.save();
    c.beginPath();
    c.rect(gutter, y, width - gutter, kPlotHeight);
    c.clip();
    plotLine(c, plot, first, last,
             v => bottom - (most > least ? (v - least) / (most - least) : 0.5) * height);
    c.restore();
    const number = v => Number(v.toPrecision(6)).toLocaleString("en");
    const range = least > most ? "no number" : least === most ? number(least)
        : number(least) + " to " + number(most);
    const chars = Math.floor((narrow ? width - gutter : gutter - 12) / kCharWidth);
    const name = shortened(nameOf(plot.name), narrow ? chars >> 1 : chars);
    c.fillStyle = colour.ink;
    c.fillText(name, narrow ? gutter + 6 : 8, y + (narrow ? 8 : 10));
    c.fillStyle = colour.muted;
    c.textAlign = narrow ? "right" : "left";
    c.fillText(shortened(range, narrow ? chars >> 1 : chars), narrow ? width - 6 : 8,
               y + (narrow ? 8 : 26));
    c.textAlign = "left";
}

// ---- Who held the barrier ----

function listPhases(shown) {
    const frame = frames[state.selected];
    const items = frame.phases.slice(0, shown).map(([begin, length, lane, name, actor]) => {
        const item = element("li"), button = element("button");
        button.type = "button";
        const what = [nameOf(actor), nameOf(name)].filter(text => text !== "")
            .map(text => shortened(text, 120)).join(" \u00b7 ");
        const who = lane < 0 ? "nobody was waited for"
            : lanes[lane].name + (what ? ", in " + what : ", in nothing that has a name");
        const when = duration(length) + " at " + duration(begin - frame.begin);
        button.append(element("span", "when", when), element("span", "who", who));
        button.addEventListener("click", () => {
            release();
            show(begin - length * 0.05, begin + length * 1.05);
        });
        item.append(button);
        return item;
    });
    if (items.length === 0)
        items.push(element("li", "none", "This frame has no parallel phase."));
    byId("phases").replaceChildren(...items);
    const more = byId("phases-more");
    more.hidden = frame.phases.length <= shown;
    more.textContent = "Show all " + count(frame.phases.length) + " phases";
}
byId("phases-more").addEventListener("click", () => listPhases(Infinity));

// ---- The table ----

const pathNs = frames.reduce((sum, frame) => sum + frame.parallel + frame.serial, 0);
const rows = capture.rows.map(row => ({...row, topic: nameOf(row.name), who: nameOf(row.actor),
                                       what: kinds[row.kind],
                                       share: pathNs > 0 ? row.critical / pathNs : 0}));
const time = key => row => duration(row[key]);
const waited = key => row => row.waits > 0 ? duration(row[key]) : "\u2013";
const kColumns = [
    {key: "topic", label: "Topic", text: true}, {key: "who", label: "Actor", text: true},
    {key: "what", label: "Kind", text: true},
    {key: "count", label: "Count", show: row => count(row.count)},
    {key: "total", label: "Total", show: time("total")},
    {key: "share", label: "Critical", show: row => percent(row.share)},
    {key: "waitP50", label: "Wait p50", show: waited("waitP50")},
    {key: "waitP99", label: "Wait p99", show: waited("waitP99")},
    {key: "runP50", label: "Run p50", show: time("runP50")},
    {key: "runP99", label: "Run p99", show: time("runP99")},
    {key: "runMax", label: "Run max", show: time("runMax")},
];
const sorting = {key: "total", rising: false, shown: kTableMax};

function tableHead() {
    byId("table-head").replaceChildren(...kColumns.map(column => {
        const head = element("th", column.text ? "text" : "");
        const button = element("button", "", column.label);
        button.type = "button";
        head.scope = "col";
        head.dataset.key = column.key;
        head.append(button);
        button.addEventListener("click", () => {
            sorting.rising = sorting.key === column.key ? !sorting.rising : Boolean(column.text);
            sorting.key = column.key;
            fillTable();
        });
        return head;
    }));
}

function compare(a, b) {
    const [x, y] = [a[sorting.key], b[sorting.key]];
    const text = kColumns.find(column => column.key === sorting.key).text;
    const order = !text ? x - y : x < y ? -1 : x > y ? 1 : 0;
    return sorting.rising ? order : -order;
}

function fillTable() {
    const found = rows.filter(row => [row.topic, row.who, row.what].some(matchesQuery))
        .sort(compare);
    for (const head of byId("table-head").children) {
        const {label} = kColumns.find(column => column.key === head.dataset.key);
        const [order, sign] = head.dataset.key !== sorting.key ? ["none", ""]
            : sorting.rising ? ["ascending", " \u25b2"] : ["descending", " \u25bc"];
        head.setAttribute("aria-sort", order);
        head.firstChild.textContent = label + sign;
    }
    byId("table-body").replaceChildren(...found.slice(0, sorting.shown).map(tableRow));
    byId("table-count").textContent = found.length === rows.length ? plural(rows.length, "row")
        : count(found.length) + " of " + plural(rows.length, "row");
    const more = byId("table-more");
    more.hidden = found.length <= sorting.shown;
    more.textContent = "Show all " + count(found.length) + " rows";
}

function tableRow(row) {
    const line = element("tr");
    for (const column of kColumns) {
        const text = column.show ? column.show(row) : row[column.key] || "\u2013";
        const cell = element("td", column.text ? "text" : "", shortened(text, 400));
        if (column.text)
            cell.title = shortened(text, 400);
        if (column.key === "share" && row.share >= 0.005) {
            const bar = element("span", "share");
            bar.style.width = Math.max(2, Math.min(1, row.share) * 60) + "px";
            cell.prepend(bar);
        }
        line.append(cell);
    }
    return line;
}
byId("table-more").addEventListener("click", () => { sorting.shown = Infinity; fillTable(); });

// ---- Search, theme, help, keys ----

const matchesQuery = text => text.toLowerCase().includes(state.query);

function search() {
    state.query = byId("search").value.trim().toLowerCase();
    if (state.query === "")
        state.matches = null;
    else {
        const hits = names.map(matchesQuery);
        state.matches = shapes.map(({kind, name, actor}) =>
            hits[name] || hits[actor] || kinds[kind].includes(state.query));
    }
    fillTable();
    redraw();
}
byId("search").addEventListener("input", search);

function toggleTheme() {
    const order = ["auto", "light", "dark"];
    theme = order[(order.indexOf(theme) + 1) % order.length];
    applyTheme();
}
byId("theme").addEventListener("click", toggleTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
byId("help").addEventListener("click", () => byId("help-box").showModal());

const step = by => { select(state.selected + by); say(strip.box.getAttribute("aria-valuetext")); };
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("slowest").addEventListener("click", () => select(slowest()));
byId("zoom-in").addEventListener("click", () => zoom(1.6));
byId("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
byId("fit").addEventListener("click", fit);

const kKeysAnywhere = {
    "/": () => { byId("search").focus(); byId("search").select(); },
    "?": () => byId("help-box").showModal(),
    t: toggleTheme,
    Escape: release,
};
const kFrameKeys = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1),
    Home: () => select(0), End: () => select(frames.length - 1),
};
const kTimeKeys = {
    "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), "0": fit,
    s: () => select(slowest()),
};
const panShare = share => pan((lanesView.width - lanesView.gutter) * share);
const kLaneKeys = {
    ArrowLeft: () => panShare(-0.1), ArrowRight: () => panShare(0.1), Home: fit, End: fit,
    ArrowUp: () => { lanesView.box.scrollTop -= 48; },
    ArrowDown: () => { lanesView.box.scrollTop += 48; },
};

function keysFor(target) {
    if (frames.length === 0)
        return kKeysAnywhere;
    if (target === lanesView.canvas)
        return {...kKeysAnywhere, ...kTimeKeys, ...kLaneKeys};
    // Elsewhere arrows choose a frame, unless they scroll what has the focus.
    return target === document.body || target === strip.box || target.tagName === "BUTTON"
        ? {...kKeysAnywhere, ...kTimeKeys, ...kFrameKeys} : {...kKeysAnywhere, ...kTimeKeys};
}

document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || byId("help-box").open)
        return;
    if (event.target === byId("search")) {
        if (event.key === "Escape") {
            byId("search").value = "";
            byId("search").blur();
            search();
        }
        return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = keysFor(event.target)[key];
    if (!act)
        return;
    event.preventDefault();
    act();
});

// ---- Start ----

function describe() {
    const title = capture.title || "takt";
    byId("title").textContent = shortened(title, 200);
    document.title = shortened(title, 80) + " \u2013 frames";
    byId("summary").textContent = [
        plural(frames.length, "frame"), plural(workers.length, "worker"),
        plural(scopeCount, "scope"), duration(capture.end)].join(" \u00b7 ");
    const losses = [];
    if (Number(capture.dropped) > 0)
        losses.push(plural(capture.dropped, "record") + " of earlier frames had been " +
                    "overwritten: what is shown is whole.");
    if (Number(capture.droppedFrames) > 0)
        losses.push(plural(capture.droppedFrames, "frame") + " whose begin was overwritten " +
                    (Number(capture.droppedFrames) === 1 ? "is" : "are") + " left out.");
    if (capture.plots.length > kPlotsMax)
        losses.push("Of " + capture.plots.length + " plots the first " + kPlotsMax + " are shown.");
    byId("notice").textContent = losses.join(" ");
    byId("notice").hidden = losses.length === 0;
}

function start() {
    describe();
    tableHead();
    fillTable();
    byId("table-part").hidden = rows.length === 0;
    if (frames.length === 0) {
        document.querySelector("main").hidden = true;
        byId("empty").hidden = false;
        byId("empty").textContent = "No frame was captured. Let the runtime run a frame while it " +
            "records, then capture again.";
        applyTheme();
        return;
    }
    byId("plots").hidden = plots.length === 0;
    byId("plots").setAttribute(
        "aria-label", "Plots: " + plots.map(({name}) => shortened(nameOf(name), 40)).join(", "));
    placeLanes();
    layout();
    applyTheme();
    select(slowest());
    new ResizeObserver(layout).observe(document.body);
    addEventListener("resize", layout);
}
start();

// For tests: what is shown, and how long it took (milliseconds since the page began to load).
window.taktView = {
    frames: frames.length,
    scopes: scopeCount,
    lanes: lanesView.placed.filter(place => place.lane).map(place => place.lane.name),
    get selected() { return state.selected; },
    select,
    zoom,
    pan,
    stats: () => ({decodedAt: startedAt, firstPaint: state.firstPaint, redraws: state.redraws,
                   lastRedraw: state.lastRedraw, worstRedraw: state.worstRedraw, drawn: state.drawn,
                   from: state.from, to: state.to}),
};

})();
