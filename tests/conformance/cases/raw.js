// raw.js: protobuf written by hand, for what no encoder would write.

export function varint(number, bytes = 0) {
  const out = [];
  let left = BigInt.asUintN(64, BigInt(number));
  do {
    out.push(Number(left & 0x7fn));
    left >>= 7n;
  } while (left > 0n || out.length < bytes);
  return Buffer.from(out.map((byte, i) => (i < out.length - 1 ? byte | 0x80 : byte)));
}

const tag = (field, wireType) => varint((field << 3) | wireType);
export const number = (field, value, bytes) => Buffer.concat([tag(field, 0), varint(value, bytes)]);
export const fixed64 = (field) => Buffer.concat([tag(field, 1), Buffer.alloc(8, 1)]);
export const group = (field) => Buffer.concat([tag(field, 3), tag(field, 4)]);

export function block(field, ...parts) {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([tag(field, 2), varint(content.length), content]);
}
