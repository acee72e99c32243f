/* Charts of uPlot: stacked areas, curves. */
"use strict";

(() => {
  const { data, drawn, element, summed, shown, table, filled, swatch } = holdfast;
  const FONT = "12px system-ui, sans-serif";
  const HEIGHT = 320;

  function axis(theme, label, values) {
    return { label, stroke: theme.ink, grid: { stroke: theme.grid, width: 1 }, ticks: { stroke: theme.grid, width: 1 }, font: FONT, labelFont: FONT, values };
  }

  /* A chart with buttons and keys. made: (theme, width) => [options, columns]. Gives what redraws it. */
  function chart(section, label, made, moved = () => {}) {
    const box = element("div", { className: "chart", tabIndex: 0, role: "group", ariaLabel: `${label}. Left and right arrow keys move, plus and minus zoom, 0 shows all. The table below has its figures.` });
    let plot = null;
    let theme = null;

    function zoomed(low, high) {
      const all = plot.data[0];
      const first = all[0], last = all[all.length - 1];
      const length = Math.max((last - first) * 1e-6, Math.min(high - low, last - first));
      const start = Math.min(Math.max(low, first), last - length);
      plot.setScale("x", { min: start, max: start + length });
    }
    function by(factor, shift = 0) {
      const { min, max } = plot.scales.x;
      const middle = (min + max) / 2 + shift * (max - min), half = (max - min) / 2 * factor;
      zoomed(middle - half, middle + half);
    }
    const all = () => zoomed(-Infinity, Infinity);
    const actions = [["+", "Zoom in", () => by(0.5)], ["−", "Zoom out", () => by(2)], ["◀", "Earlier", () => by(1, -0.25)], ["▶", "Later", () => by(1, 0.25)], ["All", "Show all", () => { const xs = plot.data[0]; plot.setScale("x", { min: xs[0], max: xs[xs.length - 1] }); }]];
    const buttons = element("div", { className: "buttons" }, ...actions.map(([text, name, act]) => element("button", { type: "button", textContent: text, ariaLabel: `${name}: ${label}`, onclick: act })));
    box.addEventListener("keydown", (event) => {
      const keys = { "+": 0, "=": 0, "-": 1, "0": 4 };
      if (event.key in keys) actions[keys[event.key]][2]();
      else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        const xs = plot.data[0], step = event.key === "ArrowLeft" ? -1 : 1;
        const at = Math.min(Math.max((plot.cursor.idx ?? 0) + step, 0), xs.length - 1);
        plot.setCursor({ left: plot.valToPos(xs[at], "x"), top: 10 });
      } else return;
      event.preventDefault();
    });

    function draw() {
      const range = plot && { min: plot.scales.x.min, max: plot.scales.x.max };
      if (plot) plot.destroy();
      const [options, columns] = made(theme);
      plot = new uPlot({ width: Math.max(200, box.clientWidth), height: HEIGHT, legend: { show: false }, cursor: { drag: { x: true, y: false }, points: { show: false } }, ...options, hooks: { setCursor: [(self) => moved(self.cursor.idx)], ...options.hooks } }, columns, box);
      if (range) plot.setScale("x", range);
    }
    section.append(box, buttons);
    drawn((now) => { theme = now; draw(); });
    new ResizeObserver(() => { if (plot && plot.width !== box.clientWidth && box.clientWidth) plot.setSize({ width: box.clientWidth, height: HEIGHT }); }).observe(box);
    box.plot = () => plot;
    return draw;
  }

  function areas(section, given) {
    const seconds = summed(given.at_us).map((at) => at / 1e6);
    const layers = given.areas.map((each) => ({ ...each, counts: summed(each.counts), shown: true }));
    const outputs = layers.map(() => element("output", { textContent: "" }));
    const time = element("output", { className: "time", textContent: "" });

    /* From the top down: each area reaches to the ground, and the next one is drawn over it. */
    function stacked() {
      const columns = [];
      let below = new Array(seconds.length).fill(0);
      for (const layer of layers) {
        if (!layer.shown) continue;
        const sum = new Array(seconds.length);
        for (let at = 0; at < seconds.length; at++) sum[at] = below[at] + layer.counts[at];
        columns.unshift([layer, sum, below]);
        below = sum;
      }
      return columns;
    }

    /* The name of each area where it is highest, if it has the room. */
    function labels(plot, columns) {
      const { ctx, scales, bbox } = plot, ratio = devicePixelRatio || 1;
      ctx.save();
      ctx.font = `${12 * ratio}px system-ui, sans-serif`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      for (const [layer, top, below] of columns) {
        let best = -1;
        for (let at = 0; at < seconds.length; at++) {
          if (seconds[at] < scales.x.min || seconds[at] > scales.x.max) continue;
          if (best < 0 || layer.counts[at] > layer.counts[best]) best = at;
        }
        if (best < 0) continue;
        let until = best;
        while (until + 1 < seconds.length && layer.counts[until + 1] >= layer.counts[best] * 0.7 && seconds[until + 1] <= scales.x.max) until++;
        let from = best;
        while (from > 0 && layer.counts[from - 1] >= layer.counts[best] * 0.7 && seconds[from - 1] >= scales.x.min) from--;
        const middle = (from + until) >> 1;
        const high = plot.valToPos(top[middle], "y", true), low = plot.valToPos(below[middle], "y", true);
        const end = Math.min(seconds[Math.min(until + 1, seconds.length - 1)], scales.x.max);
        const left = plot.valToPos(seconds[from], "x", true), right = plot.valToPos(end, "x", true);
        const wide = ctx.measureText(layer.label).width + 8 * ratio;
        if (low - high < 18 * ratio || right - left < wide) continue;
        const x = (left + right) / 2, y = (high + low) / 2;
        ctx.fillStyle = "rgba(255, 255, 255, 0.85)";
        ctx.fillRect(x - wide / 2, y - 9 * ratio, wide, 18 * ratio);
        ctx.fillStyle = "#000";
        ctx.fillText(layer.label, x, y);
      }
      ctx.restore();
    }

    const redraw = chart(section, "Requests in each place over time", (theme) => {
      const columns = stacked();
      return [{
        scales: { x: { time: false }, y: { range: (self, low, high) => [0, Math.max(1, high)] } },
        axes: [axis(theme, "seconds since the first request"), { ...axis(theme, "requests"), size: 64 }],
        series: [{}, ...columns.map(([layer]) => ({
          label: layer.label, stroke: "rgba(0, 0, 0, 0.35)", width: 0.5, points: { show: false },
          paths: uPlot.paths.stepped({ align: 1 }), fill: (self) => filled(self.ctx, layer.colour, layer.pattern),
        }))],
        hooks: { draw: [(self) => labels(self, columns)] },
      }, [seconds, ...columns.map(([, sum]) => sum)]];
    }, (index) => {
      time.textContent = index == null ? "" : `at ${seconds[index].toFixed(4)} s`;
      layers.forEach((layer, number) => { outputs[number].textContent = index == null ? "" : shown(layer.counts[index]); });
    });

    const boxes = layers.map((layer, number) => {
      const box = element("input", { type: "checkbox", checked: layer.shown, onchange: () => { layer.shown = box.checked; redraw(); } });
      return element("li", {}, element("label", {}, box, swatch(layer.colour, layer.pattern), ` ${layer.label} `, outputs[number]));
    });
    section.append(element("ul", { className: "legend" }, ...[...boxes].reverse(), element("li", {}, time)));
    table(section, "Table: requests in each place over time", ["seconds", ...layers.map((each) => each.label), "offered"], () =>
      seconds.map((at, number) => [at.toFixed(6), ...layers.map((each) => String(each.counts[number])), String(layers.reduce((sum, each) => sum + each.counts[number], 0))]));
  }

  function begin(name, given, make) {
    const section = document.getElementById(name);
    if (!given || !section) return;
    section.hidden = false;
    make(section, given);
  }

  begin("areas", data.areas, areas);
})();
