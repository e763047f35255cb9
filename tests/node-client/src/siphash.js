// siphash.js: SipHash-2-4 (Aumasson and Bernstein, 2012).

const MASK = (1n << 64n) - 1n;
const rotate = (word, bits) => ((word << bits) | (word >> (64n - bits))) & MASK;

function round(v) {
  v[0] = (v[0] + v[1]) & MASK;
  v[2] = (v[2] + v[3]) & MASK;
  v[1] = rotate(v[1], 13n) ^ v[0];
  v[3] = rotate(v[3], 16n) ^ v[2];
  v[0] = rotate(v[0], 32n);
  v[2] = (v[2] + v[1]) & MASK;
  v[0] = (v[0] + v[3]) & MASK;
  v[1] = rotate(v[1], 17n) ^ v[2];
  v[3] = rotate(v[3], 21n) ^ v[0];
  v[2] = rotate(v[2], 32n);
}

// The last word: what is left of the message, and its length modulo 256.
function lastWord(message) {
  const word = Buffer.alloc(8);
  message.subarray(message.length & ~7).copy(word);
  word[7] = message.length & 0xff;
  return word.readBigUInt64LE();
}

// `key` is 16 bytes; the answer is a BigInt of 64 bits.
export function siphash24(key, message) {
  const k0 = key.readBigUInt64LE(0);
  const k1 = key.readBigUInt64LE(8);
  const v = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  const absorb = (word) => {
    v[3] ^= word;
    round(v);
    round(v);
    v[0] ^= word;
  };
  for (let at = 0; at + 8 <= message.length; at += 8) absorb(message.readBigUInt64LE(at));
  absorb(lastWord(message));
  v[2] ^= 0xffn;
  for (let i = 0; i < 4; i += 1) round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
