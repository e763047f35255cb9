// wire.js: messages of proto/fieldsync/v1 as plain objects.
//
// Names are those of the .proto files, bytes are Buffers, and whole numbers of 64 bits
// are BigInts. What is encoded has its fields in ascending order and no defaults, so
// equal objects are equal bytes.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
// ctest installs the packages into the build folder, not beside the sources.
const require = createRequire(path.join(process.env.FIELDSYNC_NODE_PACKAGES ?? path.dirname(here), 'package.json'));
const protobuf = require('protobufjs');
const { Long } = protobuf.util;

const root = new protobuf.Root();
root.resolvePath = (_, file) => path.join(here, '../../../proto', file);
root.loadSync(['enrol', 'form', 'operation', 'problem', 'record', 'sync', 'value'].map((name) => `fieldsync/v1/${name}.proto`), {
  keepCase: true,
});
root.resolveAll();

const is64 = (field) => ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'].includes(field.type);
const isSigned = (field) => field.type === 'sint64' || field.type === 'int64' || field.type === 'sfixed64';
const isMessage = (field) => field.resolvedType instanceof protobuf.Type;

const messageType = (name) => root.lookupType(`fieldsync.v1.${name}`);
export const enumeration = (name) => root.lookupEnum(`fieldsync.v1.${name}`).values;

function toWire(field, value) {
  if (isMessage(field)) return messageToWire(field.resolvedType, value);
  if (is64(field)) return Long.fromString(value.toString(), !isSigned(field));
  return value;
}

function isDefault(field, value) {
  if (isMessage(field)) return false;
  if (typeof value === 'number') return Object.is(value, 0);
  return value === 0n || value === false || value.length === 0;
}

function messageToWire(type, object) {
  const message = {};
  for (const [name, value] of Object.entries(object)) {
    const field = type.fields[name];
    if (!field) throw new Error(`${type.name} has no field ${name}`);
    if (value === undefined) continue;
    if (field.repeated) {
      message[name] = value.map((element) => toWire(field, element));
    } else if (field.partOf || !isDefault(field, value)) {
      message[name] = toWire(field, value);
    }
  }
  return message;
}

function fromWire(field, value) {
  if (isMessage(field)) return messageFromWire(field.resolvedType, value);
  if (is64(field)) return BigInt(value.toString());
  if (field.type === 'bytes') return Buffer.from(value);
  return value;
}

function messageFromWire(type, message) {
  for (const { name, oneof } of type.oneofsArray) {
    if (oneof.filter((member) => Object.hasOwn(message, member)).length > 1) throw new Error(`${type.name} has two of ${name}`);
  }
  const object = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (field.repeated) {
      object[field.name] = value.map((element) => fromWire(field, element));
    } else if (field.partOf || isMessage(field)) {
      if (value != null && Object.hasOwn(message, field.name)) object[field.name] = fromWire(field, value);
    } else {
      object[field.name] = fromWire(field, value);
    }
  }
  return object;
}

export function encode(name, object) {
  const type = messageType(name);
  return Buffer.from(type.encode(messageToWire(type, object)).finish());
}

// Throws on bytes that are no message of this type.
export function decode(name, bytes) {
  const type = messageType(name);
  return messageFromWire(type, type.decode(bytes));
}
