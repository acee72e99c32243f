/* Where did the requests go? Stacked areas that add up to what was offered. */
"use strict";

holdfast.begin("areas", (section, given) => {
  const { axis, chart, element, filled, label, note, shown, summed, swatch, table } = holdfast;
  const seconds = summed(given.at_us).map((at) => at / 1e6);
  const layers = given.areas.map((each) => ({ ...each, counts: summed(each.counts), drawn: !(given.in_flight && each.ended) }));
  const outputs = layers.map(() => element("output"));
  const time = element("output", { className: "time", textContent: "point at the picture for its numbers" });

  /* From the top down: each area reaches to the ground, and the next one is drawn over it. */
  function stacked() {
    const columns = [];
    let below = new Array(seconds.length).fill(0);
    for (const layer of layers) {
      if (!layer.drawn) continue;
      const sum = below.map((number, at) => number + layer.counts[at]);
      columns.unshift({ layer, sum, below });
      below = sum;
    }
    return columns;
  }

  /* Of a long record a stretch is drawn by at most so many instants: the first of each part of it, and the most and the
     least of each place there. Nearer, more of them are seen. */
  const MOST_DRAWN = 3000;
  let columns = [], picked = [];
  function pick(low, high) {
    let from = 0, until = seconds.length - 1;
    while (from < until && seconds[from + 1] <= low) from++;
    while (until > from && seconds[until - 1] >= high) until--;
    const found = new Set([0, seconds.length - 1]), drawn = layers.filter((layer) => layer.drawn);
    const parts = until - from < MOST_DRAWN ? until - from + 1 : Math.floor(MOST_DRAWN / (2 * drawn.length + 1));
    const each = (until - from + 1) / parts;
    for (let part = 0; part < parts; part++) {
      const first = from + Math.floor(part * each), last = Math.min(until, from + Math.floor((part + 1) * each) - 1);
      found.add(first);
      if (last > first) for (const { counts } of drawn) {
        let most = first, least = first;
        for (let at = first + 1; at <= last; at++) {
          if (counts[at] > counts[most]) most = at;
          if (counts[at] < counts[least]) least = at;
        }
        found.add(most).add(least);
      }
    }
    picked = [...found].sort((one, other) => one - other);
    return [picked.map((at) => seconds[at]), ...columns.map(({ sum }) => picked.map((at) => sum[at]))];
  }

  /* Where an area stays high for longest: there its name has the most room. */
  function widest(layer, low, high) {
    const { counts } = layer;
    let most = 0;
    for (let at = 0; at < seconds.length; at++) {
      if (seconds[at] >= low && seconds[at] <= high && counts[at] > most) most = counts[at];
    }
    let best = null;
    for (let from = 0; most && from < seconds.length; from++) {
      if (counts[from] < most * 0.6 || seconds[from] > high) continue;
      let until = from;
      while (until + 1 < seconds.length && counts[until + 1] >= most * 0.6) until++;
      const [start, end] = [Math.max(low, seconds[from]), Math.min(high, seconds[Math.min(until + 1, seconds.length - 1)])];
      if (end > start && (!best || end - start > best.end - best.start)) best = { start, end, at: (from + until) >> 1 };
      from = until;
    }
    return best;
  }

  function labels(plot, columns) {
    const { min, max } = plot.scales.x, ratio = devicePixelRatio || 1;
    for (const { layer, sum, below } of columns) {
      const room = widest(layer, min, max);
      if (!room) continue;
      const left = plot.valToPos(room.start, "x", true), right = plot.valToPos(room.end, "x", true);
      let at = room.at;
      const middle = (room.start + room.end) / 2;
      for (let number = 0; number < seconds.length && seconds[number] <= middle; number++) at = number;
      const high = plot.valToPos(sum[at], "y", true), low = plot.valToPos(below[at], "y", true);
      plot.ctx.font = `${12 * ratio}px system-ui, sans-serif`;
      const wide = plot.ctx.measureText(layer.label).width + 8 * ratio;
      if (low - high >= 18 * ratio && right - left >= wide) label(plot, layer.label, (left + right) / 2, (high + low) / 2);
    }
  }

  function marks(plot, theme) {
    const { ctx, bbox, scales } = plot, ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = theme.ink;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    let free = -Infinity;
    for (const [at, text] of given.marks || []) {
      if (at / 1e6 < scales.x.min || at / 1e6 > scales.x.max) continue;
      const x = plot.valToPos(at / 1e6, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top - 20 * ratio);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (x > free) free = x + label(plot, text, x, bbox.top - 11 * ratio, "left") + 4 * ratio;
    }
    ctx.restore();
  }

  if (layers.some((layer) => !layer.drawn)) note(section, "Requests that have ended are left out at first; tick them below to see all that were offered.");
  if (given.thinned) note(section, "Of many instants only some are drawn. Each of them is how it was, and the most and the least of every place is among them.");
  const redraw = chart(section, {
    label: "requests in each place over time",
    height: 380,
    made: (theme) => {
      columns = stacked();
      const options = {
        padding: [given.marks && given.marks.length ? 26 : 10, 14, 0, 0],
        scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(1, high)] } },
        axes: [axis(theme, "seconds since the first request"), axis(theme, "requests", { size: 60 })],
        series: [{}, ...columns.map(({ layer }) => ({
          label: layer.label, stroke: "rgba(0, 0, 0, 0.45)", width: 0.5, points: { show: false },
          paths: uPlot.paths.stepped({ align: 1 }), fill: (plot) => filled(plot.ctx, layer.colour, layer.pattern),
        }))],
        hooks: { draw: [(plot) => { labels(plot, columns); marks(plot, theme); }] },
      };
      return [options, pick(seconds[0], seconds[seconds.length - 1])];
    },
    finer: pick,
    moved: (drawn) => {
      const index = drawn === null ? null : picked[drawn];
      time.textContent = index === null ? "point at the picture for its numbers" : `at ${seconds[index].toFixed(4)} s`;
      layers.forEach((layer, number) => { outputs[number].textContent = index === null ? "" : shown(layer.counts[index]); });
    },
  });

  const entries = layers.map((layer, number) => {
    const box = element("input", { type: "checkbox", checked: layer.drawn, onchange: () => { layer.drawn = box.checked; redraw(); } });
    return element("li", {}, element("label", {}, box, swatch(layer.colour, layer.pattern), element("span", { textContent: layer.label }), outputs[number]));
  });
  section.append(element("ul", { className: "legend" }, ...entries.reverse(), element("li", {}, time)));
  /* Thousands of rows are not read: of many, as many as can be. */
  const MOST_ROWS = 200;
  const step = Math.max(1, (seconds.length - 1) / (MOST_ROWS - 1));
  const listed = [...new Set(seconds.map((_, at) => Math.round(Math.min(at * step, seconds.length - 1))))];
  const some = listed.length < seconds.length ? ` (${shown(listed.length)} of ${shown(seconds.length)} instants)` : "";
  table(section, `Table: requests in each place over time${some}`, ["seconds", ...layers.map((each) => each.label), "offered"], () =>
    listed.map((number) => [seconds[number].toFixed(6), ...layers.map((each) => shown(each.counts[number])),
      shown(layers.reduce((sum, each) => sum + each.counts[number], 0))]));
});
