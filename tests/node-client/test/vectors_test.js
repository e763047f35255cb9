// vectors_test.js: the conformance vectors, read by the Node client. The C++ side reads
// the same files in tests/conformance/vectors_test.cpp.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { test } from 'node:test';
import { batchHash, bytesToSign } from '../src/batch.js';
import { hex, unhex } from '../src/bytes.js';
import { checkBatch } from '../src/check_batch.js';
import { checkOperation } from '../src/check_operation.js';
import { parseEnrolmentText } from '../src/enrolment_text.js';
import { decodeOperation, encodeOperation } from '../src/operation.js';
import { applyChangedFields, decodeRecord, encodeBody, encodeHead, hashBytes, recordHash } from '../src/record_codec.js';
import { RecordState } from '../src/record_state.js';
import { refuseWhen } from '../src/refusal.js';
import { countCharacters } from '../src/text.js';
import { valueBytes } from '../src/value.js';
import { isHidden, viewField } from '../src/view.js';
import { decode } from '../src/wire.js';
import { form, valueOf, vectors } from './support/vectors.js';

const FORM = form();
const hash64 = (hash) => hash.toString(16).padStart(16, '0');

// Runs the cases of one file: `read` throws where it refuses.
function eachCase(name, { valid, read }) {
  const cases = vectors(name);
  for (const one of cases.valid) test(`${name}: ${one.name}`, () => valid(one));
  for (const one of cases.invalid) {
    test(`${name}: ${one.name} is refused`, () => assert.throws(() => read(one), { code: one.code }));
  }
}

function operationOf({ writes, claimed, ...rest }) {
  const replaces = (list) => list.map((one) => ({ ...one, counter: BigInt(one.counter) }));
  return {
    ...rest,
    claimed: BigInt(claimed),
    writes: writes.map((write) => ({ ...write, value: valueOf(write.value), replaces: replaces(write.replaces) })),
  };
}

function readOperation({ bytes, device, counter }) {
  const operation = decodeOperation(unhex(bytes), { device, counter: BigInt(counter) });
  assert.equal(hex(encodeOperation(operation, device)), bytes, 'what is read is written the same, also where it is refused then');
  checkOperation(operation, FORM);
  return operation;
}

eachCase('operations', {
  valid(one) {
    const meaning = operationOf(one.operation);
    assert.deepEqual(readOperation(one), meaning);
    assert.equal(hex(encodeOperation(meaning, one.device)), one.bytes);
  },
  read: readOperation,
});

function readBatch({ bytes, device, public_key: publicKey, last_counter: counter, last_hash: hash }) {
  const last = { counter: BigInt(counter), hash: unhex(hash) };
  return checkBatch(decode('Batch', unhex(bytes)), { device, publicKey: unhex(publicKey) }, last);
}

eachCase('batches', {
  valid(one) {
    assert.equal(hex(readBatch(one).hash), one.hash);
    assert.equal(createHash('sha256').update(unhex(one.public_key)).digest('hex').slice(0, 32), one.device);
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), unhex(one.seed)]);
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    const hash = batchHash({
      device: one.device,
      firstCounter: BigInt(one.first_counter),
      previousHash: unhex(one.last_hash),
      encoding: 0,
      content: unhex(one.content),
    });
    assert.equal(hex(hash), one.hash);
    assert.equal(hex(sign(null, bytesToSign(hash), key)), one.signature);
  },
  read: readBatch,
});

const readRecord = ({ head, body }) => decodeRecord(unhex(head), unhex(body));

eachCase('records', {
  valid(one) {
    const state = readRecord(one);
    assert.deepEqual([hex(encodeHead(state)), hex(encodeBody(state))], [one.head, one.body]);
  },
  read: readRecord,
});

eachCase('changed_fields', {
  valid(one) {
    const after = applyChangedFields(readRecord(one.before), unhex(one.head), unhex(one.changed));
    assert.deepEqual([hex(encodeHead(after)), hex(encodeBody(after))], [one.head, one.body]);
  },
});

function arrivalOf({ device, counter, author, effective, received, seq, bytes }) {
  const operation = decodeOperation(unhex(bytes), { device, counter: BigInt(counter) });
  const times = { claimed: operation.claimed, effective: BigInt(effective), received: BigInt(received), seq: BigInt(seq) };
  return { operation, stamp: { device, counter: BigInt(counter), author, machine: operation.machine, ...times } };
}

function stateAfter(arrivals) {
  const state = new RecordState(arrivals[0].operation);
  for (const { operation, stamp } of arrivals) state.apply(operation, stamp);
  return state;
}

// A set has no order of its own.
const shownBytes = (values, isSet) => {
  const bytes = values.map((value) => hex(valueBytes(value)));
  return isSet ? bytes.sort() : bytes;
};

function checkShown(state, { item, field: number, values, conflict }) {
  const field = FORM.fields.find((one) => one.number === number);
  const isSet = field.name === 'areas' || field.name === 'names';
  const view = viewField(state, field, item);
  assert.deepEqual(shownBytes(view.values, isSet), shownBytes(values.map(valueOf), isSet));
  assert.equal(view.conflict, conflict);
}

eachCase('merges', {
  valid(one) {
    const arrivals = one.operations.map(arrivalOf);
    for (const order of one.orders) {
      const state = stateAfter(order.map((at) => arrivals[at]));
      assert.deepEqual([hex(encodeHead(state)), hex(encodeBody(state))], [one.head, one.body], `in the order ${order}`);
      assert.equal(hash64(recordHash(state)), one.hash);
      for (const shown of one.shown) checkShown(state, shown);
      assert.equal(isHidden(state), one.hidden);
      for (const item of one.hidden_items) assert.equal(isHidden(state, item), true);
    }
    assert.deepEqual(readRecord(one), stateAfter(arrivals), 'its bytes are read back');
  },
});

function readText({ bytes }) {
  const characters = countCharacters(unhex(bytes));
  refuseWhen(characters === undefined, 'invalid_text', bytes);
  return characters;
}

eachCase('texts', { valid: (one) => assert.equal(readText(one), one.characters), read: readText });

eachCase('enrolments', {
  valid({ text, host, port, pins, code }) {
    assert.deepEqual(parseEnrolmentText(text), { host, port, pins, code });
  },
  read: ({ text }) => parseEnrolmentText(text),
});

eachCase('hashes', { valid: (one) => assert.equal(hash64(hashBytes(unhex(one.bytes))), one.hash) });

test('there are at least a hundred cases that pass and a hundred that are refused', () => {
  const files = ['operations', 'batches', 'records', 'changed_fields', 'merges', 'texts', 'enrolments', 'hashes'].map(vectors);
  const count = (kind) => files.reduce((sum, file) => sum + file[kind].length, 0);
  assert.ok(count('valid') >= 100 && count('invalid') >= 100);
});
