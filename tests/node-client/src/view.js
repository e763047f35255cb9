// view.js: what a person sees of a field: its siblings, read by the form's merge policy.
import { hex } from './bytes.js';
import { sameValue } from './value.js';
import { enumeration } from './wire.js';

const POLICY = enumeration('MergePolicy');
const isEmpty = ({ value }) => value.empty === true;

const distinct = (siblings) => siblings.filter((one, i) => siblings.findIndex((other) => sameValue(one.value, other.value)) === i);

// The order that max, min, or and most_restrictive go by: a choice by its place in the form.
function rank(value, field) {
  const [kind, plain] = Object.entries(value)[0];
  if (kind === 'choice') return field.choices.findIndex(({ code }) => code === plain);
  return kind === 'boolean' ? Number(plain) : plain;
}

function extreme(siblings, field, greatest) {
  const ranked = siblings.filter((one) => !isEmpty(one)).sort((a, b) => (rank(a.value, field) < rank(b.value, field) ? -1 : 1));
  return greatest ? ranked.slice(-1) : ranked.slice(0, 1);
}

function latestOfEachAuthor(siblings, state) {
  const author = (sibling) => state.stampOf(sibling).author;
  return siblings.filter((one, i) => siblings.findIndex((other) => author(other) === author(one)) === i);
}

function sumOf(siblings) {
  const sum = siblings.reduce((total, { value }) => total + (value.integer ?? 0n), 0n);
  return siblings.length > 0 ? [{ value: { integer: BigInt.asIntN(64, sum) } }] : [];
}

function shownSiblings(siblings, state, field) {
  switch (field.policy) {
    case POLICY.MERGE_POLICY_SET:
      return distinct(siblings).filter((one) => !isEmpty(one));
    case POLICY.MERGE_POLICY_MAX:
    case POLICY.MERGE_POLICY_OR:
    case POLICY.MERGE_POLICY_MOST_RESTRICTIVE:
      return extreme(siblings, field, true);
    case POLICY.MERGE_POLICY_MIN:
      return extreme(siblings, field, false);
    case POLICY.MERGE_POLICY_COUNTER:
      return sumOf(siblings);
    case POLICY.MERGE_POLICY_PER_AUTHOR:
      return latestOfEachAuthor(siblings, state).filter((one) => !isEmpty(one));
    case POLICY.MERGE_POLICY_APPEND:
      return siblings.filter((one) => !isEmpty(one)).reverse();
    default:
      return distinct(siblings);
  }
}

// {values, conflict}: values in the order in which they are shown, the one that counts first.
// Sealed values cannot be read, so they are siblings whatever the policy.
export function viewField(state, field, item = '') {
  const siblings = state.siblings(item, field.number);
  const sealed = siblings.some(({ value }) => value.sealed);
  const policy = sealed ? POLICY.MERGE_POLICY_REGISTER : field.policy;
  const shown = shownSiblings(siblings, state, { ...field, policy });
  const conflict = policy === POLICY.MERGE_POLICY_REGISTER && shown.length > 1;
  const values = shown.map(({ value }) => value);
  return { values: conflict ? values : values.filter((value) => !value.empty), conflict };
}

// Whether `entry`, a deletion, had seen every edit of what it deletes.
function coversAll(entry, state, item) {
  const { device, counter } = entry.value.deletion;
  const upTo = new Map(device.map((id, i) => [hex(id), counter[i]]));
  const isOtherDeletion = (other) => other.item === item && other.field === 0 && other.value.deletion;
  return state.entries
    .filter((other) => other !== entry && !isOtherDeletion(other) && (item === '' || other.item === item))
    .every((other) => other.counter <= (upTo.get(other.device) ?? 0n));
}

// Whether the record (no item), or the item, is hidden by a deletion.
export const isHidden = (state, item = '') =>
  state.siblings(item, 0).some((entry) => entry.value.deletion && coversAll(entry, state, item));
