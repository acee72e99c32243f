// Perfetto's trace processor, the WebAssembly that its page runs in a worker: a trace and SQL in, rows as JSON out.
//
//   node trace_processor.js DIRECTORY-OF-THE-PAGE TRACE QUERY...
//
// It is asked in protocol buffers; of those, only what is used is written out here.
// Source: protos/perfetto/trace_processor/trace_processor.proto of Perfetto.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [page, trace, ...queries] = process.argv.slice(2);
const APPEND = 1, FINALIZE = 2, QUERY = 3;
const DATA = 101, QUERY_ARGS = 103, QUERY_RESULT = 203;
const PIECE = 1 << 24;

// --- a worker's surroundings, as far as the page's script asks for them ---

class FileRequest {
  open(_method, url) { this.file = path.join(page, path.basename(url)); }
  send() { this.response = copied(fs.readFileSync(this.file)).buffer; }
}

const quiet = () => {};
const worker = {
  XMLHttpRequest: FileRequest, WorkerGlobalScope: quiet, location: { href: "http://localhost/engine_bundle.js" },
  URL, TextDecoder, TextEncoder, performance, setTimeout, clearTimeout, crypto: globalThis.crypto,
  console: { log: quiet, info: quiet, debug: quiet, warn: quiet, error: (...said) => process.stderr.write(`${said.join(" ")}\n`) },
};
worker.self = worker;
vm.createContext(worker);
const Bytes = vm.runInContext("Uint8Array", worker);
const copied = (bytes) => new Bytes(bytes);

// --- protocol buffers ---

function varint(number) {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return Buffer.from([...bytes, number]);
}
const message = (field, bytes) => Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);

function* fields(bytes) {
  let at = 0;
  function read() {
    let value = 0n, shift = 0n, byte;
    do {
      byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
    } while (byte > 127);
    return BigInt.asIntN(64, value);
  }
  while (at < bytes.length) {
    const key = Number(read());
    if (key % 8 === 0) yield [key >> 3, read()];
    else if (key % 8 === 2) {
      const size = Number(read());
      yield [key >> 3, bytes.subarray(at, at + size)];
      at += size;
    } else throw new Error(`wire type ${key % 8}`);
  }
}

function varints(bytes) {
  const values = [];
  let value = 0n, shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(Number(BigInt.asIntN(64, value)));
      value = shift = 0n;
    }
  }
  return values;
}

// --- asking it ---

let received = [];
let asked = 0;
const port = { postMessage: (bytes) => received.push(Buffer.from(bytes)) };

function ask(method, argument = Buffer.alloc(0)) {
  received = [];
  port.onmessage({ data: copied(message(1, Buffer.concat([number(1, ++asked), number(2, method), argument]))) });
  return [...fields(Buffer.concat(received))].map(([, reply]) => [...fields(reply)]);
}

const ofKind = {
  1: () => null,
  2: (batch) => batch.integers.shift(),
  3: (batch) => batch.floats.shift(),
  4: (batch) => batch.strings.shift(),
};

function cellsOf(bytes) {
  const parts = [...fields(bytes)];
  const of = (field) => parts.filter(([each]) => each === field).map(([, part]) => part);
  const batch = {
    integers: of(2).flatMap(varints),
    floats: of(3).flatMap((part) => Array.from({ length: part.length / 8 }, (_, each) => part.readDoubleLE(each * 8))),
    strings: of(5).flatMap((part) => part.toString().split("\0")),
  };
  return of(1).flatMap((part) => [...part]).map((kind) => ofKind[kind](batch));
}

function rows(sql) {
  const names = [], cells = [];
  for (const [field, result] of ask(QUERY, message(QUERY_ARGS, message(1, Buffer.from(sql)))).flat()) {
    if (field !== QUERY_RESULT) continue;
    for (const [part, value] of fields(result)) {
      if (part === 1) names.push(value.toString());
      if (part === 2 && value.length) throw new Error(value.toString());
      if (part === 3) cells.push(...cellsOf(value));
    }
  }
  const many = names.length ? cells.length / names.length : 0;
  return Array.from({ length: many }, (_, row) => cells.slice(row * names.length, (row + 1) * names.length));
}

vm.runInContext(fs.readFileSync(path.join(page, "engine_bundle.js"), "utf8"), worker);
worker.onmessage({ data: port });
setImmediate(() => {
  const bytes = fs.readFileSync(trace);
  for (let at = 0; at < bytes.length; at += PIECE) ask(APPEND, message(DATA, bytes.subarray(at, at + PIECE)));
  ask(FINALIZE);
  process.stdout.write(JSON.stringify(queries.map(rows)));
});
