// edits.js: what a person did on the screen as field writes that name what they replace.
import { unhex } from './bytes.js';
import { enumeration } from './wire.js';
import { sameValue } from './value.js';

const POLICY = enumeration('MergePolicy');
const EMPTY = { empty: true };

const ids = (siblings) => siblings.map(({ device, counter, place }) => ({ device, counter, place }));
const isEmpty = ({ value }) => value.empty === true;

function replacedBy(policy, siblings, state, value, writer) {
  switch (policy) {
    case POLICY.MERGE_POLICY_SET:
      return siblings.filter((sibling) => isEmpty(sibling) || sameValue(sibling.value, value));
    case POLICY.MERGE_POLICY_PER_AUTHOR:
      return siblings.filter((sibling) => state.stampOf(sibling).author === writer.person);
    case POLICY.MERGE_POLICY_APPEND:
      return [];
    case POLICY.MERGE_POLICY_COUNTER:
      return siblings.filter((sibling) => sibling.device === writer.device);
    case POLICY.MERGE_POLICY_REGISTER:
      return siblings.filter((sibling) => sameValue(sibling.value, siblings[0].value));
    default:
      return siblings;
  }
}

// `state` is what the person saw, undefined for a new record; `field` is the form's;
// `writer` is {device, person}. For a counter, `value` is what is added.
export function writeField(state, field, value, writer, item = '') {
  const siblings = state?.siblings(item, field.number) ?? [];
  const replaced = replacedBy(field.policy, siblings, state, value, writer);
  const counts = isCounter(field) && !isEmpty({ value });
  const sum = replaced.reduce((total, sibling) => total + (sibling.value.integer ?? 0n), value.integer ?? 0n);
  return {
    item,
    field: field.number,
    value: counts ? { integer: BigInt.asIntN(64, sum) } : value,
    replaces: ids(replaced),
  };
}

// A count over one that waits, which may yet be refused, names also what that one named.
// `waiting`: the device's operations of the record that wait, the newest first.
const NAMED_MAX = 100;
export function nameBeneath(write, waiting) {
  const isSame = (one, other) => one.device === other.device && one.counter === other.counter && one.place === other.place;
  const named = [...write.replaces];
  const names = (id) => named.some((other) => isSame(other, id));
  for (const { device, counter, operation } of waiting) {
    for (const over of operation.writes) {
      const isNamed = over.item === write.item && over.field === write.field && names({ device, counter, place: 0 });
      const beneath = isNamed ? over.replaces.filter((id) => !names(id)) : [];
      named.push(...beneath.slice(0, Math.max(0, NAMED_MAX - named.length)));
    }
  }
  const order = (one, other) => (one.device < other.device ? -1 : one.device > other.device ? 1 : Number(one.counter - other.counter));
  return { ...write, replaces: named.sort(order) };
}

export const isCounter = (field) => field.policy === POLICY.MERGE_POLICY_COUNTER;

// Settles a conflict: replaces everything that was on the screen.
export function resolveField(state, number, value, item = '') {
  return { item, field: number, value, replaces: ids(state.siblings(item, number)) };
}

// Takes an element out of a set.
export function removeValue(state, number, value, item = '') {
  const taken = state.siblings(item, number).filter((sibling) => isEmpty(sibling) || sameValue(sibling.value, value));
  return { item, field: number, value: EMPTY, replaces: ids(taken) };
}

// Deletes the record, or the item, as far as `state` was seen.
export function deleteWrite(state, item = '') {
  const devices = [...state.seen.keys()].sort();
  const deletion = { device: devices.map(unhex), counter: devices.map((device) => state.seen.get(device)) };
  return resolveField(state, 0, { deletion }, item);
}

export const restoreWrite = (state, item = '') => resolveField(state, 0, EMPTY, item);
