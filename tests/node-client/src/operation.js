// operation.js: one save of one record, as the merge sees it and as bytes.
import { hex, unhex } from './bytes.js';
import { decodeCanonical } from './canonical.js';
import { refuseWhen } from './refusal.js';
import { encode, enumeration } from './wire.js';

const KIND = enumeration('OperationKind');
const ORIGIN = enumeration('OperationOrigin');
const ATTACHMENT_KIND = enumeration('AttachmentKind');
const NO_ID = '0'.repeat(32);

const refuse = (condition, detail) => refuseWhen(condition, 'malformed_operation', detail);
const known = (value, values) => Object.values(values).includes(value);

export const isFormName = (name) => /^[a-z0-9_]{1,64}$/.test(name);

function idOf(bytes, what) {
  refuse(bytes.length !== 16, `${what} is not 16 bytes`);
  return hex(bytes);
}

function decodeReplaces({ replaced_device: devices, replaced_counter: counters, replaced_place: places }, id) {
  refuse(devices.length !== counters.length, 'the lists of replaced values differ in length');
  refuse(places.length > 0 && places.length !== counters.length, 'the lists of replaced values differ in length');
  return counters.map((counter, i) => {
    const device = devices[i].length === 0 ? id.device : idOf(devices[i], 'a device id');
    const ownFuture = device === id.device && counter >= id.counter;
    refuse(counter === 0n || ownFuture, 'it replaces a value that cannot exist yet');
    return { device, counter, place: places[i] ?? 0 };
  });
}

function checkDeletion({ device, counter }) {
  refuse(device.length !== counter.length, "a deletion's lists differ in length");
  const ids = device.map((one) => idOf(one, 'a device id'));
  refuse(ids.some((one, i) => i > 0 && one <= ids[i - 1]), "a deletion's devices are not sorted");
}

const isHash = (bytes) => bytes.length === 32;

// How large it is, and what it is called, is for the form's check.
function checkAttachment({ sha256, kind, preview }) {
  refuse(!isHash(sha256), 'an attachment without a hash');
  refuse(kind === ATTACHMENT_KIND.ATTACHMENT_KIND_UNSPECIFIED || !known(kind, ATTACHMENT_KIND), "an attachment's kind is not known");
  refuse(preview && !isHash(preview.sha256), 'a preview without a hash');
}

export function checkValueContent(value) {
  const [[kind, content] = []] = Object.entries(value ?? {});
  refuse(!kind, 'a value without a kind');
  refuse(kind === 'empty' && content !== true, 'empty is always true');
  refuse(kind === 'reference' && content.length !== 16, 'a reference is not 16 bytes');
  if (kind === 'attachment') checkAttachment(content);
  if (kind === 'deletion') checkDeletion(content);
}

function decodeWrite(write, id) {
  const item = write.item.length === 0 ? '' : idOf(write.item, 'an item id');
  refuse(item === NO_ID, 'an item id is all zeros');
  checkValueContent(write.value);
  return { item, field: write.field, value: write.value, replaces: decodeReplaces(write, id) };
}

// Only what finalises has them.
function decodeEdition({ edition_digest: digest, edition_signature: signature }, finalise) {
  if (finalise) return { edition: { digest, signature } };
  refuse(digest.length > 0 || signature.length > 0, 'an edition that nothing finalises');
  return {};
}

// `id` is {device, counter}: it comes from the batch, never from the bytes. Ids are
// hexadecimal.
export function decodeOperation(bytes, id) {
  const message = decodeCanonical('Operation', bytes, 'malformed_operation', 'invalid_text');
  refuse(!isFormName(message.form), 'it names no form');
  refuse(!known(message.kind, KIND) || !known(message.origin, ORIGIN), 'its kind is not known');
  refuse(message.former_effective_time_ms !== 0n, 'it claims a former time');
  const finalise = message.kind === KIND.OPERATION_KIND_FINALISE;
  return {
    record: idOf(message.record, 'the record'),
    scope: idOf(message.scope, 'the scope'),
    form: message.form,
    finalise,
    ...decodeEdition(message, finalise),
    claimed: message.claimed_time_ms,
    machine: message.origin === ORIGIN.OPERATION_ORIGIN_MACHINE,
    writes: message.writes.map((write) => decodeWrite(write, id)),
  };
}

function encodeWrite({ item, field, value, replaces }, sender) {
  const places = replaces.map(({ place }) => place);
  return {
    item: unhex(item),
    field,
    value,
    replaced_device: replaces.map(({ device }) => unhex(device === sender ? '' : device)),
    replaced_counter: replaces.map(({ counter }) => counter),
    replaced_place: places.some((place) => place > 0) ? places : [],
  };
}

export function encodeOperation(operation, sender) {
  return encode('Operation', {
    record: unhex(operation.record),
    scope: unhex(operation.scope),
    form: operation.form,
    kind: operation.finalise ? KIND.OPERATION_KIND_FINALISE : KIND.OPERATION_KIND_EDIT,
    claimed_time_ms: operation.claimed,
    writes: operation.writes.map((write) => encodeWrite(write, sender)),
    origin: operation.machine ? ORIGIN.OPERATION_ORIGIN_MACHINE : ORIGIN.OPERATION_ORIGIN_PERSON,
    edition_digest: operation.edition?.digest,
    edition_signature: operation.edition?.signature,
  });
}
