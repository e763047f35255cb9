// batches.js: signed batches, those that do not follow or are not the device's own.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { makeBatch, signBatch } from '../../node-client/src/batch.js';
import { hex } from '../../node-client/src/bytes.js';
import { rawPublicKey } from '../../node-client/src/certificate.js';
import { encode } from '../../node-client/src/wire.js';
import { bytesOf, F, integer, operation, text, write } from './writing.js';
import { block, number } from './raw.js';

function identityOf(seed) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  const device = createHash('sha256').update(publicKey).digest().subarray(0, 16).toString('hex');
  return { seed, privateKey, publicKey, device };
}

const ONE = identityOf(Buffer.alloc(32, 1));
const OTHER = identityOf(Buffer.alloc(32, 2));
const HASH = createHash('sha256').update('the batch before').digest();
const first = Buffer.from(bytesOf(operation([write(F.summary, text('Cell 4 is cold.'))]), ONE.device), 'hex');
const second = Buffer.from(bytesOf(operation([write(F.beds, integer(4))]), ONE.device), 'hex');

const make = (changes) => makeBatch({ identity: ONE, firstCounter: 1n, operations: [first], ...changes });
const atStart = { counter: 0n, hash: Buffer.alloc(32) };
const following = { counter: 6n, hash: HASH };
const seventh = make({ firstCounter: 7n, previousHash: HASH });
const beginning = make({});

// A batch around any content, rightly signed.
const around = (content) => signBatch({ identity: ONE, firstCounter: 1n, count: 1, content });

const VALID = {
  'the first batch of a device': [beginning, atStart],
  'a batch after another': [seventh, following],
  'two operations': [make({ operations: [first, second] }), atStart],
  'an operation that nobody can read': [make({ operations: [Buffer.from('nonsense')] }), atStart],
  'an operation of no bytes': [make({ operations: [Buffer.alloc(0), first] }), atStart],
  'the greatest counter': [make({ firstCounter: 18446744073709551615n, previousHash: HASH }), following],
  '500 operations': [make({ operations: Array.from({ length: 500 }, () => Buffer.alloc(0)) }), atStart],
};

const flipped = (bytes) => Buffer.concat([Buffer.from([bytes[0] ^ 1]), bytes.subarray(1)]);
const changed = ({ message }, changes) => ({ ...message, ...changes });
const list = (...operations) => encode('OperationList', { operations });

const INVALID = {
  bad_signature: {
    'a signature with a bit flipped': [changed(beginning, { signature: flipped(beginning.message.signature) }), atStart],
    'a signature of 63 bytes': [changed(beginning, { signature: beginning.message.signature.subarray(1) }), atStart],
    'no signature': [changed(beginning, { signature: Buffer.alloc(0) }), atStart],
    'content with a bit flipped': [changed(beginning, { content: flipped(beginning.message.content) }), atStart],
    'content that goes on': [changed(beginning, { content: Buffer.concat([beginning.message.content, list(first)]) }), atStart],
    'another counter': [changed(beginning, { first_counter: 2n }), atStart],
    'another hash with the same first bytes': [seventh.message, { counter: 6n, hash: Buffer.concat([HASH.subarray(0, 8), Buffer.alloc(24)]) }],
    "another device's key": [makeBatch({ identity: { ...OTHER, device: ONE.device }, firstCounter: 1n, operations: [first] }).message, atStart],
    "another device's batch": [makeBatch({ identity: OTHER, firstCounter: 1n, operations: [first] }).message, atStart],
  },
  batch_chain_broken: {
    'a first batch after another': [beginning.message, following],
    'a batch after another that is the first': [seventh.message, atStart],
    'a batch after some other': [seventh.message, { counter: 6n, hash: flipped(HASH) }],
    'a hash of 7 bytes': [changed(seventh, { previous_hash_prefix: HASH.subarray(0, 7) }), following],
    'a hash of 32 bytes': [changed(seventh, { previous_hash_prefix: HASH }), following],
  },
  unsupported_encoding: { 'an unknown encoding': [changed(beginning, { encoding: 7 }), atStart] },
  malformed_request: {
    'no operation': [around(Buffer.alloc(0)).message, atStart],
    'content that is no list': [around(Buffer.from('ffffff', 'hex')).message, atStart],
    'content cut short': [around(list(first).subarray(0, 20)).message, atStart],
    'content with another field': [around(Buffer.concat([list(first), number(2, 1)])).message, atStart],
    'content with another wire type': [around(number(1, 1)).message, atStart],
    'a second operation cut short': [around(Buffer.concat([list(first), block(1, second).subarray(0, 9)])).message, atStart],
  },
  too_many_elements: { '501 operations': [make({ operations: Array.from({ length: 501 }, () => Buffer.alloc(0)) }).message, atStart] },
};

const standing = ({ counter, hash }) => ({ device: ONE.device, public_key: ONE.publicKey, last_counter: counter, last_hash: hash });

export const batches = () => ({
  valid: Object.entries(VALID).map(([name, [{ message, hash }, last]]) => ({
    name,
    ...standing(last),
    seed: hex(ONE.seed),
    first_counter: message.first_counter,
    content: message.content,
    signature: message.signature,
    hash,
    bytes: encode('Batch', message),
  })),
  invalid: Object.entries(INVALID).flatMap(([code, cases]) =>
    Object.entries(cases).map(([name, [message, last]]) => ({ name, code, ...standing(last), bytes: encode('Batch', message) })),
  ),
});
