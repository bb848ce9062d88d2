// Holds values against JSON Schemas, with Ajv. Standard input: {"documents": {id: document},
// "cases": [[reference, value], …]}; standard output: for each case null, or what is wrong.
import { text } from "node:stream/consumers";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const Ajv = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;

const { documents, cases } = JSON.parse(await text(process.stdin));
const ajv = addFormats(new Ajv({ strict: false, allErrors: true, logger: false }));
for (const [id, document] of Object.entries(documents)) {
  ajv.addSchema(document, id, undefined, false);
}
const checks = new Map();
const found = cases.map(([reference, value]) => {
  if (!checks.has(reference)) {
    checks.set(reference, ajv.compile({ $ref: reference }));
  }
  const check = checks.get(reference);
  return check(value) ? null : ajv.errorsText(check.errors);
});
console.log(JSON.stringify(found));
