// batch.js: consecutive operations of one device, signed as exact bytes and chained.
import { createHash, sign } from 'node:crypto';
import { bigEndian64, unhex } from './bytes.js';
import { encode, enumeration } from './wire.js';

const PLAIN = enumeration('Encoding').ENCODING_PLAIN;
const NO_HASH = Buffer.alloc(32);

export function batchHash({ device, firstCounter, previousHash, encoding, content }) {
  return createHash('sha256')
    .update('fieldsync batch v1\0')
    .update(unhex(device))
    .update(bigEndian64(firstCounter))
    .update(previousHash)
    .update(Buffer.from([encoding]))
    .update(content)
    .digest();
}

// What the device signs: not the batch, but its hash.
export const bytesToSign = (hash) => Buffer.concat([Buffer.from('fieldsync signature v1\0'), hash]);

// `operations` are serialised; `previousHash` is undefined for a device's first batch.
export function makeBatch({ operations, ...batch }) {
  return signBatch({ ...batch, count: operations.length, content: encode('OperationList', { operations }) });
}

export function signBatch({ identity, firstCounter, previousHash, count, content }) {
  const hash = batchHash({
    device: identity.device,
    firstCounter,
    previousHash: previousHash ?? NO_HASH,
    encoding: PLAIN,
    content,
  });
  return {
    lastCounter: firstCounter + BigInt(count) - 1n,
    hash,
    message: {
      first_counter: firstCounter,
      previous_hash_prefix: previousHash ? previousHash.subarray(0, 8) : Buffer.alloc(0),
      signature: sign(null, bytesToSign(hash), identity.privateKey),
      encoding: PLAIN,
      content,
    },
  };
}
