// value.js: when two values are the same: where their canonical bytes are.
import { encode } from './wire.js';

export const valueBytes = (value) => encode('Value', value);
export const sameValue = (a, b) => valueBytes(a).equals(valueBytes(b));
