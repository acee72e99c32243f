/* What the overflow got: those that got the same together, and request by request. */
"use strict";

holdfast.begin("overflow", (section, given) => {
  const { element, note, summed, table } = holdfast;
  const places = summed(given.place), ends = summed(given.end), begun = summed(given.begun_us);
  const at = (column, row) => column === null || column[row] === null ? null : begun[row] + column[row];
  const rows = summed(given.id).map((id, row) => ({
    id, place: given.places[places[row]], end: given.ends[ends[row]], begun: begun[row], connected: at(given.connected_us, row),
    sent: at(given.sent_us, row), entered: at(given.entered_us, row), done: at(given.done_us, row),
  }));
  const ms = (us) => us === null ? "-" : (us / 1000).toFixed(3);

  const groups = new Map();
  rows.forEach((row, at) => {
    const key = `${row.place}\n${row.end}`;
    if (!groups.has(key)) groups.set(key, { place: row.place, end: row.end, rows: [], ranges: [], last: -2 });
    const group = groups.get(key);
    if (group.last === at - 1) group.ranges[group.ranges.length - 1][1] = row.id;
    else group.ranges.push([row.id, row.id]);
    group.last = at;
    group.rows.push(row);
  });
  const number = (many) => many.toLocaleString("en");
  note(section, given.outside
    ? `The ${number(rows.length)} requests of the last burst. From outside, those in service look like those that wait.`
    : `${number(rows.length)} ${rows.length === 1 ? "request was" : "requests were"} not in service when the places were counted.`);
  const after = (waited) => {
    if (!waited.length) return "-";
    const least = ms(waited.reduce((a, b) => Math.min(a, b))), most = ms(waited.reduce((a, b) => Math.max(a, b)));
    return least === most ? most : `${least} to ${most}`;
  };
  const MOST_RANGES = 3;
  function ids(ranges) {
    const told = ranges.slice(0, MOST_RANGES).map(([first, last]) => first === last ? first : `${first} … ${last}`).join(", ");
    return ranges.length > MOST_RANGES ? `${told}, further to ${ranges[ranges.length - 1][1]}` : told;
  }
  const cells = (group) => [
    group.place, group.end, number(group.rows.length),
    after(group.rows.filter((row) => row.done !== null).map((row) => row.done - row.begun)), ids(group.ranges),
  ];
  const heads = ["place at the count", "in the end", "requests", "ended after, ms", "ids"];
  const line = (name, more, texts) => element("tr", {}, ...texts.map((text, at) => element(name, { ...more, textContent: text, className: at === 2 || at === 3 ? "right" : "" })));
  const body = [...groups.values()].map((group) => line("td", {}, cells(group)));
  const head = line("th", { scope: "col" }, heads);
  section.append(element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "What the overflow got" }, element("table", { className: "groups" }, element("thead", {}, head), element("tbody", {}, ...body))));
  table(section, "Table: each request of the overflow", ["id", "place at the count", "begun, ms", "connected, ms", "sent, ms", "entered, ms", "ended, ms", "in the end"], () =>
    rows.map((row) => [String(row.id), row.place, ms(row.begun), ms(row.connected), ms(row.sent), ms(row.entered), ms(row.done), row.end]));
});
