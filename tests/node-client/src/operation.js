// operation.js: one save of one record, as the merge sees it and as bytes.
import { hex, unhex } from './bytes.js';
import { decode, encode, enumeration } from './wire.js';

const KIND = enumeration('OperationKind');
const ORIGIN = enumeration('OperationOrigin');

// {record, scope, form, finalise, claimed, machine, writes: [{item, field, value,
// replaces: [{device, counter, place}]}]}; ids are hexadecimal.
export function decodeOperation(bytes, sender) {
  const message = decode('Operation', bytes);
  return {
    record: hex(message.record),
    scope: hex(message.scope),
    form: message.form,
    finalise: message.kind === KIND.OPERATION_KIND_FINALISE,
    claimed: message.claimed_time_ms,
    machine: message.origin === ORIGIN.OPERATION_ORIGIN_MACHINE,
    writes: message.writes.map((write) => ({
      item: hex(write.item),
      field: write.field,
      value: write.value,
      replaces: write.replaced_counter.map((counter, i) => ({
        device: write.replaced_device[i].length === 0 ? sender : hex(write.replaced_device[i]),
        counter,
        place: write.replaced_place[i] ?? 0,
      })),
    })),
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
    claimed_time_ms: operation.claimed,
    writes: operation.writes.map((write) => encodeWrite(write, sender)),
    origin: operation.machine ? ORIGIN.OPERATION_ORIGIN_MACHINE : ORIGIN.OPERATION_ORIGIN_PERSON,
  });
}
