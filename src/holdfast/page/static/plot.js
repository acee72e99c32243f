/* One chart of uPlot: buttons, keys, hover, zoom by dragging, and colours that follow the theme. */
"use strict";

Object.assign(holdfast, (() => {
  const { data, drawn, element } = holdfast;
  const FONT = "12px system-ui, sans-serif";

  function axis(theme, label, more = {}) {
    return {
      label, stroke: theme.ink, font: FONT, labelFont: FONT, labelSize: 22, size: 42,
      grid: { stroke: theme.grid, width: 1 }, ticks: { stroke: theme.grid, width: 1, size: 5 }, ...more,
    };
  }

  /* What is asked of a chart:
     label    its name, for a screen reader and its buttons
     height   in pixels
     made     theme => [options of uPlot, columns]
     moved    index => what the pointer is on; null is nothing
     finer    (low, high) => the columns to draw of this stretch, the first and the last of all included; without it
              all columns are drawn
     buttons  false for a small one, which keeps its keys
     Gives a function that draws it anew. */
  function chart(section, { label, height = 320, made, moved = () => {}, finer = null, buttons: hasButtons = true }) {
    const hint = "Arrow keys move, plus and minus zoom, 0 shows all. The table behind it has its figures.";
    const box = element("div", { className: "chart", tabIndex: 0, role: "group", ariaLabel: `Chart: ${label}. ${hint}` });
    box.style.minHeight = `${height}px`;
    let plot = null, theme = null;

    const ends = () => { const xs = plot.data[0]; return [xs[0], xs[xs.length - 1]]; };
    function shown(low, high) {
      const [first, last] = ends();
      const length = Math.max((last - first) * 1e-6, Math.min(high - low, last - first));
      const start = Math.min(Math.max(low, first), last - length);
      if (finer) plot.setData(finer(start, start + length), false);
      plot.setScale("x", { min: start, max: start + length });
    }
    function by(factor, shift = 0) {
      const { min, max } = plot.scales.x;
      const middle = (min + max) / 2 + shift * (max - min), half = (max - min) / 2 * factor;
      shown(middle - half, middle + half);
    }
    const actions = {
      in: ["+", "Zoom in", () => by(0.5)],
      out: ["−", "Zoom out", () => by(2)],
      back: ["◀", "Move left", () => by(1, -0.25)],
      on: ["▶", "Move right", () => by(1, 0.25)],
      all: ["All", "Show all", () => shown(...ends())],
    };
    const keys = { "+": "in", "=": "in", "-": "out", "0": "all" };
    const buttons = element("div", { className: "buttons" }, ...Object.values(actions).map(([text, name, act]) =>
      element("button", { type: "button", textContent: text, ariaLabel: `${name}: ${label}`, onclick: act })));
    box.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (keys[event.key]) actions[keys[event.key]][2]();
      else if (step) {
        const xs = plot.data[0];
        const at = Math.min(Math.max((plot.cursor.idx ?? 0) + step, 0), xs.length - 1);
        plot.setCursor({ left: plot.valToPos(xs[at], "x"), top: 10 });
      } else return;
      event.preventDefault();
    });

    const width = () => Math.max(160, box.clientWidth);
    function draw() {
      const before = plot && { ...plot.scales.x };
      if (plot) plot.destroy();
      const [options, columns] = made(theme);
      plot = new uPlot({
        width: width(), height, legend: { show: false },
        cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
        ...options,
        hooks: { ...options.hooks, setCursor: [(self) => moved(self.cursor.idx ?? null)], setSelect: [selected] },
      }, columns, box);
      if (before) shown(before.min, before.max);
    }
    function selected(self) {
      const { left, width: wide } = self.select;
      if (!wide) return;
      const [low, high] = [self.posToVal(left, "x"), self.posToVal(left + wide, "x")];
      self.setSelect({ left: 0, width: 0 }, false);
      shown(low, high);
    }
    box.addEventListener("dblclick", () => shown(...ends()));
    section.append(box, ...(hasButtons ? [buttons] : []));
    drawn((now) => { theme = now; draw(); });
    new ResizeObserver(() => {
      if (box.clientWidth && plot.width !== width()) plot.setSize({ width: width(), height });
    }).observe(box);
    box.plot = () => plot;
    box.show = shown;
    return draw;
  }

  /* A text on the picture that can be read on any colour. */
  function label(plot, text, x, y, align = "center") {
    const { ctx } = plot, ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    const wide = ctx.measureText(text).width + 8 * ratio;
    const { left, width: all } = plot.bbox;
    let start = x - { left: 0, center: wide / 2, right: wide }[align];
    start = Math.min(Math.max(start, left), left + all - wide);
    y = Math.min(Math.max(y, 9 * ratio), ctx.canvas.height - 9 * ratio);
    ctx.fillStyle = "rgba(255, 255, 255, 0.88)";
    ctx.fillRect(start, y - 9 * ratio, wide, 18 * ratio);
    ctx.fillStyle = "#000";
    ctx.fillText(text, start + 4 * ratio, y);
    ctx.restore();
    return wide;
  }

  /* Shows a section of the page, and fills it, where the page has data for it. */
  function begin(name, fill) {
    const section = document.getElementById(name), given = data[name];
    if (!given || !section) return;
    section.hidden = false;
    fill(section, given);
  }

  const note = (section, text) => section.append(element("p", { className: "note", textContent: text }));

  return { axis, chart, label, begin, note };
})());
