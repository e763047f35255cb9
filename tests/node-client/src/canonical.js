// canonical.js: messages that can be read in one way only.
import { Refused } from './refusal.js';
import { decode, encode } from './wire.js';

// Text that is not UTF-8 comes out of the decoder with U+FFFD in its place.
const holdsReplacement = (value) => {
  if (typeof value === 'string') return value.includes('\ufffd');
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return false;
  return Object.values(value).some(holdsReplacement);
};

// Decodes, and refuses with `code` what would be written in other bytes: unknown fields,
// defaults, numbers in too many bytes, another order, fields that stand twice.
export function decodeCanonical(name, bytes, code, codeOfText = code) {
  let message;
  try {
    message = decode(name, bytes);
  } catch (error) {
    throw new Refused(code, error.message);
  }
  if (encode(name, message).equals(bytes)) return message;
  throw holdsReplacement(message) ? new Refused(codeOfText, 'not UTF-8') : new Refused(code, 'not the canonical bytes');
}
