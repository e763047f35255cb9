// merges.js: operations that arrive in several orders, and the one state that they make.
import { RecordState } from '../../node-client/src/record_state.js';
import { encodeBody, encodeHead, recordHash } from '../../node-client/src/record_codec.js';
import { isHidden, viewField } from '../../node-client/src/view.js';
import {
  A, attachment, B, bytesOf, C, choice, deletion, EMPTY, F, inItem, integer, ITEM, of, operation, OTHER_ITEM, P, Q, text, write,
} from './writing.js';

const ORDERS_MAX = 12;
const AUTHORS = { [A]: P, [B]: Q, [C]: Q };

// One arrival: the time decides only what is shown first.
const arrival = (device, counter, time, writes, changes) => ({
  device,
  counter: BigInt(counter),
  author: AUTHORS[device],
  effective: BigInt(time),
  received: BigInt(time) + 5n,
  ...operation(writes, { claimed: BigInt(time) - 7n, ...changes }),
});

const summary = (content, ...replaces) => write(F.summary, text(content), replaces);
const area = (code, ...replaces) => write(F.areas, choice(code), replaces);
const noArea = (...replaces) => write(F.areas, EMPTY, replaces);
const count = (number, ...replaces) => write(F.spoken, integer(number), replaces);
const photo = (changes) => write(F.photo, attachment(changes));
const gone = (...seen) => write(F.existence, deletion(...seen));
const SEALED = (byte) => ({ sealed: { key_generation: 1, ciphertext: Buffer.alloc(24, byte), keys: [] } });

const CASES = {
  'one value': [arrival(A, 1, 100, [summary('Cold.')])],
  'an edit that had seen the value': [arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.', of(A, 1))])],
  'two values written apart': [arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.')])],
  'three values written apart': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 300, [summary('Damp.')]), arrival(C, 1, 200, [summary('Dark.')]),
  ],
  'equal values written apart': [arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Cold.')])],
  'equal attachments written apart': [arrival(A, 1, 100, [photo()]), arrival(B, 1, 200, [photo()])],
  'attachments that differ in their names alone': [arrival(A, 1, 100, [photo()]), arrival(B, 1, 200, [photo({ name: 'IMG_5.jpg' })])],
  'attachments of which one has no preview': [arrival(A, 1, 100, [photo({ preview: undefined })]), arrival(B, 1, 200, [photo()])],
  'values at one time go by operation': [arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 100, [summary('Damp.')])],
  'a conflict settled': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.')]),
    arrival(C, 1, 300, [summary('Cold and damp.', of(A, 1), of(B, 1))]),
  ],
  'a conflict settled while a third edits': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.')]),
    arrival(C, 1, 300, [summary('Both.', of(A, 1), of(B, 1))]), arrival(B, 2, 250, [summary('Very damp.', of(B, 1))]),
  ],
  'a plain edit of a conflict replaces what was shown': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.')]), arrival(A, 2, 300, [summary('Damp!', of(B, 1))]),
  ],
  'a chain of edits': [1, 2, 3, 4].map((n) => arrival(A, n, 100 * n, [summary(`Edit ${n}`, ...(n > 1 ? [of(A, n - 1)] : []))])),
  'an emptied field beside an edit': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [write(F.summary, EMPTY, [of(A, 1)])]),
    arrival(C, 1, 300, [summary('Cold!', of(A, 1))]),
  ],
  'an emptied field': [arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [write(F.summary, EMPTY, [of(A, 1)])])],
  'several elements of one operation': [arrival(A, 1, 100, [area('b'), area('a')])],
  'one of several elements taken out': [arrival(A, 1, 100, [area('a'), area('b'), area('c')]), arrival(B, 1, 200, [noArea(of(A, 1, 1))])],
  'an add wins over a remove': [
    arrival(A, 1, 100, [area('a')]), arrival(B, 1, 200, [noArea(of(A, 1))]), arrival(C, 1, 300, [area('a', of(A, 1))]),
  ],
  'one element added by two': [arrival(A, 1, 100, [area('a')]), arrival(B, 1, 200, [area('a')])],
  'an add takes the place of an emptied one': [
    arrival(A, 1, 100, [area('a')]), arrival(A, 2, 200, [noArea(of(A, 1))]), arrival(B, 1, 300, [area('c', of(A, 2))]),
  ],
  'counts of two devices': [
    arrival(A, 1, 100, [count(3)]), arrival(B, 1, 200, [count(4)]), arrival(A, 2, 300, [count(5, of(A, 1))]),
  ],
  'a count over one that was refused': [
    arrival(A, 1, 100, [count(1)]), arrival(A, 3, 300, [count(111, of(A, 1), of(A, 2))]), arrival(B, 1, 200, [count(5)]),
  ],
  'a count that wraps': [arrival(A, 1, 100, [count(9223372036854775807n)]), arrival(B, 1, 200, [count(1)])],
  'an emptied count': [arrival(A, 1, 100, [count(3)]), arrival(B, 1, 200, [write(F.spoken, EMPTY, [of(A, 1)])])],
  'a verdict of each author': [
    arrival(A, 1, 100, [write(F.verdict, choice('a'))]), arrival(B, 1, 200, [write(F.verdict, choice('b'))]),
  ],
  'two devices of one author': [
    arrival(B, 1, 200, [write(F.verdict, choice('a'))]), arrival(C, 1, 100, [write(F.verdict, choice('b'))]),
  ],
  'the greatest integer wins': [
    arrival(A, 1, 100, [write(F.risk, integer(9))]), arrival(B, 1, 200, [write(F.risk, integer(10))]), arrival(C, 1, 300, [write(F.risk, EMPTY)]),
  ],
  'the smallest integer wins': [arrival(A, 1, 100, [write(F.lowest, integer(-2))]), arrival(B, 1, 200, [write(F.lowest, integer(1))])],
  'yes wins': [arrival(A, 1, 100, [write(F.flag, { boolean: true })]), arrival(B, 1, 200, [write(F.flag, { boolean: false })])],
  'the most restrictive choice wins': [
    arrival(A, 1, 100, [write(F.consent, choice('c'))]), arrival(B, 1, 200, [write(F.consent, choice('a'))]),
  ],
  'a list goes by time': [
    arrival(A, 1, 300, [write(F.notes, text('third'))]), arrival(B, 1, 100, [write(F.notes, text('first'))]),
    arrival(C, 1, 200, [write(F.notes, text('second'))]),
  ],
  'entries of one operation keep their places': [arrival(A, 1, 100, ['one', 'two', 'three'].map((one) => write(F.notes, text(one))))],
  'sealed values are siblings, whatever the policy': [
    arrival(A, 1, 100, [write(F.risk, SEALED(1))]), arrival(B, 1, 200, [write(F.risk, SEALED(2))]),
  ],
  'a deleted record': [arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [gone([A, 1])])],
  'an edit that a deletion had not seen': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [gone([A, 1])]), arrival(A, 2, 300, [summary('Colder.', of(A, 1))]),
  ],
  'a deletion of what had been seen in part': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(C, 1, 100, [write(F.beds, integer(4))]), arrival(B, 1, 200, [gone([A, 1])]),
  ],
  'two deletions': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [gone([A, 1])]), arrival(C, 1, 300, [gone([A, 1])]),
  ],
  'a deletion undone': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [gone([A, 1])]),
    arrival(C, 1, 300, [write(F.existence, EMPTY, [of(B, 1)])]),
  ],
  'a deletion beside one undone': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(A, 2, 150, [gone([A, 1])]),
    arrival(B, 1, 300, [write(F.existence, EMPTY, [of(A, 2)])]), arrival(C, 1, 350, [write(F.existence, deletion([A, 2]), [of(A, 2)])]),
  ],
  'items and their places': [
    arrival(A, 1, 100, [inItem(OTHER_ITEM, F.team, text('a')), inItem(OTHER_ITEM, F.member, text('Aigul'))]),
    arrival(B, 1, 200, [inItem(ITEM, F.team, text('a')), inItem(ITEM, F.member, text('Bakyt'))]),
  ],
  'an item moved by two': [
    arrival(A, 1, 100, [inItem(ITEM, F.team, text('a'))]), arrival(A, 2, 200, [inItem(ITEM, F.team, text('c'), [of(A, 1)])]),
    arrival(B, 1, 300, [inItem(ITEM, F.team, text('b'), [of(A, 1)])]),
  ],
  'a deleted item': [
    arrival(A, 1, 100, [inItem(ITEM, F.team, text('a')), inItem(OTHER_ITEM, F.team, text('b'))]),
    arrival(B, 1, 200, [inItem(ITEM, F.existence, deletion([A, 1]))]),
  ],
  'an edit of an item that its deletion had not seen': [
    arrival(A, 1, 100, [inItem(ITEM, F.team, text('a'))]), arrival(B, 1, 200, [inItem(ITEM, F.existence, deletion([A, 1]))]),
    arrival(C, 1, 300, [inItem(ITEM, F.member, text('Aigul'))]),
  ],
  'an edit of another item does not keep a deleted one': [
    arrival(A, 1, 100, [inItem(ITEM, F.team, text('a'))]), arrival(B, 1, 200, [inItem(ITEM, F.existence, deletion([A, 1]))]),
    arrival(C, 1, 300, [inItem(OTHER_ITEM, F.team, text('b'))]),
  ],
  'a deleted record with a deleted item': [
    arrival(A, 1, 100, [inItem(ITEM, F.team, text('a')), summary('Cold.')]),
    arrival(B, 1, 200, [inItem(ITEM, F.existence, deletion([A, 1]))]), arrival(C, 1, 300, [gone([A, 1], [B, 1])]),
  ],
  'a value that is replaced before it arrives': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.', of(A, 1))]), arrival(C, 1, 300, [summary('Dark.', of(B, 1))]),
  ],
  'a value that is awaited still': [arrival(A, 4, 100, [summary('Cold.', of(B, 7))]), arrival(C, 1, 200, [summary('Dark.')])],
  'the earliest of those who replaced counts': [
    arrival(A, 4, 100, [summary('Cold.', of(C, 7))]), arrival(B, 2, 50, [summary('Dark.', of(C, 7))]),
  ],
  'an operation that never was, on a device that went on': [
    arrival(A, 4, 100, [summary('Cold.', of(B, 7))]), arrival(B, 9, 200, [write(F.beds, integer(4))]),
  ],
  'an element that is awaited, and one that stays': [
    arrival(A, 1, 100, [area('a'), area('b'), area('c')]), arrival(B, 1, 200, [noArea(of(A, 1, 0), of(A, 1, 2))]),
  ],
  'places that are awaited still': [arrival(A, 1, 100, [noArea(of(B, 3, 2), of(B, 3, 0), of(B, 2, 1))])],
  'values awaited in an item and in the record': [
    arrival(A, 1, 100, [inItem(ITEM, F.member, text('x'), [of(B, 3)]), summary('Cold.', of(C, 2)), write(F.existence, EMPTY, [of(B, 3)])]),
  ],
  'what came late replaces in its turn': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(C, 1, 200, [summary('Damp.', of(A, 1))]), arrival(B, 1, 300, [summary('Dark.', of(C, 1))]),
  ],
  'an own value replaced, whose operation was refused': [arrival(A, 6, 100, [summary('Again.', of(A, 5))])],
  'fields in another order than they were written': [
    arrival(A, 1, 100, [write(F.unknown, integer(1)), inItem(ITEM, F.team, text('a')), write(F.beds, integer(1)), summary('Cold.')]),
  ],
  'a field that the form does not know': [
    arrival(A, 1, 100, [write(F.unknown, text('x'))]), arrival(B, 1, 200, [write(F.unknown, integer(1))]), arrival(C, 1, 150, [write(65535, EMPTY)]),
  ],
  'a merge by a machine': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(B, 1, 200, [summary('Damp.')]),
    arrival(C, 1, 300, [summary('Merged.', of(A, 1), of(B, 1))], { machine: true }),
  ],
  'times before 1970, and none': [arrival(A, 1, -5, [summary('Cold.')]), arrival(B, 1, 0, [summary('Damp.')])],
  'the newest operation of a device that left no value': [
    arrival(A, 1, 100, [summary('Cold.')]), arrival(A, 2, 200, [write(F.beds, integer(1))]), arrival(B, 1, 300, [write(F.beds, integer(2), [of(A, 2)])]),
  ],
};

const oneDeviceInOrder = (order, arrivals) =>
  order.every((at, i) => order.slice(i + 1).every((later) => arrivals[at].device !== arrivals[later].device || at < later));

function permutations(list) {
  if (list.length < 2) return [list];
  return list.flatMap((one, i) => permutations([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [one, ...rest]));
}

// Orders in which each device's own operations keep theirs; the last has one twice.
function ordersOf(arrivals) {
  const orders = permutations(arrivals.map((_, i) => i)).filter((order) => oneDeviceInOrder(order, arrivals));
  return [...orders.slice(0, ORDERS_MAX), [...orders[0], orders[0][0]]];
}

export function stateOf(arrivals) {
  const state = new RecordState(arrivals[0]);
  for (const one of arrivals) state.apply(one, one);
  return state;
}

export const numbered = (arrivals) => arrivals.map((one, i) => ({ ...one, seq: BigInt(i + 1) }));

function shownIn(state, form) {
  const keys = new Map(state.entries.map(({ item, field }) => [`${item} ${field}`, { item, field }]));
  return [...keys.values()]
    .filter(({ field }) => form.fields.some(({ number }) => number === field))
    .map(({ item, field }) => ({ item, field, ...viewField(state, form.fields.find(({ number }) => number === field), item) }));
}

function caseOf(name, unnumbered, form) {
  const arrivals = numbered(unnumbered);
  const state = stateOf(arrivals);
  const items = [...new Set(state.entries.map(({ item }) => item))].filter(Boolean);
  return {
    name,
    operations: arrivals.map((one) => ({
      device: one.device, counter: one.counter, author: one.author, effective: one.effective, received: one.received,
      seq: one.seq, bytes: bytesOf(one, one.device),
    })),
    orders: ordersOf(arrivals),
    head: encodeHead(state),
    body: encodeBody(state),
    hash: recordHash(state).toString(16).padStart(16, '0'),
    shown: shownIn(state, form),
    hidden: isHidden(state),
    hidden_items: items.filter((item) => isHidden(state, item)),
  };
}

export const merges = (form) => ({ valid: Object.entries(CASES).map(([name, arrivals]) => caseOf(name, arrivals, form)) });
