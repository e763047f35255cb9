// bytes.js: ids and other bytes as lower-case hexadecimal text, which sorts as the bytes do.
import { randomBytes } from 'node:crypto';

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (text) => Buffer.from(text, 'hex');
export const randomId = () => hex(randomBytes(16));

export function bigEndian64(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

export function littleEndian64(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
}
