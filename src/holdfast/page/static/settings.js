/* The size of a place against each setting that was varied: the law as a line, each run as a point. */
"use strict";

holdfast.begin("settings", (section, given) => {
  const { axis, chart, element, label, shown, table } = holdfast;
  const grid = element("div", { className: "multiples" });
  section.append(grid);
  for (const each of given) {
    const part = element("div", {}, element("h3", { textContent: each.formula ? `${each.size} = ${each.formula}` : `${each.setting} does not decide ${each.size}` }));
    grid.append(part);
    const single = each.runs.map((run) => [[run.value], [run.size]]);
    const law = each.law.length ? [each.law.map(([value]) => value), each.law.map(([, size]) => size)] : [[each.runs[0].value], [null]];
    const columns = uPlot.join([law, ...single]);
    const lowest = Math.min(...columns[0]), highest = Math.max(...columns[0]), margin = (highest - lowest) * 0.08 || 1;
    const told = element("output", { className: "time", textContent: "point at the picture for its numbers" });
    chart(part, {
      label: `${each.size} against ${each.setting}`,
      height: 260,
      buttons: false,
      made: (theme) => [{
        padding: [16, 14, 0, 0],
        scales: { x: { time: false, range: (_, low, high) => (low === lowest && high === highest ? [low - margin, high + margin] : [low, high]) }, y: { range: (_, low, high) => [0, high * 1.15 || 1] } },
        axes: [axis(theme, each.setting), axis(theme, each.size, { size: 60 })],
        series: [{}, { label: "law", stroke: theme.dark ? "#56b4e9" : "#0072b2", width: 2, dash: [8, 4], spanGaps: true, points: { show: false } },
          ...each.runs.map((run) => ({
            label: `run ${run.run}`, stroke: theme.dark ? "#ff8a3d" : "#d55e00", paths: () => null,
            points: { show: true, size: 11, width: 2, fill: run.full ? (theme.dark ? "#ff8a3d" : "#d55e00") : theme.paper },
          }))],
        hooks: { draw: [(plot) => each.runs.forEach((run) => {
          const x = plot.valToPos(run.value, "x", true), y = plot.valToPos(run.size, "y", true) - 16 * (devicePixelRatio || 1);
          label(plot, `${run.full ? "" : "at least "}${shown(run.size)}`, x, y);
        })] },
      }, columns],
      moved: (index) => {
        if (index === null) { told.textContent = "point at the picture for its numbers"; return; }
        const value = columns[0][index];
        const runs = each.runs.filter((run) => run.value === value).map((run) => `run ${run.run ?? "?"}: ${run.full ? "" : "at least "}${run.size}${run.others ? ` with ${run.others}` : ""}`);
        const said = columns[1][index] == null ? [] : [`law: ${shown(columns[1][index])}`];
        told.textContent = `${each.setting} ${shown(value)}: ${[...said, ...runs].join(", ")}`;
      },
    });
    part.append(told);
    table(part, `Table: ${each.size} against ${each.setting}`, ["run", "purpose", each.setting, each.size, "others"], () =>
      each.runs.map((run) => [shown(run.run), run.purpose || "as asked", shown(run.value), `${run.full ? "" : "at least "}${shown(run.size)}`, run.others || "-"]));
  }
});
