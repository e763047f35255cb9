// check_batch.js: whether a batch is its device's own and follows its last one.
import { createPublicKey, verify } from 'node:crypto';
import { batchHash, bytesToSign } from './batch.js';
import { decodeCanonical } from './canonical.js';
import { refuseWhen } from './refusal.js';
import { enumeration } from './wire.js';

const PLAIN = enumeration('Encoding').ENCODING_PLAIN;
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const OPERATIONS_MAX = 500;

export const publicKeyOf = (raw) => createPublicKey({ key: Buffer.concat([ED25519_PREFIX, raw]), format: 'der', type: 'spki' });

// `last` is {counter, hash} of the device's last batch. Answers the batch's own hash and
// its operations' bytes.
export function checkBatch(batch, { device, publicKey }, last) {
  const prefix = last.counter === 0n ? Buffer.alloc(0) : last.hash.subarray(0, 8);
  refuseWhen(!batch.previous_hash_prefix.equals(prefix), 'batch_chain_broken', 'another batch before it');
  refuseWhen(batch.encoding !== PLAIN, 'unsupported_encoding', 'an encoding that this client does not read');
  const hash = batchHash({
    device,
    firstCounter: batch.first_counter,
    previousHash: last.hash,
    encoding: batch.encoding,
    content: batch.content,
  });
  refuseWhen(!verify(null, bytesToSign(hash), publicKeyOf(publicKey), batch.signature), 'bad_signature', 'not signed by the device');
  const { operations } = decodeCanonical('OperationList', batch.content, 'malformed_request');
  refuseWhen(operations.length === 0, 'malformed_request', 'no operation');
  refuseWhen(operations.length > OPERATIONS_MAX, 'too_many_elements', 'more than 500 operations');
  return { hash, operations };
}
