// Validates an AsyncAPI document with the official parser; prints its findings as JSON.
// The parser is found beside the working directory, where the test has installed it.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { Parser } = require("@asyncapi/parser");

const text = await readFile(process.argv[2], "utf-8");
const { document, diagnostics } = await new Parser().parse(text);
const findings = diagnostics.map(({ severity, message, path: place }) => ({
  severity,
  message,
  place: place.join("."),
}));
const found = document && {
  version: document.version(),
  channels: document.channels().all().map((channel) => channel.id()),
  operations: document.operations().all().map((operation) => ({
    id: operation.id(),
    action: operation.action(),
    messages: operation.messages().all().map((message) => message.name()),
  })),
};
console.log(JSON.stringify({ findings, document: found ?? null }));
