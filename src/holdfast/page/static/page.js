/* What every chart of a page builds on: its data, the theme, tables behind pictures, and the parts of a chart.

   window.holdfast.data      what the page was made with
   holdfast.drawn(draw)      calls draw(theme) now, and again whenever colours or sizes have to change
   holdfast.table(...)       a table behind a picture, made when it is opened
   holdfast.chart(...)       one chart of uPlot with its buttons, its keys and its legend */
"use strict";

const holdfast = (() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const draws = [];
  let chosen = "";
  let printing = false;

  const isDark = () => !printing && (chosen ? chosen === "dark" : prefersDark.matches);

  function theme() {
    const style = getComputedStyle(root);
    const value = (name) => style.getPropertyValue(name).trim();
    return { dark: isDark(), ink: value("--ink"), faint: value("--faint"), grid: value("--grid"), paper: value("--paper") };
  }

  function applied() {
    root.dataset.theme = isDark() ? "dark" : "light";
    const button = document.getElementById("theme");
    button.hidden = false;
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
    const now = theme();
    for (const draw of draws) draw(now);
  }

  function drawn(draw) {
    draws.push(draw);
    draw(theme());
  }

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (key in made && key !== "list") made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  /* Numbers that were written as differences. */
  function summed(differences) {
    const numbers = new Array(differences.length);
    let sum = 0;
    for (let at = 0; at < differences.length; at++) numbers[at] = sum += differences[at];
    return numbers;
  }

  function shown(number, digits = 3) {
    if (number === null || number === undefined) return "-";
    if (Number.isInteger(number)) return number.toLocaleString("en");
    return Math.abs(number) >= 100 ? number.toFixed(0) : String(Number(number.toPrecision(digits)));
  }

  /* heads: texts. rows: a function that gives arrays of texts; it is called when the table is opened. */
  function table(section, summary, heads, rows) {
    const wrapper = element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: summary });
    const details = element("details", {}, element("summary", { textContent: summary }), wrapper);
    details.addEventListener("toggle", () => {
      if (!details.open || wrapper.firstChild) return;
      const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col", textContent: text })));
      const body = element("tbody");
      for (const cells of rows()) body.append(element("tr", {}, ...cells.map((text) => element("td", { textContent: text }))));
      wrapper.append(element("table", { className: "figures" }, element("thead", {}, head), body));
    });
    section.append(details);
    return details;
  }

  const STEP = 8;
  const PATTERNS = {
    diagonal: [[0, 8, 8, 0]],
    back: [[0, 0, 8, 8]],
    cross: [[0, 8, 8, 0], [0, 0, 8, 8]],
    dots: [],
  };

  const fills = new Map();

  /* A colour with a pattern over it, so that areas differ without their colours too. */
  function filled(context, colour, pattern) {
    if (!pattern) return colour;
    const scale = devicePixelRatio || 1, key = `${colour} ${pattern} ${scale}`;
    if (!fills.has(key)) fills.set(key, patterned(context, colour, pattern, scale));
    return fills.get(key);
  }

  function patterned(context, colour, pattern, scale) {
    const tile = element("canvas", { width: STEP * scale, height: STEP * scale });
    const brush = tile.getContext("2d");
    brush.scale(scale, scale);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, STEP, STEP);
    brush.strokeStyle = brush.fillStyle = "rgba(0, 0, 0, 0.45)";
    brush.lineWidth = 1;
    for (const [fromX, fromY, toX, toY] of PATTERNS[pattern]) {
      brush.beginPath();
      brush.moveTo(fromX, fromY);
      brush.lineTo(toX, toY);
      brush.stroke();
    }
    if (pattern === "dots") for (const at of [2, 6]) brush.fillRect(at - 1, at - 1, 2, 2);
    return context.createPattern(tile, "repeat");
  }

  function swatch(colour, pattern) {
    const scale = devicePixelRatio || 1;
    const canvas = element("canvas", { width: 16 * scale, height: 12 * scale, className: "swatch", ariaHidden: "true" });
    const brush = canvas.getContext("2d");
    brush.fillStyle = filled(brush, colour, pattern);
    brush.fillRect(0, 0, canvas.width, canvas.height);
    return canvas;
  }

  document.getElementById("theme").addEventListener("click", () => {
    chosen = isDark() ? "light" : "dark";
    applied();
  });
  prefersDark.addEventListener("change", applied);
  addEventListener("beforeprint", () => { printing = true; applied(); });
  addEventListener("afterprint", () => { printing = false; applied(); });
  applied();

  return { data, drawn, element, summed, shown, table, filled, swatch };
})();
