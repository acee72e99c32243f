/* What the overflow got: in stretches of requests that got the same, and request by request. */
"use strict";

holdfast.begin("overflow", (section, given) => {
  const { element, note, table } = holdfast;
  const rows = given.rows.map(([id, place, begun, connected, sent, entered, done, outcome, status, left]) => ({ id, place, begun, connected, sent, entered, done, outcome, status, left }));
  /* What became of a request, in words. */
  function fate(row) {
    const ran = row.entered === null ? "" : ", its handler ran";
    if (row.left) return `its client left${ran}`;
    if (row.outcome === "given-up") return `given up at the end of the run${ran}`;
    if (row.outcome === "pending") return "no answer when the record ended";
    return [row.outcome.replace("-", " "), row.status ? `HTTP ${row.status}` : ""].filter(Boolean).join(", ");
  }
  const ms = (us) => us === null ? "-" : (us / 1000).toFixed(3);

  const stretches = [];
  for (const row of rows) {
    const last = stretches[stretches.length - 1];
    if (last && last.place === row.place && last.fate === fate(row)) last.rows.push(row);
    else stretches.push({ place: row.place, fate: fate(row), rows: [row] });
  }
  const number = (many) => many.toLocaleString("en");
  note(section, given.outside
    ? `The ${number(rows.length)} requests of the last burst, in the order in which they were offered. From outside, those in service look like those that wait.`
    : `${number(rows.length)} ${rows.length === 1 ? "request was" : "requests were"} not in service when the places were counted. In the order in which they were offered:`);
  const after = (waited) => {
    if (!waited.length) return "-";
    const least = ms(waited.reduce((a, b) => Math.min(a, b))), most = ms(waited.reduce((a, b) => Math.max(a, b)));
    return least === most ? most : `${least} to ${most}`;
  };
  const cells = (stretch) => {
    const first = stretch.rows[0], last = stretch.rows[stretch.rows.length - 1];
    return [
      first === last ? String(first.id) : `${first.id} … ${last.id}`, number(stretch.rows.length), given.places[stretch.place], stretch.fate,
      after(stretch.rows.filter((row) => row.done !== null).map((row) => row.done - row.begun)),
    ];
  };
  const heads = ["ids", "requests", "place at the count", "in the end", "ended after, ms"];
  const line = (name, more, texts) => element("tr", {}, ...texts.map((text, at) => element(name, { ...more, textContent: text, className: at === 1 || at === 4 ? "right" : "" })));
  const body = stretches.slice(0, 40).map((stretch) => line("td", {}, cells(stretch)));
  const head = line("th", { scope: "col" }, heads);
  section.append(element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "What the overflow got" }, element("table", { className: "stretches" }, element("thead", {}, head), element("tbody", {}, ...body))));
  if (stretches.length > 40) note(section, `and ${number(stretches.length - 40)} further stretches, which are in the table of all requests.`);
  table(section, "Table: each request of the overflow", ["id", "place at the count", "begun, ms", "connected, ms", "sent, ms", "entered, ms", "ended, ms", "in the end"], () =>
    rows.map((row) => [String(row.id), given.places[row.place], ms(row.begun), ms(row.connected), ms(row.sent), ms(row.entered), ms(row.done), fate(row)]));
});
