// batch.js: consecutive operations of one device, signed as exact bytes and chained.
import { createHash, sign } from 'node:crypto';
import { bigEndian64, unhex } from './bytes.js';
import { encode, enumeration } from './wire.js';

const PLAIN = enumeration('Encoding').ENCODING_PLAIN;
const NO_HASH = Buffer.alloc(32);

export function signedBytes({ device, firstCounter, previousHash, encoding, content }) {
  return Buffer.concat([
    Buffer.from('fieldsync batch v1\0'),
    unhex(device),
    bigEndian64(firstCounter),
    previousHash,
    Buffer.from([encoding]),
    content,
  ]);
}

export const hashOf = (bytes) => createHash('sha256').update(bytes).digest();

// `operations` are serialised; `previousHash` is undefined for a device's first batch.
export function makeBatch({ operations, ...batch }) {
  return signBatch({ ...batch, count: operations.length, content: encode('OperationList', { operations }) });
}

export function signBatch({ identity, firstCounter, previousHash, count, content }) {
  const signed = signedBytes({
    device: identity.device,
    firstCounter,
    previousHash: previousHash ?? NO_HASH,
    encoding: PLAIN,
    content,
  });
  return {
    lastCounter: firstCounter + BigInt(count) - 1n,
    hash: hashOf(signed),
    message: {
      first_counter: firstCounter,
      previous_hash_prefix: previousHash ? previousHash.subarray(0, 8) : Buffer.alloc(0),
      signature: sign(null, signed, identity.privateKey),
      encoding: PLAIN,
      content,
    },
  };
}
