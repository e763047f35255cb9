// writing.js: what the hand-written cases are written with.
import { hex, unhex } from '../../node-client/src/bytes.js';
import { encodeOperation } from '../../node-client/src/operation.js';

export const A = 'a1'.repeat(16);
export const B = 'b2'.repeat(16);
export const C = 'c3'.repeat(16);
export const P = '01'.repeat(16); // people
export const Q = '02'.repeat(16);
export const RECORD = 'e5'.repeat(16);
export const SCOPE = '5c'.repeat(16);
export const ITEM = '10'.repeat(16);
export const OTHER_ITEM = '20'.repeat(16);

// The form's fields, see vectors/form.json.
export const F = {
  existence: 0, summary: 1, beds: 2, ratio: 3, announced: 4, kind: 5, planned: 6, arrived: 7, facility: 8, position: 9,
  photo: 10, names: 11, areas: 12, team: 13, member: 14, verdict: 15, risk: 16, lowest: 17, flag: 18, consent: 19,
  notes: 20, spoken: 21, identity: 22, unknown: 999,
};

export const text = (content) => ({ text: content });
export const integer = (number) => ({ integer: BigInt(number) });
export const choice = (code) => ({ choice: code });
export const EMPTY = { empty: true };
// A photo with a preview, but for the `changes`.
export const attachment = (changes = {}) => ({
  attachment: {
    sha256: Buffer.alloc(32, 9), size: 2_400_000, kind: 2, media_type: 'image/jpeg', name: 'IMG_4.jpg',
    preview: { sha256: Buffer.alloc(32, 8), size: 9000 }, ...changes,
  },
});
export const deletion = (...seen) => ({
  deletion: { device: seen.map(([device]) => unhex(device)), counter: seen.map(([, counter]) => BigInt(counter)) },
});

// A value's name, and a write of a field.
export const of = (device, counter, place = 0) => ({ device, counter: BigInt(counter), place });
export const write = (field, value, replaces = [], item = '') => ({ item, field, value, replaces });
export const inItem = (item, field, value, replaces = []) => write(field, value, replaces, item);

export function operation(writes, changes = {}) {
  return { record: RECORD, scope: SCOPE, form: 'visit', finalise: false, claimed: 1000n, machine: false, writes, ...changes };
}

// Values as they stand in the vectors: bytes are hexadecimal; whole numbers of 64 bits,
// and numbers with a fraction, are text, because readers of JSON differ there.
export function plain(value) {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, content]) => [key, key === 'number' ? String(content) : plain(content)]));
}

export const bytesOf = (one, sender = A) => hex(encodeOperation(one, sender));
