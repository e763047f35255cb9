// vectors.js: the conformance vectors and the values in them.
import { readFileSync } from 'node:fs';
import { unhex } from '../../src/bytes.js';
import { enumeration } from '../../src/wire.js';

const folder = new URL('../../../conformance/vectors/', import.meta.url);
const LARGE = ['integer', 'instant'];

export const vectors = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));

// A form in proto's JSON mapping, with numbers for its enumerations.
export function formOf(json) {
  const form = JSON.parse(json);
  const fields = form.fields.map((field) => ({
    choices: [],
    group: 0,
    ...field,
    type: enumeration('FieldType')[field.type],
    policy: enumeration('MergePolicy')[field.policy ?? 'MERGE_POLICY_REGISTER'],
    confidentiality: enumeration('Confidentiality')[field.confidentiality],
  }));
  return { ...form, fields };
}

export const form = () => formOf(readFileSync(new URL('form.json', folder), 'utf8'));

const fileOf = ({ sha256, ...rest }) => ({ sha256: unhex(sha256), ...rest });
const attachmentOf = ({ preview, ...rest }) => ({ ...fileOf(rest), ...(preview && { preview: fileOf(preview) }) });

// A value as it stands in the vectors, as one of wire.js.
export function valueOf(plain) {
  const [[kind, content]] = Object.entries(plain);
  if (kind === 'reference') return { reference: unhex(content) };
  if (kind === 'attachment') return { attachment: attachmentOf(content) };
  if (LARGE.includes(kind)) return { [kind]: BigInt(content) };
  if (kind === 'number') return { number: Number(content) };
  if (kind === 'deletion') return { deletion: { device: content.device.map(unhex), counter: content.counter.map(BigInt) } };
  if (kind !== 'sealed') return plain;
  const keys = content.keys.map(({ holder, box }) => ({ holder: unhex(holder), box: unhex(box) }));
  return { sealed: { key_generation: content.key_generation, ciphertext: unhex(content.ciphertext), keys } };
}
