// record_codec.js: a record's canonical head and body, and its hash.
import { hex, littleEndian64, unhex } from './bytes.js';
import { decodeCanonical } from './canonical.js';
import { checkValueContent, isFormName } from './operation.js';
import { compareEntries, compareIds, operationKey, RecordState } from './record_state.js';
import { refuseWhen } from './refusal.js';
import { siphash24 } from './siphash.js';
import { countCharacters } from './text.js';
import { encode } from './wire.js';

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

export const hashBytes = (bytes) => siphash24(DIGEST_KEY, bytes);

export const recordHash = (state) => hashBytes(Buffer.concat([encodeHead(state), littleEndian64(hashBytes(encodeBody(state)))]));

const sumOf = (hashes) => BigInt.asUintN(64, hashes.reduce((sum, hash) => sum + hash, 0n));

// The sum of the records' hashes modulo 2^64.
export const scopeDigest = (states) => sumOf([...states].map(recordHash));

// Of {counter, code}: which refusals a device knows of.
export const refusalsDigest = (refusals) =>
  sumOf([...refusals].map(({ counter, code }) => hashBytes(Buffer.concat([littleEndian64(counter), Buffer.from(code)]))));

const damaged = (condition, detail) => refuseWhen(condition, 'malformed_request', detail);
const isSorted = (list, compare) => list.every((one, i) => i === 0 || compare(list[i - 1], one) < 0);

function idOf(bytes) {
  damaged(bytes.length !== 16, 'an id is not 16 bytes');
  damaged(bytes.every((byte) => byte === 0), 'an id is all zeros');
  return hex(bytes);
}

const itemOf = (bytes) => (bytes.length === 0 ? '' : idOf(bytes));
const textIsGood = (text) => countCharacters(Buffer.from(text)) !== undefined;

function checkText({ text, choice, local_text: local, attachment }) {
  const texts = [text, choice, local?.language, local?.text, attachment?.media_type, attachment?.name].filter((one) => one !== undefined);
  damaged(!texts.every(textIsGood), 'what is no text');
}

function stampFromWire(message, devices) {
  damaged(message.device >= devices.length, 'a stamp names no device');
  return {
    device: devices[message.device],
    counter: message.counter,
    author: idOf(message.author),
    claimed: message.claimed_time_ms,
    effective: message.effective_time_ms,
    received: message.received_time_ms,
    seq: message.seq,
    machine: message.machine,
  };
}

function entryFromWire({ item, field, stamp, value, place }, stamps) {
  damaged(stamp >= stamps.length, 'an entry names no operation');
  try {
    checkValueContent(value);
  } catch (error) {
    damaged(true, error.message);
  }
  checkText(value);
  return { item: itemOf(item), field, device: stamps[stamp].device, counter: stamps[stamp].counter, place, value };
}

const awaitedFromWire = (awaited) => ({
  item: itemOf(awaited.item),
  field: awaited.field,
  device: idOf(awaited.device),
  counter: awaited.counter,
  place: awaited.place,
  notAfter: awaited.not_after_ms,
});

function decodeHead(bytes) {
  const head = decodeCanonical('RecordHead', bytes, 'malformed_request');
  const state = new RecordState({ record: idOf(head.record), scope: idOf(head.scope), form: head.form });
  damaged(!isFormName(head.form), 'it names no form');
  damaged(head.seen_device.length !== head.seen_counter.length, 'lists differ in length');
  const devices = head.seen_device.map(idOf);
  damaged(!isSorted(devices, (a, b) => (a < b ? -1 : 1)) || new Set(devices).size < devices.length, 'devices are not sorted');
  devices.forEach((device, i) => state.seen.set(device, head.seen_counter[i]));
  const stamps = head.stamps.map((stamp) => stampFromWire(stamp, devices));
  damaged(!isSorted(stamps, compareIds), 'stamps are not sorted');
  damaged(!stamps.every((stamp) => state.hasSeen(stamp)), 'a stamp of an operation that was not seen');
  for (const stamp of stamps) state.stamps.set(operationKey(stamp), stamp);
  state.awaited = head.awaited.map(awaitedFromWire);
  damaged(!isSorted(state.awaited, compareEntries), 'what it awaits is not sorted');
  damaged(state.awaited.some((awaited) => state.hasSeen(awaited)), 'it awaits what has arrived');
  return state;
}

function entriesOf(name, bytes, state) {
  const stamps = sortedStamps(state);
  const { entries } = decodeCanonical(name, bytes, 'malformed_request');
  const decoded = entries.map((entry) => entryFromWire(entry, stamps));
  damaged(!isSorted(decoded, compareEntries), 'entries are not sorted');
  return decoded;
}

// Refuses what is not canonical with malformed_request.
export function decodeRecord(head, body) {
  const state = decodeHead(head);
  state.entries = entriesOf('RecordBody', body, state);
  const named = new Set(state.entries.map(operationKey));
  damaged([...state.stamps.keys()].some((key) => !named.has(key)), 'a stamp belongs to no value');
  return state;
}

// `changed` are the bytes of a ChangedFields; all entries of a field that it names are new.
export function applyChangedFields(before, head, changed) {
  const state = decodeHead(head);
  const entries = entriesOf('ChangedFields', changed, state);
  const fieldOf = ({ item, field }) => `${item} ${field}`;
  const fields = new Set(entries.map(fieldOf));
  state.entries = [...before.entries.filter((entry) => !fields.has(fieldOf(entry))), ...entries].sort(compareEntries);
  damaged(!state.entries.every((entry) => state.stampOf(entry)), "a value's operation is not in its head");
  return state;
}

// `change` is a RecordChange; `before` is the record as the device holds it, or undefined.
export function decodeChange(change, before) {
  if (!change.changed) return decodeRecord(change.head, change.body);
  return applyChangedFields(before, change.head, encode('ChangedFields', change.changed));
}
