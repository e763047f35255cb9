// records.js: heads and bodies that are not canonical, and changes of a few fields.
import { encodeBody, encodeHead } from '../../node-client/src/record_codec.js';
import { decode, encode } from '../../node-client/src/wire.js';
import { A, attachment, B, C, F, inItem, integer, ITEM, of, operation, P, text, write } from './writing.js';
import { block, fixed64, number } from './raw.js';
import { numbered, stateOf } from './merges.js';

const arrival = (device, counter, writes) => ({
  device, counter: BigInt(counter), author: P, effective: 100n, received: 100n, ...operation(writes),
});

const arrivals = numbered([
  arrival(A, 3, [write(F.summary, text('Cold.')), write(F.notes, text('one')), write(F.notes, text('two'))]),
  arrival(B, 2, [write(F.summary, text('Damp.'), [of(C, 9), of(C, 8)]), inItem(ITEM, F.team, text('a'))]),
]);
const state = stateOf(arrivals);
const HEAD = encodeHead(state);
const BODY = encodeBody(state);

// One text of one operation, to be written in an item that cannot be.
const plainState = stateOf(numbered([arrival(A, 3, [write(F.summary, text('Cold.'))])]));
const inItemOf = (item) => [encodeHead(plainState), entry(block(1, item), number(2, F.summary), block(4, block(2, 'Cold.')))];

const photoState = stateOf(numbered([arrival(A, 3, [write(F.photo, attachment())])]));
const photoOf = (changes) => {
  const { entries: [photo] } = decode('RecordBody', encodeBody(photoState));
  return [encodeHead(photoState), encode('RecordBody', { entries: [{ ...photo, value: attachment(changes) }] })];
};

const head = (change) => {
  const message = decode('RecordHead', HEAD);
  change(message);
  return [encode('RecordHead', message), BODY];
};
const body = (change) => {
  const { entries } = decode('RecordBody', BODY);
  return [HEAD, encode('RecordBody', { entries: change(entries) ?? entries })];
};
const headWith = (...parts) => [Buffer.concat([HEAD, ...parts]), BODY];
const bodyWith = (...parts) => [HEAD, Buffer.concat([BODY, ...parts])];
const swap = (list) => list.splice(0, 2, list[1], list[0]);
const entry = (...parts) => block(1, ...parts);
const alone = [entry(number(2, 1), block(4, block(2, 'x')))];

const INVALID = {
  'a head that is no message': [Buffer.from('ff', 'hex'), BODY],
  'a head cut short': [HEAD.subarray(0, HEAD.length - 1), BODY],
  'no head': [Buffer.alloc(0), BODY],
  'a body cut short': [HEAD, BODY.subarray(0, BODY.length - 1)],
  'a body of another message': [HEAD, number(1, 7)],
  'no body, though the head has stamps': [HEAD, Buffer.alloc(0)],
  'an unknown field in the head': headWith(number(99, 1)),
  'an unknown field in the body': bodyWith(number(99, 1)),
  'a field of another wire type': headWith(fixed64(3)),
  'a head whose fields are in another order': [Buffer.concat([HEAD.subarray(18, 36), HEAD.subarray(0, 18), HEAD.subarray(36)]), BODY],
  'a form that stands twice': headWith(block(3, 'visit')),
  'a form that is not UTF-8': [Buffer.concat([HEAD.subarray(0, 36), block(3, [0xff]), HEAD.subarray(43)]), BODY],
  'a default that is written': [HEAD, Buffer.concat([...alone, entry(number(2, 2), number(3, 0), block(4, block(2, 'x')))])],
  'a number in more bytes than it needs': [HEAD, entry(number(2, 1, 3), block(4, block(2, 'x')))],
  'a record of 15 bytes': head((one) => { one.record = one.record.subarray(1); }),
  'a scope of 17 bytes': head((one) => { one.scope = Buffer.alloc(17, 1); }),
  'more devices than counters': head((one) => { one.seen_counter.pop(); }),
  'devices that are not sorted': head((one) => { swap(one.seen_device); }),
  'a device that stands twice': head((one) => { one.seen_device[1] = one.seen_device[0]; }),
  'a device of 15 bytes': head((one) => { one.seen_device[0] = Buffer.alloc(15, 1); }),
  'stamps that are not sorted': head((one) => { swap(one.stamps); }),
  'a stamp that stands twice': head((one) => { one.stamps.push(one.stamps[1]); }),
  'a stamp of no device': head((one) => { one.stamps[1].device = 2; }),
  'a stamp of no author': head((one) => { one.stamps[1].author = Buffer.alloc(0); }),
  'a stamp of an operation that was not seen': head((one) => { one.stamps[1].counter = 99n; }),
  'a stamp that no value names': head((one) => { one.stamps.unshift({ ...one.stamps[0], counter: 1n }); }),
  'awaited values that are not sorted': head((one) => { swap(one.awaited); }),
  'an awaited value that stands twice': head((one) => { one.awaited[1] = one.awaited[0]; }),
  'an awaited value of a device of 15 bytes': head((one) => { one.awaited[0].device = Buffer.alloc(15, 1); }),
  'an awaited value in an item of one byte': head((one) => { one.awaited[1].item = Buffer.alloc(1, 1); }),
  'an awaited value that has arrived': head((one) => { one.awaited.splice(0, 1, { ...one.awaited[0], device: Buffer.from(A, 'hex'), counter: 1n }); }),
  'an entry of no stamp': body((entries) => { entries[0].stamp = 2; }),
  'an entry without a value': body((entries) => { delete entries[0].value; }),
  'an entry with a value without a kind': body((entries) => { entries[0].value = {}; }),
  'an entry in an item of 15 bytes': inItemOf(Buffer.alloc(15, 1)),
  'an entry in an item of zeros': inItemOf(Buffer.alloc(16)),
  'an entry in an item of no bytes that is written': inItemOf(Buffer.alloc(0)),
  'a text with a control character': [encodeHead(plainState), entry(number(2, F.summary), block(4, block(2, 'Cold\u0007')))],
  'an attachment without a hash': photoOf({ sha256: Buffer.alloc(0) }),
  'an attachment without a kind': photoOf({ kind: 0 }),
  'an attachment of an unknown kind': photoOf({ kind: 4 }),
  'a preview without a hash': photoOf({ preview: { sha256: Buffer.alloc(0), size: 5 } }),
  "an attachment's name with a control character": photoOf({ name: 'a\u0007' }),
  'a media type with a control character': photoOf({ media_type: 'image/\u0007' }),
  'a record of zeros': head((one) => { one.record = Buffer.alloc(16); }),
  'an author of zeros': head((one) => { one.stamps[0].author = Buffer.alloc(16); }),
  'an awaited value of no device': head((one) => { one.awaited[0].device = Buffer.alloc(0); }),
  'an awaited value in an item of zeros': head((one) => { one.awaited[0].item = Buffer.alloc(16); }),
  'a form with a capital': head((one) => { one.form = 'Visit'; }),
  'no form': head((one) => { one.form = ''; }),
  'a stamp with a default that is written': [
    Buffer.concat([encodeHead(plainState).subarray(0, -2), Buffer.from('4000', 'hex')]), encodeBody(plainState),
  ],
  'siblings that are not sorted': body((entries) => { swap(entries); }),
  'places that are not sorted': body((entries) => [entries[0], entries[1], entries[3], entries[2], entries[4]]),
  'fields that are not sorted': body((entries) => [entries[4], ...entries.slice(0, 4)]),
  'an entry that stands twice': body((entries) => [entries[0], ...entries]),
  'a text that is not UTF-8': [HEAD, Buffer.concat([Buffer.from(BODY.toString('latin1').replace('Damp.', 'Dam\xff.'), 'latin1')])],
};

export const records = () => ({
  valid: [
    { name: 'a record with siblings, places, an item and awaited values', head: HEAD, body: BODY },
    { name: 'a record with an attachment', head: encodeHead(photoState), body: encodeBody(photoState) },
  ],
  invalid: Object.entries(INVALID).map(([name, [headBytes, bodyBytes]]) => ({ name, code: 'malformed_request', head: headBytes, body: bodyBytes })),
});

// What a server sends of `after` to a device that has read up to `cursor`.
function changeOf(after, cursor) {
  const isNew = (one) => after.stampOf(one).seq > cursor;
  const fields = new Set(after.entries.filter(isNew).map(({ item, field }) => `${item} ${field}`));
  const { entries } = decode('RecordBody', encodeBody(after));
  return encode('ChangedFields', { entries: entries.filter((_, i) => fields.has(`${after.entries[i].item} ${after.entries[i].field}`)) });
}

const later = (...more) => numbered([...arrivals, ...more]);
const CHANGES = {
  'nothing but the head': later(),
  'a conflict settled': later(arrival(C, 10, [write(F.summary, text('Both.'), [of(A, 3), of(B, 2)])])),
  'a new field before the others': later(arrival(C, 10, [write(F.existence, { empty: true })])),
  'a new field behind the others': later(arrival(C, 10, [inItem(ITEM, F.member, text('Aigul'))])),
  'a sibling more': later(arrival(C, 10, [write(F.summary, text('Dark.'))])),
  'an entry of a list emptied': later(arrival(C, 10, [write(F.notes, { empty: true }, [of(A, 3, 1)])])),
  'two fields': later(arrival(B, 5, [write(F.beds, integer(4)), write(F.notes, text('three'))])),
};

export const changedFields = () => ({
  valid: Object.entries(CHANGES).map(([name, all]) => {
    const after = stateOf(all);
    return { name, before: { head: HEAD, body: BODY }, head: encodeHead(after), changed: changeOf(after, 2n), body: encodeBody(after) };
  }),
});
