// record_codec.js: a record's canonical head and body, and its hash.
import { hex, littleEndian64, unhex } from './bytes.js';
import { compareEntries, compareIds, operationKey, RecordState } from './record_state.js';
import { siphash24 } from './siphash.js';
import { decode, encode } from './wire.js';

const DIGEST_KEY = Buffer.from('fieldsync digest');

const sortedStamps = (state) => [...state.stamps.values()].sort(compareIds);

export function encodeHead(state) {
  const devices = [...state.seen.keys()].sort();
  return encode('RecordHead', {
    record: unhex(state.record),
    scope: unhex(state.scope),
    form: state.form,
    seen_device: devices.map(unhex),
    seen_counter: devices.map((device) => state.seen.get(device)),
    stamps: sortedStamps(state).map((stamp) => ({
      device: devices.indexOf(stamp.device),
      counter: stamp.counter,
      author: unhex(stamp.author),
      claimed_time_ms: stamp.claimed,
      effective_time_ms: stamp.effective,
      received_time_ms: stamp.received,
      seq: stamp.seq,
      machine: stamp.machine,
    })),
    awaited: state.awaited.map((awaited) => ({
      item: unhex(awaited.item),
      field: awaited.field,
      device: unhex(awaited.device),
      counter: awaited.counter,
      not_after_ms: awaited.notAfter,
      place: awaited.place,
    })),
  });
}

export function encodeBody(state) {
  const place = new Map(sortedStamps(state).map((stamp, i) => [operationKey(stamp), i]));
  return encode('RecordBody', {
    entries: state.entries.map((entry) => ({
      item: unhex(entry.item),
      field: entry.field,
      stamp: place.get(operationKey(entry)),
      value: entry.value,
      place: entry.place,
    })),
  });
}

export function recordHash(state) {
  const body = littleEndian64(siphash24(DIGEST_KEY, encodeBody(state)));
  return siphash24(DIGEST_KEY, Buffer.concat([encodeHead(state), body]));
}

// The sum of the records' hashes modulo 2^64.
export function scopeDigest(states) {
  return BigInt.asUintN(64, [...states].reduce((sum, state) => sum + recordHash(state), 0n));
}

function stampFromWire(message, devices) {
  return {
    device: devices[message.device],
    counter: message.counter,
    author: hex(message.author),
    claimed: message.claimed_time_ms,
    effective: message.effective_time_ms,
    received: message.received_time_ms,
    seq: message.seq,
    machine: message.machine,
  };
}

const entriesFromWire = (entries, stamps) =>
  entries.map(({ item, field, stamp, value, place }) => ({
    item: hex(item),
    field,
    device: stamps[stamp].device,
    counter: stamps[stamp].counter,
    place,
    value,
  }));

// `change` is a RecordChange; `before` is the record as the device holds it, or undefined.
export function decodeChange(change, before) {
  const head = decode('RecordHead', change.head);
  const state = new RecordState({ record: hex(head.record), scope: hex(head.scope), form: head.form });
  const devices = head.seen_device.map(hex);
  devices.forEach((device, i) => state.seen.set(device, head.seen_counter[i]));
  const stamps = head.stamps.map((stamp) => stampFromWire(stamp, devices));
  for (const stamp of stamps) state.stamps.set(operationKey(stamp), stamp);
  state.awaited = head.awaited.map((awaited) => ({
    item: hex(awaited.item),
    field: awaited.field,
    device: hex(awaited.device),
    counter: awaited.counter,
    place: awaited.place,
    notAfter: awaited.not_after_ms,
  }));
  state.entries = change.changed
    ? entriesWithChanges(before, entriesFromWire(change.changed.entries, stamps))
    : entriesFromWire(decode('RecordBody', change.body).entries, stamps);
  return state;
}

function entriesWithChanges(before, changed) {
  const fieldOf = ({ item, field }) => `${item} ${field}`;
  const fields = new Set(changed.map(fieldOf));
  return [...before.entries.filter((entry) => !fields.has(fieldOf(entry))), ...changed].sort(compareEntries);
}
