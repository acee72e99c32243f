/* The bars of the lanes: where they are, and how they are drawn. No document in here but the canvas.

   Bars are drawn into the pixels of an image, not one by one with the canvas: a bar that falls into the pixels of the one
   before it costs nothing, so 100,000 are drawn as fast as the picture has pixels. */
"use strict";

holdfast.lanes = (() => {
  const { summed } = holdfast;
  const FONT = "12px system-ui, sans-serif";
  const AXIS = 34, LINE = 14;
  const PHASES = ["first request", "ramp", "first climb", "exact load", "reuse", "freed place", "called alone", "called together"];
  const OTHER = 8;

  const colourOf = (phase) => { const at = PHASES.indexOf(phase); return at < 0 ? OTHER : at; };

  /* The bars by row. A row is one thread, or one of several at once on a thread. */
  function indexed(given) {
    const id = summed(given.id), ordinal = summed(given.ordinal);
    const entered = Float64Array.from(summed(given.entered_us));
    const left = entered.map((at, bar) => at + given.lasted_us[bar]);
    const colours = given.phases.map(colourOf);
    const phases = summed(given.phase);
    const inLane = given.row ? summed(given.row) : null;
    const many = id.length, rowOf = new Int32Array(many), laneOf = new Int32Array(many);
    let bar = 0, rows = 0;
    const lanes = given.lanes.map(([pid, tid, name, own, bars], number) => {
      const lane = { pid, tid, name, rows: own, first: rows, from: bar, until: bar + bars };
      for (; bar < lane.until; bar++) {
        laneOf[bar] = number;
        rowOf[bar] = rows + (inLane ? inLane[bar] : 0);
      }
      rows += own;
      return lane;
    });
    const laneOfRow = new Int32Array(rows);
    lanes.forEach((lane, number) => laneOfRow.fill(number, lane.first, lane.first + lane.rows));
    const starts = new Int32Array(rows + 1), order = new Int32Array(many);
    for (let each = 0; each < many; each++) starts[rowOf[each] + 1]++;
    for (let row = 0; row < rows; row++) starts[row + 1] += starts[row];
    const next = starts.slice();
    for (let each = 0; each < many; each++) order[next[rowOf[each]]++] = each;
    let first = Infinity, last = -Infinity;
    for (let each = 0; each < many; each++) {
      first = Math.min(first, entered[each]);
      last = Math.max(last, left[each]);
    }
    return {
      id, ordinal, entered, left, lanes, laneOf, laneOfRow, rowOf, rows, starts, order, first, last: Math.max(last, first + 1),
      colour: Uint8Array.from(phases, (each) => colours[each]), phase: (each) => given.phases[phases[each]],
      open: new Set(given.open), processes: processes(lanes),
    };
  }

  function processes(lanes) {
    const found = [];
    for (const lane of lanes) {
      const before = found[found.length - 1];
      if (before && before.pid === lane.pid) { before.rows += lane.rows; before.threads++; }
      else found.push({ pid: lane.pid, first: lane.first, rows: lane.rows, threads: 1 });
    }
    return found;
  }

  /* The first bar of a row that has not ended by then, as a place in `order`. */
  function firstAfter(bars, row, at) {
    let low = bars.starts[row], high = bars.starts[row + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bars.left[bars.order[middle]] <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /* The bar at a point, or the nearest one within some distance in time; -1 is none. Rows below a pixel are searched together. */
  function barAt(bars, fromRow, toRow, at, within) {
    let best = -1, distance = within;
    for (let row = Math.max(0, fromRow); row <= Math.min(bars.rows - 1, toRow); row++) {
      const place = firstAfter(bars, row, at - within);
      for (let each = place; each < bars.starts[row + 1]; each++) {
        const bar = bars.order[each];
        if (bars.entered[bar] > at + within) break;
        const off = Math.max(0, bars.entered[bar] - at, at - bars.left[bar]);
        if (off <= distance) { best = bar; distance = off; }
        if (!off) return bar;
      }
    }
    return best;
  }

  const number = (hex) => parseInt(hex.slice(1), 16);
  const pixel = (red, green, blue) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
  function pixelOf(hex, factor = 1) {
    const value = number(hex);
    return pixel(...[value >> 16, value >> 8 & 255, value & 255].map((part) => Math.round(part * factor)));
  }
  function isLight(hex) {
    const value = number(hex);
    return 0.299 * (value >> 16) + 0.587 * (value >> 8 & 255) + 0.114 * (value & 255) > 115;
  }

  function palette() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    const fills = Array.from({ length: OTHER + 1 }, (_, each) => value(`--lane-${each}`));
    return {
      fills: Uint32Array.from(fills, (each) => pixelOf(each)), others: Uint32Array.from(fills, (each) => pixelOf(each, 0.82)), edges: Uint32Array.from(fills, (each) => pixelOf(each, 0.62)),
      on: fills.map((each) => isLight(each) ? "#000" : "#fff"),
      paper: pixelOf(value("--paper")), panel: pixelOf(value("--panel")), grid: pixelOf(value("--grid")),
      ink: value("--ink"), faint: value("--faint"), line: value("--grid"), background: value("--paper"),
    };
  }

  function span(pixels, from, until, colour) {
    if (until - from > 24) pixels.fill(colour, from, until);
    else for (let at = from; at < until; at++) pixels[at] = colour;
  }

  /* One image for each canvas, as long as its size stays: a new one for each frame would be megabytes of garbage. */
  const images = new WeakMap();
  function imageOf(canvas, brush, wide, high) {
    const before = images.get(canvas);
    if (before && before.width === wide && before.height === high) return before;
    images.set(canvas, brush.createImageData(wide, high));
    return images.get(canvas);
  }

  /* Draws what is in view. view: from and to in microseconds, top and bottom in rows. Sizes in pixels of the screen. */
  function paint(canvas, bars, view, gutter, ratio, colours) {
    const brush = canvas.getContext("2d", { alpha: false });
    const left = Math.round(gutter * ratio), bottom = Math.round(AXIS * ratio);
    const wide = Math.max(1, canvas.width - left), high = Math.max(1, canvas.height - bottom);
    brush.fillStyle = colours.background;
    brush.fillRect(0, 0, canvas.width, canvas.height);
    const image = imageOf(canvas, brush, wide, high);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(colours.paper);
    const perRow = high / (view.bottom - view.top), perUs = wide / (view.to - view.from);
    const texts = [];
    // Where rows are too low for a gap, every other one is darker.
    const shaded = perRow >= 1.5 && perRow < 4;
    stripes(bars, view, perRow, (from, until, odd) => { if (odd) pixels.fill(colours.panel, from * wide, until * wide); }, high);
    // Of rows lower than a pixel, what another one has already painted on its line costs nothing.
    let line = -1, painted = 0, paintedTo = 0;
    for (let row = Math.max(0, Math.floor(view.top)); row < Math.min(bars.rows, Math.ceil(view.bottom)); row++) {
      const top = Math.max(0, Math.round((row - view.top) * perRow));
      const end = Math.min(high, Math.max(top + 1, Math.round((row + 1 - view.top) * perRow) - (perRow >= 4 ? Math.round(ratio) : 0)));
      let taken = -1;
      if (perRow >= 1 || top !== line) [line, painted, paintedTo] = [top, 0, 0];
      for (let each = firstAfter(bars, row, view.from); each < bars.starts[row + 1]; each++) {
        const bar = bars.order[each];
        if (bars.entered[bar] >= view.to) break;
        const from = Math.max(0, Math.round((bars.entered[bar] - view.from) * perUs));
        const until = Math.min(wide, Math.max(from + 1, Math.round((bars.left[bar] - view.from) * perUs)));
        if (until <= taken) continue;
        taken = until;
        if (perRow < 1) {
          if (from >= painted && until <= paintedTo) continue;
          if (until < painted || from > paintedTo) {
            if (until - from > paintedTo - painted) [painted, paintedTo] = [from, until];
          } else [painted, paintedTo] = [Math.min(from, painted), Math.max(until, paintedTo)];
        }
        const colour = (shaded && row % 2 ? colours.others : colours.fills)[bars.colour[bar]];
        span(pixels, top * wide + from, top * wide + until, colour);
        if (until - from > 3 * ratio && end - top >= 3) span(pixels, top * wide + from, top * wide + from + Math.round(ratio), colours.edges[bars.colour[bar]]);
        if (end - top >= 13 * ratio && until - from >= 26 * ratio) texts.push([bar, from, until, top, end]);
      }
      // The first line of a row is drawn, the others are copies of it.
      for (let y = top + 1; y < end; y++) pixels.copyWithin(y * wide, top * wide, top * wide + wide);
    }
    brush.putImageData(image, left, 0);
    brush.font = FONT.replace("12", String(12 * ratio));
    numbers(brush, bars, texts, left, ratio, colours);
    names(brush, bars, view, { left, high, perRow, ratio }, colours);
    axis(brush, view, { left, high, wide, ratio, perUs }, colours);
  }

  /* The lanes in view, with their numbers. */
  function inView(bars, view) {
    const from = bars.laneOfRow[Math.max(0, Math.floor(view.top))], to = bars.laneOfRow[Math.min(bars.rows, Math.ceil(view.bottom)) - 1];
    return bars.lanes.slice(from, to + 1).map((lane, at) => [lane, from + at]);
  }

  function stripes(bars, view, perRow, stripe, high) {
    if (perRow < 3) return;
    for (const [lane, at] of inView(bars, view)) {
      const from = Math.max(0, Math.round((lane.first - view.top) * perRow));
      const until = Math.min(high, Math.round((lane.first + lane.rows - view.top) * perRow));
      if (from < until) stripe(from, until, at % 2 === 1);
    }
  }

  /* The ids of requests, where there is room for them. */
  function numbers(brush, bars, texts, left, ratio, colours) {
    brush.textBaseline = "middle";
    brush.textAlign = "left";
    for (const [bar, from, until, top, end] of texts.slice(0, 1500)) {
      const text = String(bars.id[bar]);
      if (until - from < (text.length * 7 + 10) * ratio) continue;
      brush.fillStyle = colours.on[bars.colour[bar]];
      brush.fillText(text, left + from + 5 * ratio, (top + end) / 2);
    }
  }

  /* Names on the left: of each thread where there is room, else of each process. */
  function names(brush, bars, view, { left, high, perRow, ratio }, colours) {
    const line = LINE * ratio, several = bars.processes.length > 1;
    let free = 0;
    function name(first, rows, text, strong) {
      const from = Math.max(0, (first - view.top) * perRow), until = Math.min(high, (first + rows - view.top) * perRow);
      const middle = Math.max((from + until) / 2, free + line / 2);
      if (until <= 0 || from >= high || middle + line / 2 > Math.max(until, from + line) || middle + line / 2 > high + 2) return;
      brush.fillStyle = strong ? colours.ink : colours.faint;
      brush.fillText(elided(brush, text, left - 8 * ratio), 0, middle);
      free = middle + line / 2;
    }
    if (showsThreads(bars, perRow, ratio)) for (const [lane] of inView(bars, view)) name(lane.first, lane.rows, titleOf(bars, lane), false);
    else for (const each of bars.processes) name(each.first, each.rows, `pid ${each.pid}`, true);
    brush.strokeStyle = colours.faint;
    brush.lineWidth = ratio;
    for (const each of several ? bars.processes.slice(1) : []) {
      const at = Math.round((each.first - view.top) * perRow) + 0.5;
      if (at > 0 && at < high && each.rows * perRow > 10 * ratio) {
        brush.beginPath();
        brush.moveTo(0, at);
        brush.lineTo(brush.canvas.width, at);
        brush.stroke();
      }
    }
  }

  const titleOf = (bars, lane) => (bars.processes.length > 1 ? `${lane.pid} ` : "") + (lane.name || `thread ${lane.tid}`);

  const showsThreads = (bars, perRow, ratio) => perRow * bars.rows / bars.lanes.length >= LINE * ratio * 0.95;

  /* How much room the names take, at most. perRow: height of a row, in pixels of CSS. */
  function gutterOf(bars, perRow, most) {
    const threads = showsThreads(bars, perRow, 1), key = `${threads} ${most}`;
    bars.gutters ??= new Map();
    if (!bars.gutters.has(key)) bars.gutters.set(key, widest(bars, threads, most));
    return bars.gutters.get(key);
  }
  function widest(bars, threads, most) {
    const brush = document.createElement("canvas").getContext("2d");
    brush.font = FONT;
    const texts = threads ? bars.lanes.slice(0, 400).map((lane) => titleOf(bars, lane)) : bars.processes.slice(0, 100).map((each) => `pid ${each.pid}`);
    return Math.min(most, Math.ceil(Math.max(...texts.map((text) => brush.measureText(text).width))) + 10);
  }

  const shortened = new Map();
  function elided(brush, text, most) {
    const key = `${brush.font} ${most} ${text}`;
    if (!shortened.has(key)) {
      if (shortened.size > 5000) shortened.clear();
      shortened.set(key, cut(brush, text, most));
    }
    return shortened.get(key);
  }
  function cut(brush, text, most) {
    if (brush.measureText(text).width <= most) return text;
    let kept = text.length;
    // The end of a thread's name tells it from the others.
    while (kept > 1 && brush.measureText(`…${text.slice(-kept)}`).width > most) kept--;
    return `…${text.slice(-kept)}`;
  }

  function axis(brush, view, { left, high, wide, ratio, perUs }, colours) {
    const wanted = 90 * ratio / perUs, power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= wanted);
    const digits = Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(step) + 1e-9)));
    brush.textBaseline = "top";
    brush.textAlign = "center";
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const x = left + Math.round((at - view.from) * perUs);
      brush.fillStyle = colours.faint;
      brush.fillRect(x, high, Math.max(1, Math.round(ratio)), 5 * ratio);
      brush.fillStyle = colours.ink;
      const text = (at / 1e6).toFixed(digits), half = brush.measureText(text).width / 2;
      brush.fillText(text, Math.min(Math.max(x, left + half), left + wide - half), high + 6 * ratio);
    }
    brush.fillStyle = colours.faint;
    brush.fillRect(left, high, wide, Math.max(1, Math.round(ratio)));
    brush.fillText("seconds since the first request", left + wide / 2, high + 20 * ratio);
  }

  return { AXIS, indexed, barAt, firstAfter, gutterOf, paint, palette, colourOf };
})();
