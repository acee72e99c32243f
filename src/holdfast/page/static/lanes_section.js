/* Who did the work?: the lanes with their keys, the wheel, the pointer, and the tables behind them. */
"use strict";

holdfast.begin("lanes", (section, given) => {
  const { drawn, element, note, table, lanes } = holdfast;
  const bars = lanes.indexed(given);
  const whole = { from: bars.first - (bars.last - bars.first) * 0.01, to: bars.last + (bars.last - bars.first) * 0.01, top: 0, bottom: bars.rows };
  const SHORTEST_US = 5, FEWEST_ROWS = Math.min(bars.rows, 4), MOST_LISTED = 2000;
  const height = Math.min(540, Math.max(110, bars.rows * 22)) + lanes.AXIS;
  const view = { ...whole };
  let chosen = -1, asked = 0, colours = null, gutter = 0, ratio = 1;

  const plural = (many, one) => `${many.toLocaleString("en")} ${one}${many === 1 ? "" : one.endsWith("s") ? "es" : "s"}`;
  const most = Math.max(...bars.lanes.map((lane) => lane.until - lane.from)), least = Math.min(...bars.lanes.map((lane) => lane.until - lane.from));
  const atOnce = Math.max(...bars.lanes.map((lane) => lane.rows));
  const each = most === least ? plural(most, "request") : `${least.toLocaleString("en")} to ${plural(most, "request")}`;
  note(section, `${plural(bars.id.length, "request")} on ${plural(bars.lanes.length, "thread")} of ${plural(bars.processes.length, "process")}` +
    `${bars.lanes.length === 1 ? "" : `; ${each} on each thread`}, ` +
    `${atOnce === 1 ? "one at a time" : `up to ${atOnce.toLocaleString("en")} at once`}. Each bar is one request, from the instant its handler was entered until it was left.`);

  const canvas = element("canvas", { ariaHidden: "true" });
  const frame = element("div", { className: "frame", hidden: true }), box = element("div", { className: "frame chosen", hidden: true });
  const tip = element("div", { className: "tip", hidden: true });
  const told = element("output", { className: "unseen", ariaLive: "polite" });
  const hint = "Left and right arrow keys go from request to request of a thread, up and down from thread to thread; with Shift they move the picture. Plus and minus zoom, page up and page down zoom the threads, 0 shows all. The tables behind it have the figures.";
  const chart = element("div", { className: "lanes", tabIndex: 0, role: "group", ariaLabel: `Chart: who did the work. ${hint}` }, canvas, frame, box, tip);
  chart.style.height = `${height}px`;

  const size = () => ({ wide: Math.max(1, chart.clientWidth - gutter), high: Math.max(1, height - lanes.AXIS) });
  const xOf = (us) => gutter + (us - view.from) / (view.to - view.from) * size().wide;
  const usAt = (x) => view.from + (x - gutter) / size().wide * (view.to - view.from);
  const rowAt = (y) => view.top + y / size().high * (view.bottom - view.top);
  const yOf = (row) => (row - view.top) / (view.bottom - view.top) * size().high;

  function draw() {
    asked = 0;
    if (!chart.clientWidth) return;
    ratio = devicePixelRatio || 1;
    gutter = lanes.gutterOf(bars, size().high / (view.bottom - view.top), chart.clientWidth < 560 ? 92 : 220);
    const wide = Math.round(chart.clientWidth * ratio), high = Math.round(height * ratio);
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    lanes.paint(canvas, bars, view, gutter, ratio, colours);
    framed();
  }
  const soon = () => { asked ||= requestAnimationFrame(draw); };

  function limited() {
    const length = Math.min(whole.to - whole.from, Math.max(SHORTEST_US, view.to - view.from));
    view.from = Math.min(Math.max(whole.from, view.from), whole.to - length);
    view.to = view.from + length;
    const rows = Math.min(bars.rows, Math.max(FEWEST_ROWS, view.bottom - view.top));
    view.top = Math.min(Math.max(0, view.top), bars.rows - rows);
    view.bottom = view.top + rows;
    soon();
  }
  function zoom(factor, at = (view.from + view.to) / 2) {
    view.from = at - (at - view.from) * factor;
    view.to = at + (view.to - at) * factor;
    limited();
  }
  function stretch(factor, at = (view.top + view.bottom) / 2) {
    view.top = at - (at - view.top) * factor;
    view.bottom = at + (view.bottom - at) * factor;
    limited();
  }
  function move(time, rows = 0) {
    const length = (view.to - view.from) * time, many = (view.bottom - view.top) * rows;
    Object.assign(view, { from: view.from + length, to: view.to + length, top: view.top + many, bottom: view.bottom + many });
    limited();
  }
  const all = () => { Object.assign(view, whole); limited(); };

  /* What is said of a request, beside the pointer and to a screen reader. */
  function words(bar) {
    const lane = bars.lanes[bars.laneOf[bar]], seconds = (us) => `${(us / 1e6).toFixed(6)} s`;
    const lasted = bars.left[bar] - bars.entered[bar];
    const phase = bars.phase(bar);
    return `request ${bars.id[bar]}${phase ? `, sent for: ${phase}` : ""}\n` +
      `pid ${lane.pid}, tid ${lane.tid}${lane.name ? `, ${lane.name}` : ""}\n` +
      `number ${bars.ordinal[bar]} on this thread\n` +
      `entered at ${seconds(bars.entered[bar])}\n` +
      (bars.open.has(bar) ? "not left when the record ended" : `left at ${seconds(bars.left[bar])}, after ${(lasted / 1000).toFixed(lasted < 10_000 ? 3 : 1)} ms`);
  }

  function choose(bar, x, y) {
    const before = chosen;
    chosen = bar;
    tip.hidden = bar < 0;
    framed();
    if (bar < 0) return;
    if (bar !== before) tip.textContent = words(bar);
    const left = x ?? Math.max(gutter, xOf(bars.entered[bar])), top = y ?? yOf(bars.rowOf[bar]);
    tip.style.left = `${Math.max(0, Math.min(left + 14, chart.clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${top + 24 + tip.offsetHeight > height ? Math.max(0, top - tip.offsetHeight - 10) : top + 24}px`;
  }
  /* The frame around the chosen bar, as far as it is in view. */
  function framed() {
    const inView = chosen >= 0 && bars.left[chosen] >= view.from && bars.entered[chosen] <= view.to && bars.rowOf[chosen] + 1 > view.top && bars.rowOf[chosen] < view.bottom;
    frame.hidden = !inView;
    if (!inView) return;
    const left = Math.max(gutter, xOf(bars.entered[chosen])), right = Math.min(chart.clientWidth, xOf(bars.left[chosen]));
    const top = yOf(bars.rowOf[chosen]), bottom = yOf(bars.rowOf[chosen] + 1);
    placed(frame, left - 2, top - 2, Math.max(5, right - left + 4), Math.max(5, bottom - top + 3));
  }
  function placed(part, left, top, wide, high) {
    Object.assign(part.style, { left: `${left}px`, top: `${top}px`, width: `${wide}px`, height: `${high}px` });
  }

  /* Goes to a bar with the keys: it is brought into view and told. */
  function go(bar) {
    if (bars.entered[bar] < view.from || bars.left[bar] > view.to) {
      const length = view.to - view.from, at = Math.min(bars.entered[bar], Math.max(bars.entered[bar] - length * 0.1, bars.left[bar] - length * 0.9));
      if (bars.entered[bar] > view.to || bars.left[bar] < view.from || bars.left[bar] - bars.entered[bar] < length) Object.assign(view, { from: at, to: at + length });
    }
    const rows = view.bottom - view.top, row = bars.rowOf[bar];
    if (row < view.top || row + 1 > view.bottom) Object.assign(view, { top: row - rows / 2, bottom: row + rows / 2 });
    limited();
    choose(bar);
    told.textContent = words(bar);
  }
  function step(direction) {
    if (chosen < 0) return go(bars.lanes[0].from);
    const lane = bars.lanes[bars.laneOf[chosen]];
    return go(Math.min(Math.max(chosen + direction, lane.from), lane.until - 1));
  }
  function climb(direction) {
    if (chosen < 0) return go(bars.lanes[0].from);
    const number = Math.min(Math.max(bars.laneOf[chosen] + direction, 0), bars.lanes.length - 1);
    const lane = bars.lanes[number], at = bars.entered[chosen];
    let best = lane.from;
    for (let bar = lane.from; bar < lane.until; bar++) if (Math.abs(bars.entered[bar] - at) < Math.abs(bars.entered[best] - at)) best = bar;
    return go(best);
  }

  const keys = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": all,
    ArrowLeft: (event) => event.shiftKey ? move(-0.25) : step(-1), ArrowRight: (event) => event.shiftKey ? move(0.25) : step(1),
    ArrowUp: (event) => event.shiftKey ? move(0, -0.25) : climb(-1), ArrowDown: (event) => event.shiftKey ? move(0, 0.25) : climb(1),
    PageUp: () => stretch(0.5), PageDown: () => stretch(2), Escape: () => choose(-1),
  };
  chart.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key](event);
    event.preventDefault();
  });

  const within = (event) => { const edge = chart.getBoundingClientRect(); return [event.clientX - edge.left, event.clientY - edge.top]; };
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey && document.activeElement !== chart) return;
    event.preventDefault();
    const [x, y] = within(event), factor = 1.0015 ** (event.deltaY || event.deltaX);
    if (event.shiftKey) stretch(factor, rowAt(y));
    else zoom(factor, usAt(Math.max(gutter, x)));
  }, { passive: false });

  let grabbed = null;
  chart.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [x, y] = within(event);
    grabbed = { x, y, moved: false, before: { ...view }, touch: event.pointerType === "touch" };
    if (!grabbed.touch) chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    const [x, y] = within(event);
    if (!grabbed) {
      const rows = Math.max(1, (view.bottom - view.top) / size().high), row = rowAt(y);
      const near = rows > 1 ? [Math.floor(row - rows), Math.ceil(row + rows)] : [Math.floor(row), Math.floor(row)];
      choose(x < gutter || y > size().high ? -1 : lanes.barAt(bars, ...near, usAt(x), 4 / size().wide * (view.to - view.from)), x, y);
      return;
    }
    grabbed.moved ||= Math.hypot(x - grabbed.x, y - grabbed.y) > 4;
    if (!grabbed.moved) return;
    if (grabbed.touch) {
      const by = (grabbed.x - x) / size().wide * (grabbed.before.to - grabbed.before.from);
      Object.assign(view, grabbed.before, { from: grabbed.before.from + by, to: grabbed.before.to + by });
      limited();
      return;
    }
    choose(-1);
    box.hidden = false;
    const [left, right, top, bottom] = dragged(x, y);
    placed(box, left, top, right - left, bottom - top);
  });
  /* What a drag frames: all rows, unless it goes over some of them. */
  function dragged(x, y) {
    const rowsToo = Math.abs(y - grabbed.y) > 24, high = size().high;
    const [left, right] = [grabbed.x, x].map((each) => Math.min(Math.max(gutter, each), chart.clientWidth)).sort((a, b) => a - b);
    const [top, bottom] = rowsToo ? [grabbed.y, y].map((each) => Math.min(Math.max(0, each), high)).sort((a, b) => a - b) : [0, high];
    return [left, right, top, bottom];
  }
  function dropped(event) {
    if (grabbed && grabbed.moved && !grabbed.touch && event.type === "pointerup") {
      const [left, right, top, bottom] = dragged(...within(event));
      if (right - left > 4 || bottom - top > 24) {
        Object.assign(view, right - left > 4 ? { from: usAt(left), to: usAt(right) } : {}, { top: rowAt(top), bottom: rowAt(bottom) });
        limited();
      }
    }
    grabbed = null;
    box.hidden = true;
  }
  chart.addEventListener("pointerup", dropped);
  chart.addEventListener("pointercancel", dropped);
  chart.addEventListener("pointerleave", () => { if (!grabbed) choose(-1); });
  chart.addEventListener("blur", () => choose(-1));
  chart.addEventListener("dblclick", all);

  const button = (text, name, act) => element("button", { type: "button", textContent: text, ariaLabel: `${name}: who did the work`, onclick: act });
  const buttons = element("div", { className: "buttons" }, button("+", "Zoom in", () => zoom(0.5)), button("−", "Zoom out", () => zoom(2)),
    button("◀", "Move left", () => move(-0.25)), button("▶", "Move right", () => move(0.25)), button("All", "Show all", all));
  if (bars.rows > FEWEST_ROWS) buttons.append(button("Taller", "Fewer threads, taller", () => stretch(0.5)), button("Flatter", "More threads, flatter", () => stretch(2)),
    button("▲", "Move up", () => move(0, -0.5)), button("▼", "Move down", () => move(0, 0.5)));
  section.append(chart, buttons, told);
  const legend = given.phases.filter(Boolean).map((phase) => element("li", { className: "name" }, element("span", { className: `lane-key lane-key-${lanes.colourOf(phase)}`, ariaHidden: "true" }), phase));
  section.append(element("ul", { className: "legend" }, element("li", { className: "name", textContent: "sent for:" }), ...legend));
  note(section, "Drag over a part to zoom in; double-click shows all. The wheel zooms with Ctrl, or once the picture has been clicked; with Shift it zooms the threads.");

  const ms = (us) => (us / 1000).toFixed(3);
  table(section, "Table: threads", ["pid", "tid", "name", "requests", "at once", "first entered, ms", "last left, ms"], () => bars.lanes.map((lane) => {
    let last = 0;
    for (let bar = lane.from; bar < lane.until; bar++) last = Math.max(last, bars.left[bar]);
    return [String(lane.pid), String(lane.tid), lane.name || "-", String(lane.until - lane.from), String(lane.rows), ms(bars.entered[lane.from]), ms(last)];
  }));
  /* Only what is in view, and not without an end: a table of 100,000 rows is of no use and takes seconds. */
  function listed() {
    const found = [];
    let more = 0;
    for (let row = Math.floor(view.top); row < Math.ceil(view.bottom); row++) {
      for (let each = lanes.firstAfter(bars, row, view.from); each < bars.starts[row + 1]; each++) {
        const bar = bars.order[each];
        if (bars.entered[bar] > view.to) break;
        if (found.length < MOST_LISTED) found.push(bar);
        else more++;
      }
    }
    const rows = found.map((bar) => {
      const lane = bars.lanes[bars.laneOf[bar]];
      return [String(bars.id[bar]), String(lane.pid), String(lane.tid), lane.name || "-", String(bars.ordinal[bar]), bars.phase(bar), ms(bars.entered[bar]), bars.open.has(bar) ? "not left" : ms(bars.left[bar])];
    });
    if (more) rows.push([`and ${more.toLocaleString("en")} more: zoom in`, "", "", "", "", "", "", ""]);
    return rows;
  }
  const requests = table(section, "Table: requests in view", ["id", "pid", "tid", "thread", "number on it", "sent for", "entered, ms", "left, ms"], listed);
  // It is made again each time that it is opened, of what is in view then.
  requests.addEventListener("toggle", () => { if (!requests.open) requests.querySelector(".scroll").replaceChildren(); });

  drawn(() => { colours = lanes.palette(); draw(); });
  new ResizeObserver(soon).observe(chart);
});
