// refusals_test.js: what a server refuses, with the stable code that says why.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeBatch } from '../src/batch.js';
import { randomId, unhex } from '../src/bytes.js';
import { Device } from '../src/device.js';
import { encodeOperation } from '../src/operation.js';
import { post } from '../src/transport.js';
import { encode } from '../src/wire.js';
import { Hand } from './support/hand.js';
import { Office } from './support/office.js';

let office;
before(async () => {
  office = await Office.open();
});
after(() => office?.close());

const refused = (code, status) => (problem) => {
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  return true;
};

const note = (text) => ({ item: '', field: 46, value: { text }, replaces: [] });

function operation(device, fields = {}) {
  return encodeOperation({ record: randomId(), scope: device.scope, form: 'visit', claimed: 1n, writes: [note('x')], ...fields }, device.id);
}

// A batch that would follow the device's last one, with `changes` to its message.
function nextBatch(device, changes = {}) {
  const previous = device.batches.at(-1);
  const firstCounter = (previous?.lastCounter ?? 0n) + 1n;
  const made = makeBatch({ identity: device.identity, firstCounter, previousHash: previous?.hash, operations: [operation(device)] });
  return { ...made.message, ...changes };
}

test('an operation that may not be applied is kept aside, and the others go through', async () => {
  const device = await office.enrolled('Bakyt');
  const hand = new Hand(device);
  const others = await office.server.app('aigul', 'new', 'facility', 'kind=ivs');
  await office.syncAll();
  await device.sync();
  const kept = hand.create('Before.');
  const bad = [
    ['malformed_operation', Buffer.from('not an operation')],
    ['malformed_operation', operation(device, { writes: [] })],
    ['malformed_operation', operation(device, { writes: [note('a'), note('b')] })],
    ['malformed_operation', operation(device, { record: '00'.repeat(15) })],
    ['malformed_operation', operation(device, { writes: [{ ...note('a'), item: 'ff' }] })],
    ['malformed_operation', operation(device, { writes: [{ ...note('a'), value: {} }] })],
    ['malformed_operation', operation(device, { writes: [{ ...note('a'), replaces: [{ device: device.id, counter: 9999n, place: 0 }] }] })],
    ['unknown_form', operation(device, { form: 'no_such_form' })],
    ['scope_not_found', operation(device, { scope: randomId() })],
    ['wrong_context', operation(device, { record: others.id })],
    ['wrong_context', operation(device, { writes: [{ ...note('a'), item: randomId() }] })],
    ['wrong_value_type', operation(device, { writes: [{ ...note('a'), value: { integer: 1n } }] })],
    ['wrong_value_type', operation(device, { writes: [{ ...note('a'), field: 0 }] })],
    ['value_out_of_range', operation(device, { writes: [{ item: '', field: 2, value: { choice: 'no_such_choice' }, replaces: [] }] })],
    ['value_too_large', operation(device, { writes: [note('x'.repeat(65537))] })],
    ['invalid_text', operation(device, { writes: [note('bell \u0007')] })],
    ['not_supported_yet', encode('Operation', { record: unhex(randomId()), scope: unhex(device.scope), form: 'visit', kind: 1 })],
  ];
  const codes = new Map();
  for (const [code, bytes] of bad) {
    device.saveUnread(bytes);
    codes.set(device.lastCounter, code);
  }
  const last = hand.create('After.');
  await device.sync();
  assert.deepEqual(new Map([...device.refused].map(([counter, result]) => [counter, result.code])), codes);
  const toldAgain = async (digest) => (await device.request(digest === undefined ? {} : { refusals_digest: digest })).results.length;
  assert.equal(await toldAgain(), 0);
  assert.equal(await toldAgain(0n), codes.size);
  await office.chynara.sync();
  assert.ok(office.chynara.view(kept) && office.chynara.view(last));
  assert.equal(device.digest(), office.chynara.digest());
});

test('a field that must be sealed is refused with its whole batch', async () => {
  const device = await office.enrolled('Bakyt');
  new Hand(device).create('Not stored.');
  device.saveBytes(operation(device, { writes: [{ item: '', field: 66, value: { text: 'A name' }, replaces: [] }] }));
  await assert.rejects(device.sync(), refused('must_be_sealed', 422));
  assert.equal((await device.request({})).acknowledged_counter, 0n);
});

test('a batch that is not signed by its device, or does not follow, changes nothing', async () => {
  const device = await office.enrolled('Bakyt');
  new Hand(device).create('First.');
  await device.sync();
  const known = device.batches.at(-1);
  const batch = nextBatch(device);
  const flipped = Buffer.from(batch.signature);
  flipped[0] ^= 1;
  await assert.rejects(device.request({ batch: { ...batch, signature: flipped } }), refused('bad_signature', 422));
  await assert.rejects(device.request({ batch: { ...batch, content: Buffer.concat([batch.content, batch.content]) } }), refused('bad_signature', 422));
  await assert.rejects(device.request({ batch: { ...batch, previous_hash_prefix: Buffer.alloc(8) } }), refused('batch_chain_broken', 409));
  await assert.rejects(device.request({ batch: { ...batch, previous_hash_prefix: Buffer.alloc(0) } }), refused('batch_chain_broken', 409));
  await assert.rejects(device.request({ batch: { ...batch, first_counter: 0n } }), refused('malformed_request', 400));
  await assert.rejects(device.request({ batch: { ...batch, encoding: 7 } }), refused('unsupported_encoding', 415));
  assert.equal((await device.request({ batch: { ...batch, first_counter: 5n } })).expected_counter, 2n, 'a gap');
  await assert.rejects(device.request({ batch: { ...batch, first_counter: 1n } }), refused('device_forked', 409));
  assert.equal((await device.request({ batch: known.message })).expected_counter, 2n, 'known already');
  assert.equal((await device.request({ batch })).acknowledged_counter, 2n, 'the batch itself was good');
});

test('requests that make no sense are refused with a stable code', async () => {
  const device = await office.enrolled('Bakyt');
  const other = await office.enrolled('Chynara');
  const cursorOf = (one) => one.replicas.get(one.scope).position();
  await assert.rejects(device.request({ protocol_version: 2 }), refused('unsupported_protocol_version', 400));
  await assert.rejects(device.request({ positions: [cursorOf(other)] }), refused('bad_cursor', 400));
  await assert.rejects(device.request({ positions: [{ cursor: Buffer.from('no cursor'), digest: 0n }] }), refused('bad_cursor', 400));
  const send = (path, body, options) => post(device.server, path, body, options);
  await assert.rejects(send('/v1/nothing', Buffer.alloc(0)), refused('unknown_endpoint', 404));
  await assert.rejects(send('/v1/sync', Buffer.alloc(0), { method: 'PUT' }), refused('method_not_allowed', 405));
  await assert.rejects(send('/v1/sync', Buffer.alloc(0), { type: 'text/plain' }), refused('unsupported_media_type', 415));
  await assert.rejects(send('/v1/sync', Buffer.alloc(0), { headers: { 'Content-Encoding': 'zstd' } }), refused('unsupported_encoding', 415));
  await assert.rejects(send('/v1/sync', Buffer.from([0x08])), refused('malformed_request', 400));
  await assert.rejects(send('/v1/sync', Buffer.from('fa3f0100', 'hex')), refused('malformed_request', 400), 'an unknown field');
});

test('strangers, used codes and other servers are refused', async () => {
  const text = await office.server.enrolmentText('Bakyt');
  const device = new Device('first');
  await device.enrol(text);
  const stranger = new Device('stranger');
  await assert.rejects(stranger.enrol(text), refused('enrolment_code_invalid', 401));
  await assert.rejects(stranger.sync(), refused('unknown_device', 401));
  const again = await office.server.enrolmentText('Bakyt');
  await device.enrol(again);
  await assert.rejects(stranger.enrol(again), refused('enrolment_code_invalid', 401), 'used up by the device that had it before');
  await assert.rejects(device.enrol(await office.server.enrolmentText('Chynara')), refused('device_already_enrolled', 409));
  const [, , host, port, , , code] = text.split(':');
  const impostor = `fieldsync:1:${host}:${port}:${'0'.repeat(64)}:${'1'.repeat(64)}:${code}`;
  await assert.rejects(new Device('careful').enrol(impostor), { message: 'server_untrusted' });
  await office.server.administer('device', 'revoke', device.id);
  await assert.rejects(device.sync(), refused('device_revoked', 401));
  await assert.rejects(device.enrol(await office.server.enrolmentText('Bakyt')), refused('device_revoked', 401));
});
