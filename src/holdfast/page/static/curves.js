/* How long did they take? Percentile curves, each further nine as wide as the last. */
"use strict";

holdfast.begin("curves", (section, given) => {
  const { axis, chart, element, label, shown, table } = holdfast;
  const LOOKS = [["#0072b2", []], ["#d55e00", [8, 4]], ["#009e73", [2, 3]]];
  const DARK = ["#56b4e9", "#ff8a3d", "#35d0a5"];
  const nines = (share, number) => Math.log10(1 / Math.max(1 - share, 0.5 / number));
  const percent = (x) => `${Number((100 * (1 - 10 ** -x)).toFixed(Math.max(0, Math.ceil(x) - 1)))} %`;
  const joined = uPlot.join(given.map((each) => [each.share.map((share) => nines(share, each.number)), each.at_us.map((at) => at / 1000)]));
  const outputs = given.map(() => element("output"));
  const where = element("output", { className: "time", textContent: "point at the picture for its numbers" });
  const times = given.flatMap((each) => each.at_us).filter((at) => at > 0);
  const wide = Math.max(...times) > 100 * Math.min(...times);
  const colour = (theme, number) => (theme.dark ? DARK[number % 3] : LOOKS[number % 3][0]);

  chart(section, {
    label: "latency by percentile",
    made: (theme) => [{
      scales: { x: { time: false }, y: wide ? { distr: 3 } : { range: (_, low, high) => [0, high] } },
      padding: [20, 14, 0, 0],
      axes: [
        axis(theme, "percentile", { splits: (_, __, low, high) => [0, 0.30103, 1, 2, 3, 4, 5, 6].filter((x) => x >= low - 1e-9 && x <= high), values: (_, splits) => splits.map(percent) }),
        axis(theme, "ms", { size: 64 }),
      ],
      series: [{}, ...given.map((each, number) => ({ label: each.name, stroke: colour(theme, number), width: 2, dash: LOOKS[number % 3][1], spanGaps: true, points: { show: false } }))],
      hooks: { draw: [(plot) => given.forEach((each, number) => {
        const at = plot.data[number + 1].findLastIndex((y, index) => y != null && plot.data[0][index] <= plot.scales.x.max);
        if (at >= 0) label(plot, each.name, plot.valToPos(plot.data[0][at], "x", true), plot.valToPos(plot.data[number + 1][at], "y", true) + (number % 2 ? 14 : -14) * (devicePixelRatio || 1), "right");
      })] },
    }, joined],
    moved: (index) => {
      where.textContent = index === null ? "point at the picture for its numbers" : `at ${percent(joined[0][index])}`;
      given.forEach((_, number) => { outputs[number].textContent = index === null ? "" : `${shown(joined[number + 1][index])} ms`; });
    },
  });
  section.append(element("ul", { className: "legend" }, ...given.map((each, number) => {
    const line = element("canvas", { className: "swatch", width: 32, height: 12, ariaHidden: "true" });
    holdfast.drawn((theme) => {
      const brush = line.getContext("2d");
      brush.clearRect(0, 0, 32, 12);
      brush.strokeStyle = colour(theme, number);
      brush.lineWidth = 3;
      brush.setLineDash(LOOKS[number % 3][1]);
      brush.beginPath(); brush.moveTo(0, 6); brush.lineTo(32, 6); brush.stroke();
    });
    return element("li", {}, element("span", { className: "name" }, line, `${each.name} (${shown(each.number)})`, outputs[number]));
  }), element("li", {}, where)));
  table(section, "Table: latency by percentile", ["percentile", ...given.map((each) => `${each.name}, ms`)], () =>
    joined[0].map((x, at) => [percent(x), ...given.map((_, number) => shown(joined[number + 1][at]))]));
});
