// make_vectors.js: writes vectors/*.json from the hand-written cases, with the Node client.
import { readFileSync, writeFileSync } from 'node:fs';
import { formOf } from '../node-client/test/support/vectors.js';
import { batches } from './cases/batches.js';
import { merges } from './cases/merges.js';
import { operations } from './cases/operations.js';
import { changedFields, records } from './cases/records.js';
import { enrolments, hashes, texts } from './cases/texts.js';
import { plain } from './cases/writing.js';

const folder = new URL('vectors/', import.meta.url);
const form = formOf(readFileSync(new URL('form.json', folder), 'utf8'));

const files = {
  batches: batches(),
  changed_fields: changedFields(),
  enrolments: enrolments(),
  hashes: hashes(),
  merges: merges(form),
  operations: operations(),
  records: records(),
  texts: texts(),
};

// One case a line: a change of one case is a change of one line.
const lines = (cases) => cases.map((one) => `    ${JSON.stringify(plain(one))}`).join(',\n');

for (const [name, { valid, invalid = [] }] of Object.entries(files)) {
  const text = `{\n  "valid": [\n${lines(valid)}\n  ],\n  "invalid": [\n${lines(invalid)}\n  ]\n}\n`;
  writeFileSync(new URL(`${name}.json`, folder), text);
  console.log(`${name}.json: ${valid.length} valid, ${invalid.length} invalid`);
}
