/* The server's threads, descriptors, memory and CPU at each look. */
"use strict";

holdfast.begin("usage", (section, given) => {
  const { axis, chart, element, label, shown, table } = holdfast;
  const grid = element("div", { className: "multiples" });
  section.append(grid);
  const seconds = given.at_us.map((at) => at / 1e6);
  for (const each of given.columns) {
    const told = element("output", { className: "time", textContent: "point at the picture for its numbers" });
    const part = element("div", {}, element("h3", { textContent: each.name }));
    grid.append(part);
    chart(part, {
      label: each.name,
      height: 200,
      buttons: false,
      made: (theme) => [{
        padding: [20, 14, 0, 0],
        scales: { x: { time: false }, y: { range: (_, low, high) => [0, high * 1.1 || 1] } },
        axes: [axis(theme, "seconds since its start"), axis(theme, each.unit, { size: 64 })],
        series: [{}, { label: each.name, stroke: theme.dark ? "#56b4e9" : "#0072b2", width: 2, spanGaps: true, points: { show: true, size: 9, fill: theme.dark ? "#56b4e9" : "#0072b2" } }],
        hooks: { draw: [(plot) => {
          const last = each.values.findLastIndex((value) => value !== null);
          if (last >= 0) label(plot, shown(each.values[last]), plot.valToPos(seconds[last], "x", true), plot.valToPos(each.values[last], "y", true) - 14 * (devicePixelRatio || 1), "right");
        }] },
      }, [seconds, each.values]],
      moved: (index) => { told.textContent = index === null ? "point at the picture for its numbers" : `${shown(each.values[index])} ${each.unit} at ${seconds[index].toFixed(3)} s, with ${shown(given.in_service[index])} in service`; },
    });
    part.append(told);
  }
  table(section, "Table: what the server used", ["seconds", "in service", ...given.columns.map((each) => `${each.name}, ${each.unit}`)], () =>
    seconds.map((at, number) => [at.toFixed(3), shown(given.in_service[number]), ...given.columns.map((each) => shown(each.values[number]))]));
});
