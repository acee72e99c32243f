/* The knee: each load as a point, its rate against p50, p99 and errors; the edge as a band. */
"use strict";

holdfast.begin("knee", (section, given) => {
  const { axis, chart, element, label, shown, table } = holdfast;
  const { points, low, high } = given;
  const KINDS = [["p99", "p99, ms", "#0072b2", "#56b4e9"], ["p50", "p50, ms", "#009e73", "#35d0a5"], ["errors", "errors, %", "#d55e00", "#ff8a3d"]];
  /* Each load has a place of its own: two at one rate are two points. */
  const rates = points.map((each) => each.rate);
  const columns = [rates, ...KINDS.map(([name]) => points.map((each) => each[name]))];
  const latencies = points.flatMap((each) => [each.p50, each.p99]).filter((each) => each > 0);
  const wide = latencies.length && Math.max(...latencies) > 30 * Math.min(...latencies);
  const most = Math.max(1, ...points.map((each) => each.errors));
  const told = element("output", { className: "time", textContent: "point at the picture for its numbers" });
  const colour = (theme, kind) => (theme.dark ? kind[3] : kind[2]);
  const ends = [Math.min(...rates), Math.max(...rates)];
  const margin = (ends[1] - ends[0]) * 0.05 || 1;

  function marks(plot, theme) {
    const { ctx, bbox } = plot, ratio = devicePixelRatio || 1;
    if (low != null && high != null) {
      const from = plot.valToPos(low, "x", true), to = plot.valToPos(high, "x", true);
      ctx.save();
      ctx.globalAlpha = 0.25;
      ctx.fillStyle = theme.dark ? "#e9d84f" : "#b59f00";
      ctx.fillRect(from, bbox.top, Math.max(2 * ratio, to - from), bbox.height);
      ctx.restore();
      label(plot, `edge: ${shown(low)} to ${shown(high)}/s`, from, bbox.top + 10 * ratio, "right");
    }
    KINDS.forEach((kind, number) => points.forEach((each) => {
      if (each[kind[0]] == null) return;
      const x = plot.valToPos(each.rate, "x", true), y = plot.valToPos(each[kind[0]], number === 2 ? "errors" : "y", true);
      if (!Number.isFinite(y)) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour(theme, kind);
      ctx.lineWidth = 2 * ratio;
      ctx.setLineDash([]);
      ctx.beginPath();
      if (each.state === "does not hold") {
        const arm = 4.5 * ratio;
        ctx.moveTo(x - arm, y - arm); ctx.lineTo(x + arm, y + arm); ctx.moveTo(x - arm, y + arm); ctx.lineTo(x + arm, y - arm);
        ctx.stroke();
      } else {
        ctx.arc(x, y, 4 * ratio, 0, 2 * Math.PI);
        if (each.state === "holds") ctx.fill(); else ctx.stroke();
      }
      ctx.restore();
    }));
  }

  chart(section, {
    label: "latency and errors by rate",
    made: (theme) => [{
      scales: {
        x: { time: false, range: (_, from, to) => (from === ends[0] && to === ends[1] ? [from - margin, to + margin] : [from, to]) },
        y: wide ? { distr: 3 } : { range: (_, from, to) => [0, to * 1.1 || 1] },
        errors: { range: () => [0, most * 1.1] },
      },
      padding: [20, 14, 0, 0],
      axes: [axis(theme, "requests a second"), axis(theme, "ms", { size: 64 }), axis(theme, "errors, %", { scale: "errors", side: 1, grid: { show: false } })],
      series: [{}, ...KINDS.map((kind, number) => ({ label: kind[1], scale: number === 2 ? "errors" : "y", stroke: colour(theme, kind), width: 1, dash: [2, 4], spanGaps: true, points: { show: false } }))],
      hooks: { draw: [(plot) => marks(plot, theme)] },
    }, columns],
    moved: (index) => {
      if (index === null) { told.textContent = "point at the picture for its numbers"; return; }
      const each = points[index];
      told.textContent = `${shown(each.rate)}/s ${each.state}: p50 ${shown(each.p50)} ms, p99 ${shown(each.p99)} ms, errors ${shown(each.errors)} %`;
    },
  });
  section.append(element("ul", { className: "legend" }, ...KINDS.map((kind) => {
    const swatch = element("canvas", { className: "swatch", width: 32, height: 12, ariaHidden: "true" });
    holdfast.drawn((theme) => {
      const brush = swatch.getContext("2d");
      brush.clearRect(0, 0, 32, 12);
      brush.fillStyle = colour(theme, kind);
      brush.fillRect(0, 0, 32, 12);
    });
    return element("li", {}, element("span", { className: "name" }, swatch, kind[1]));
  }), element("li", {}, told)));
  holdfast.note(section, "A dot holds, a cross does not, and a ring says nothing of the server, because the load itself was the limit.");
  table(section, "Table: loads by rate", ["rate, /s", "p50, ms", "p99, ms", "errors, %", "answered, /s", "result"], () =>
    points.map((each) => [shown(each.rate), shown(each.p50), shown(each.p99), shown(each.errors), shown(each.answered), each.why ? `${each.state}: ${each.why}` : each.state]));
});
