#!/usr/bin/env node
// A second verifier of exported histories, of Node's standard library alone. It shares no code
// with `fieldsync-server verify`, and must agree with it on every file: what is sound, and
// else the code and the first wrong entry.
//
//   node verify.js FINGERPRINT [--checkpoint TEXT] FILE...
//
// Prints one line of JSON for each file. Exit code 0 where all are sound.
'use strict';
const crypto = require('crypto');
const fs = require('fs');

const BEGINS = Buffer.from('fieldsync history 1\n');
const RECORD_BYTES_MAX = 16 * 1024 * 1024;
const PLACES_TRIED = 8;

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), crypto.createHash('sha256')).digest();
const leafHash = (entry) => sha256(Buffer.from([0]), entry);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);

function number64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
  return bytes;
}

function verifySignature(publicKey, message, signature) {
  if (signature.length !== 64) return false;
  try {
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
    return crypto.verify(null, message, crypto.createPublicKey({key: der, format: 'der', type: 'spki'}), signature);
  } catch {
    return false;
  }
}

// The root of a growing tree: one complete subtree for each bit of its size.
class Tree {
  constructor(size = 0, subtrees = []) {
    this.size = size;
    this.subtrees = subtrees;
  }
  with(leaf) {
    const subtrees = [...this.subtrees, leaf];
    for (let bits = this.size; bits % 2 === 1; bits = Math.floor(bits / 2)) {
      const right = subtrees.pop();
      subtrees.push(nodeHash(subtrees.pop(), right));
    }
    return new Tree(this.size + 1, subtrees);
  }
  root() {
    return this.subtrees.reduceRight((right, left) => (right === null ? left : nodeHash(left, right)), null);
  }
}

// --- protobuf, as far as it is needed

function listFields(bytes) {
  const list = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw new Error('cut');
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new Error('long');
  };
  const take = (count) => {
    if (at + count > bytes.length) throw new Error('cut');
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (field === 0 || tag > 0xffffffffn) throw new Error('no field');
    let value;
    if (type === 0) value = varint();
    else if (type === 1) value = take(8);
    else if (type === 2) value = take(Number(varint()));
    else if (type === 5) value = take(4);
    else throw new Error('type');
    list.push({field, type, value});
  }
  return list;
}

// By number and type; the last one counts.
const readFields = (bytes) => new Map(listFields(bytes).map(({field, type, value}) => [`${field}:${type}`, value]));

const EMPTY = Buffer.alloc(0);
const bytesOf = (fields, number) => fields.get(`${number}:2`) ?? EMPTY;
const numberOf = (fields, number) => fields.get(`${number}:0`) ?? 0n;
const zigzag = (value) => (value >> 1n) ^ -(value & 1n);

function varint(value) {
  const bytes = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return Buffer.from([...bytes, Number(value)]);
}

// The one way to write a Batch: nothing unsigned may stand in it.
function writeBatch(fields) {
  const number = (field) => (numberOf(fields, field) === 0n ? EMPTY :
      Buffer.concat([Buffer.from([field * 8]), varint(numberOf(fields, field))]));
  const bytes = (field) => (bytesOf(fields, field).length === 0 ? EMPTY :
      Buffer.concat([Buffer.from([field * 8 + 2]), varint(BigInt(bytesOf(fields, field).length)), bytesOf(fields, field)]));
  return Buffer.concat([number(1), bytes(2), bytes(3), number(4), bytes(5)]);
}

// What stands in each field: 'bytes', a number of so many bits, or a message of its own. In brackets: any number of times.
const CHECKPOINT = {1: 64, 2: 64, 3: 'bytes', 4: 'bytes'};
const SCOPE_READ = {1: 'bytes', 2: ['bytes'], 3: 64};
const CONTENTS = {
  2: {1: 'bytes', 2: 64, 3: 64, 4: 'bytes', 5: 32},
  3: {1: 'bytes', 2: 'bytes', 3: 'bytes'},
  4: {1: 'bytes', 2: ['bytes'], 3: 'bytes', 4: 'bytes'},
  5: {1: 'bytes', 2: [SCOPE_READ]},
  6: {1: CHECKPOINT},
};
const AUDIT_ENTRY = {1: 64, ...CONTENTS};

function isValue(shape, type, value, mayBeEmpty) {
  if (typeof shape === 'number') return type === 0 && value !== 0n && value < 1n << BigInt(shape);
  if (shape === 'bytes') return type === 2 && (mayBeEmpty || value.length > 0);
  return type === 2 && isCanonical(value, shape);
}

// Whether the bytes are the one way to write what they say: fields that are known, in ascending order, each that is not
// repeated once, no default value, and no varint longer than it must be.
function isCanonical(bytes, shapes) {
  const written = [];
  let last = 0;
  for (const {field, type, value} of listFields(bytes)) {
    const isRepeated = Array.isArray(shapes[field]);
    const shape = isRepeated ? shapes[field][0] : shapes[field];
    if (shape === undefined || field < last || (field === last && !isRepeated)) return false;
    if (!isValue(shape, type, value, isRepeated)) return false;
    last = field;
    written.push(varint(BigInt(field * 8 + type)));
    if (type === 0) written.push(varint(value));
    else written.push(varint(BigInt(value.length)), value);
  }
  return Buffer.concat(written).equals(bytes);
}

// AuditEntry, or null where it cannot be read.
function readAuditEntry(bytes) {
  try {
    const contents = listFields(bytes).filter(({field}) => field in CONTENTS);
    if (contents.length > 1 || !isCanonical(bytes, AUDIT_ENTRY)) return null;
    const fields = readFields(bytes);
    const entry = {time: zigzag(numberOf(fields, 1)), kind: null};
    const kinds = {2: 'batch', 3: 'enrolment', 4: 'act', 5: 'read', 6: 'setBack'};
    for (const [number, kind] of Object.entries(kinds)) {
      if (!fields.has(`${number}:2`)) continue;
      entry.kind = kind;
      entry.content = readFields(bytesOf(fields, number));
    }
    return entry;
  } catch {
    return null;
  }
}

// Checkpoint, or null where its parts have not their lengths.
function readCheckpoint(bytes) {
  const fields = readFields(bytes);
  const checkpoint = {
    size: numberOf(fields, 1),
    time: zigzag(numberOf(fields, 2)),
    root: bytesOf(fields, 3),
    signature: bytesOf(fields, 4),
  };
  const isWhole = checkpoint.size > 0n && checkpoint.root.length === 32 && checkpoint.signature.length === 64;
  return isWhole ? checkpoint : null;
}

function parseCheckpoint(text) {
  const parts = text.split(':');
  if (parts.length !== 6 || parts[0] !== 'fieldsync-checkpoint' || parts[1] !== '1') throw new Error('no checkpoint');
  return {
    size: BigInt(parts[2]),
    time: BigInt(parts[3]),
    root: Buffer.from(parts[4], 'hex'),
    signature: Buffer.from(parts[5], 'hex'),
  };
}

class Fault extends Error {
  constructor(code, entry = 0) {
    super(code);
    this.code = code;
    this.entry = entry;
  }
}

class History {
  constructor(fingerprint, wanted) {
    this.fingerprint = fingerprint;
    this.wanted = wanted;
    this.key = null;
    this.tree = new Tree();
    this.lastTime = null;
    this.devices = new Map();
    this.senders = 0;
    this.batches = 0;
    this.dueBatch = null;
    this.ended = false;
    this.found = false;
    this.setBackAt = 0;
  }

  signs(checkpoint, size) {
    const message = Buffer.concat([
      Buffer.from('fieldsync checkpoint v1\0'), sha256(this.key), number64(size), number64(checkpoint.time),
      checkpoint.root,
    ]);
    return verifySignature(this.key, message, checkpoint.signature);
  }

  take(kind, bytes) {
    if (this.ended) throw new Fault('file_damaged');
    if (this.key === null && kind !== 'K') throw new Fault('file_damaged');
    if (this.dueBatch !== null && kind !== 'B') throw new Fault('batch_missing', this.tree.size);
    if (kind === 'K') this.takeKey(bytes);
    else if (kind === 'E') this.takeEntry(bytes);
    else if (kind === 'B') this.takeBatch(bytes);
    else this.takeEnd(bytes);
  }

  takeKey(bytes) {
    if (this.key !== null) throw new Fault('file_damaged');
    if (bytes.length !== 32 || !sha256(bytes).equals(this.fingerprint)) throw new Fault('other_log_key');
    this.key = Buffer.from(bytes);
    if (this.wanted && !this.signs(this.wanted, this.wanted.size)) throw new Fault('checkpoint_foreign');
  }

  takeEntry(bytes) {
    const place = this.tree.size + 1;
    const record = readRecord(bytes);
    if (record === null) throw new Fault('file_damaged', place);
    const read = readAuditEntry(record.entry);
    const grown = this.tree.with(leafHash(record.entry));
    const inOrder = this.lastTime === null || this.lastTime <= record.time;
    const isSound = record.size === BigInt(place) && read !== null && read.time === record.time && inOrder &&
        grown.root().equals(record.root) && this.signs(record, record.size);
    if (!isSound) throw this.blame(record, read, grown.root(), place);
    this.tree = grown;
    this.lastTime = record.time;
    if (this.wanted && this.wanted.size === record.size) this.found = this.wanted.root.equals(record.root);
    this.checkContent(read, place);
  }

  genuinePlace(record, place) {
    if (record.size !== BigInt(place) && this.signs(record, record.size)) return record.size;
    for (let away = 1; away <= PLACES_TRIED; ++away) {
      if (this.signs(record, place + away)) return BigInt(place + away);
      if (place > away && this.signs(record, place - away)) return BigInt(place - away);
    }
    return 0n;
  }

  blame(record, read, root, place) {
    const genuine = this.genuinePlace(record, place);
    if (genuine > BigInt(place)) return new Fault('entry_dropped', place);
    if (genuine !== 0n) return new Fault('entry_repeated', place);
    const goesBack = read !== null && this.lastTime !== null && read.time < this.lastTime;
    if (goesBack || (read !== null && read.time !== record.time)) return new Fault('entry_back_dated', place);
    const isRoot = root.equals(record.root);
    if (isRoot && !this.signs(record, place)) return new Fault('entry_signed_by_other_key', place);
    if (isRoot && read === null) return new Fault('entry_unreadable', place);
    return new Fault('entry_altered', place);
  }

  checkContent(entry, place) {
    if (entry.kind === null) throw new Fault('entry_unreadable', place);
    if (entry.kind === 'batch') this.dueBatch = entry.content;
    if (entry.kind === 'enrolment') {
      const id = bytesOf(entry.content, 1);
      const key = bytesOf(entry.content, 2);
      if (id.length !== 16 || key.length !== 32 || !sha256(key).subarray(0, 16).equals(id))
        throw new Fault('enrolment_wrong', place);
      const name = id.toString('hex');
      if (!this.devices.has(name)) this.devices.set(name, {id, key, counter: 0n, hash: Buffer.alloc(32)});
    }
    if (entry.kind === 'setBack') {
      const lost = readCheckpoint(bytesOf(entry.content, 1));
      if (lost === null || !this.signs(lost, lost.size)) throw new Fault('set_back_wrong', place);
      const wanted = this.wanted;
      const isWanted = wanted && lost.size === wanted.size && lost.time === wanted.time &&
          lost.root.equals(wanted.root) && lost.signature.equals(wanted.signature);
      if (isWanted) this.setBackAt = place;
    }
  }

  takeBatch(bytes) {
    const place = this.tree.size;
    const due = this.dueBatch;
    this.dueBatch = null;
    if (due === null) throw new Fault('entry_dropped', place + 1);
    const device = this.devices.get(bytesOf(due, 1).toString('hex'));
    if (!device) throw new Fault('batch_of_unknown_device', place);
    let batch;
    try {
      batch = readFields(bytes);
      if (!writeBatch(batch).equals(bytes)) throw new Error('not as it is written');
    } catch {
      throw new Fault('batch_altered', place);
    }
    const first = numberOf(due, 2);
    const last = numberOf(due, 3);
    if (first !== device.counter + 1n || last < first) throw new Fault('batch_chain_broken', place);
    const hash = sha256(
        Buffer.from('fieldsync batch v1\0'), device.id, number64(numberOf(batch, 1)), device.hash,
        Buffer.from([Number(numberOf(batch, 4) & 255n)]), bytesOf(batch, 5));
    const chain = device.counter === 0n ? EMPTY : device.hash.subarray(0, 8);
    const follows = bytesOf(batch, 2).equals(chain);
    if (!follows || numberOf(batch, 1) !== first || !hash.equals(bytesOf(due, 4))) {
      throw new Fault(follows ? 'batch_altered' : 'batch_chain_broken', place);
    }
    const message = Buffer.concat([Buffer.from('fieldsync signature v1\0'), hash]);
    if (!verifySignature(device.key, message, bytesOf(batch, 3))) throw new Fault('batch_signed_by_other_key', place);
    if (device.counter === 0n) ++this.senders;
    device.counter = last;
    device.hash = hash;
    ++this.batches;
  }

  takeEnd(bytes) {
    if (bytes.length !== 8) throw new Fault('file_damaged');
    const size = bytes.readBigUInt64BE();
    this.ended = true;
    if (size > BigInt(this.tree.size)) throw new Fault('entry_dropped', this.tree.size + 1);
    if (size < BigInt(this.tree.size)) throw new Fault('file_damaged');
  }

  finish() {
    if (!this.ended) throw new Fault('file_cut', this.tree.size + 1);
    if (!this.wanted || this.found) return;
    if (this.setBackAt !== 0) throw new Fault('checkpoint_set_back', this.setBackAt);
    const isShort = this.wanted.size > BigInt(this.tree.size);
    throw new Fault('checkpoint_missing', isShort ? this.tree.size + 1 : 0);
  }
}

// --- the file

function readRecord(bytes) {
  if (bytes.length < 112) return null;
  return {
    size: bytes.readBigUInt64BE(0),
    time: bytes.readBigInt64BE(8),
    root: bytes.subarray(16, 48),
    signature: bytes.subarray(48, 112),
    entry: bytes.subarray(112),
  };
}

class RecordReader {
  constructor(path) {
    this.file = fs.openSync(path, 'r');
    this.at = 0;
  }
  read(count) {
    const bytes = Buffer.alloc(count);
    let got = 0;
    while (got < count) {
      const now = fs.readSync(this.file, bytes, got, count - got, this.at + got);
      if (now === 0) break;
      got += now;
    }
    this.at += got;
    return bytes.subarray(0, got);
  }
  // A record, or null at the end. Throws where none can be read.
  next(place) {
    const head = this.read(5);
    if (head.length === 0) return null;
    const kind = String.fromCharCode(head[0]);
    if (!'KEBZ'.includes(kind)) throw new Fault('file_damaged', place);
    if (head.length < 5) throw new Fault('file_cut', place);
    const size = head.readUInt32BE(1);
    if (size > RECORD_BYTES_MAX) throw new Fault('file_damaged', place);
    const bytes = this.read(size);
    if (bytes.length < size) throw new Fault('file_cut', place);
    return {kind, bytes};
  }
}

// Whether the entry that is missing at its place stands further on.
function comesLater(reader, history, missing) {
  try {
    for (let record = reader.next(0); record !== null; record = reader.next(0)) {
      const entry = record.kind === 'E' ? readRecord(record.bytes) : null;
      if (entry !== null && history.signs(entry, missing)) return true;
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
  return false;
}

function verifyFile(path, fingerprint, wanted) {
  const reader = new RecordReader(path);
  const history = new History(fingerprint, wanted);
  try {
    if (!reader.read(BEGINS.length).equals(BEGINS)) throw new Fault('not_a_history');
    for (;;) {
      const record = reader.next(history.tree.size + 1);
      if (record === null) break;
      history.take(record.kind, record.bytes);
    }
    history.finish();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const mayBeSwapped = error.code === 'entry_dropped' && !history.ended;
    const isSwapped = mayBeSwapped && comesLater(reader, history, error.entry);
    return {sound: false, code: isSwapped ? 'entry_swapped' : error.code, entry: error.entry};
  } finally {
    fs.closeSync(reader.file);
  }
  return {sound: true, entries: history.tree.size, batches: history.batches, devices: history.senders};
}

function main(words) {
  const fingerprint = Buffer.from(words.shift(), 'hex');
  const wanted = words[0] === '--checkpoint' ? parseCheckpoint(words.splice(0, 2)[1]) : null;
  let allSound = true;
  for (const path of words) {
    const verdict = verifyFile(path, fingerprint, wanted);
    allSound = allSound && verdict.sound;
    process.stdout.write(`${JSON.stringify(verdict)}\n`);
  }
  process.exitCode = allSound ? 0 : 1;
}

main(process.argv.slice(2));
