// operations.js: operations that are read, and those that are refused with a code.
import { encode } from '../../node-client/src/wire.js';
import { unhex } from '../../node-client/src/bytes.js';
import {
  A, attachment, B, bytesOf, choice, deletion, EMPTY, F, inItem, integer, ITEM, of, operation, OTHER_ITEM, RECORD, SCOPE, text, write,
} from './writing.js';
import { block, fixed64, group, number } from './raw.js';

const SEALED = {
  sealed: { key_generation: 3, ciphertext: Buffer.alloc(40, 7), keys: [{ holder: Buffer.alloc(8, 1), box: Buffer.alloc(80, 2) }] },
};
const local = (language, content) => ({ local_text: { language, text: content } });
const position = (latitude, longitude) => ({ position: { latitude_e7: latitude, longitude_e7: longitude } });
const one = (field, value) => operation([write(field, value)]);
const preview = (size, sha256 = Buffer.alloc(32, 8)) => ({ preview: { sha256, size } });
const KIB = 1024;
const MIB = 1024 * KIB;

const VALID = {
  'a text': one(F.summary, text('Cell 4 is cold.')),
  'a text in Kyrgyz': one(F.summary, text('Камера суук, терезе')),
  'a text of 20 characters of four bytes': one(F.summary, text('😀'.repeat(20))),
  'a text with tab and line feed': one(F.summary, text('a\tb\nc')),
  'an empty text': one(F.summary, text('')),
  'a text with the replacement character': one(F.summary, text('\ufffd')),
  'a text with a byte order mark': one(F.summary, text('\ufeffa')),
  'a text with a bidirectional control': one(F.summary, text('\u202ea')),
  'the integer 0': one(F.beds, integer(0)),
  'the greatest integer of the range': one(F.beds, integer(500)),
  'a negative integer': one(F.risk, integer(-1)),
  'the greatest integer': one(F.unknown, integer(9223372036854775807n)),
  'the smallest integer': one(F.unknown, integer(-9223372036854775808n)),
  'an integer beyond 53 bits': one(F.unknown, integer(9007199254740993n)),
  'the number 0': one(F.ratio, { number: 0 }),
  'the number 0.1': one(F.ratio, { number: 0.1 }),
  'the smallest number above 0': one(F.ratio, { number: 5e-324 }),
  'the greatest number': one(F.unknown, { number: 1.7976931348623157e308 }),
  'no': one(F.announced, { boolean: false }),
  'yes': one(F.announced, { boolean: true }),
  'a choice': one(F.kind, choice('b')),
  'a choice of 64 letters in an unknown field': one(F.unknown, choice('c'.repeat(64))),
  'the first day': one(F.planned, { date: 0 }),
  'the day before the first': one(F.planned, { date: -1 }),
  'the last day': one(F.planned, { date: 2147483647 }),
  'the smallest day': one(F.planned, { date: -2147483648 }),
  'the first instant': one(F.arrived, { instant: 0n }),
  'an instant before 1970': one(F.arrived, { instant: -62135596800000n }),
  'a reference': one(F.facility, { reference: unhex('fa'.repeat(16)) }),
  'the position 0, 0': one(F.position, position(0, 0)),
  'the north pole': one(F.position, position(900_000_000, 0)),
  'the corner of the map': one(F.position, position(-900_000_000, -1_800_000_000)),
  'an attachment': one(F.photo, attachment()),
  'an attachment that says only what it must': one(F.photo, {
    attachment: { sha256: Buffer.alloc(32), size: 1, kind: 3, media_type: '', name: '' },
  }),
  'a recording': one(F.photo, attachment({ kind: 1, media_type: 'audio/ogg', name: 'Жазуу 1.ogg' })),
  'a document': one(F.photo, attachment({ kind: 3, media_type: 'application/vnd.oasis.opendocument.text', name: 'a.tar.gz' })),
  'an attachment of 64 MiB': one(F.photo, attachment({ size: 64 * MIB })),
  'a preview of one byte': one(F.photo, attachment(preview(1))),
  'a preview of 256 KiB': one(F.photo, attachment(preview(256 * KIB))),
  'a preview that is larger than its attachment': one(F.photo, attachment({ size: 1, ...preview(2) })),
  "an attachment's name of 255 bytes": one(F.photo, attachment({ name: `${'ж'.repeat(127)}x` })),
  "an attachment's name of three dots": one(F.photo, attachment({ name: '...' })),
  "an attachment's name that begins with a dot": one(F.photo, attachment({ name: '.a' })),
  "an attachment's name with the replacement character": one(F.photo, attachment({ name: '\ufffd' })),
  "an attachment's name with what other systems forbid": one(F.photo, attachment({ name: ' a:b*c?"d<e>f|g ' })),
  'a media type of 127 bytes': one(F.photo, attachment({ media_type: `a/${'b'.repeat(125)}` })),
  'a media type with every sign that may stand': one(F.photo, attachment({ media_type: '0!#$&-^_.+/+._^-&$#!9' })),
  'an attachment in an unknown field': one(F.unknown, attachment()),
  'a text in its language': one(F.names, local('ky', 'Ош')),
  'a language of 35 bytes': one(F.names, local('x'.repeat(35), '')),
  'a sealed value': one(F.identity, SEALED),
  'a sealed value in another field': one(F.summary, SEALED),
  'a sealed value without keys': one(F.identity, { sealed: { key_generation: 0, ciphertext: Buffer.alloc(0), keys: [] } }),
  'an emptied secret': one(F.identity, EMPTY),
  'an emptied field': one(F.summary, EMPTY),
  'a deletion of nothing that was seen': one(F.existence, deletion()),
  'a deletion': one(F.existence, deletion([A, 4], [B, 300])),
  'a deletion undone': operation([write(F.existence, EMPTY, [of(B, 3)])]),
  'a deleted item': operation([inItem(ITEM, F.existence, deletion([A, 1]))]),
  'an item and its fields': operation([inItem(ITEM, F.team, text('a')), inItem(ITEM, F.member, text('Bakyt'))]),
  'fields in any order': operation([write(F.beds, integer(1)), write(F.summary, text('x')), inItem(ITEM, F.team, text('a'))]),
  'two elements of a set': operation([write(F.areas, choice('a')), write(F.areas, choice('b'))]),
  'a set of each of two items': operation([inItem(ITEM, 998, choice('a')), inItem(OTHER_ITEM, 998, choice('a'))]),
  'entries of a list': operation([write(F.notes, text('one')), write(F.notes, text('one'))]),
  'an element taken out': operation([write(F.areas, EMPTY, [of(B, 7, 1)])]),
  'an own earlier value replaced': operation([write(F.summary, text('x'), [of(A, 4)])]),
  'own and others replaced': operation([write(F.summary, text('x'), [of(A, 4), of(B, 1), of(B, 18446744073709551615n)])]),
  'places of which some are 0': operation([write(F.areas, choice('a'), [of(B, 7), of(A, 2, 3)])]),
  'a place of four bytes': operation([write(F.notes, EMPTY, [of(B, 7, 4294967295)])]),
  'a field that the form does not know': one(F.unknown, text('from a newer form')),
  'the greatest field number': one(65535, { boolean: true }),
  'a claimed time before 1970': operation([write(F.beds, integer(1))], { claimed: -1n }),
  'a claimed time of 0': operation([write(F.beds, integer(1))], { claimed: 0n }),
  'the greatest claimed time': operation([write(F.beds, integer(1))], { claimed: 9223372036854775807n }),
  'a merge by a machine': operation([write(F.summary, text('merged'), [of(A, 1), of(B, 1)])], { machine: true }),
  'many writes': operation(Array.from({ length: 40 }, (_, i) => write(1000 + i, { boolean: true }))),
};

// The parts of a good operation, to be put together wrongly.
const record = block(1, unhex(RECORD));
const scope = block(2, unhex(SCOPE));
const form = block(3, 'visit');
const claimed = number(5, 2000);
const valued = (...value) => block(3, ...value);
const writing = (...parts) => block(6, ...parts);
const beds = writing(number(2, F.beds), valued(number(3, 2)));
const good = [record, scope, form, claimed, beds];
const joined = (...parts) => Buffer.concat(parts);
const withWrite = (...parts) => joined(record, scope, form, claimed, writing(...parts));
const withValue = (field, ...value) => withWrite(number(2, field), valued(...value));
const whole = joined(...good);
const textOf = (bytes) => withValue(F.summary, block(2, Buffer.from(bytes, 'hex')));
const made = (writes, changes) => Buffer.from(bytesOf(operation(writes, changes)), 'hex');
const single = (field, value) => made([write(field, value)]);
const finalise = encode('Operation', { record: unhex(RECORD), scope: unhex(SCOPE), form: 'visit', kind: 1 });
const editionDigest = block(8, Buffer.alloc(32, 8));
const editionSignature = block(9, Buffer.alloc(64, 9));
const formerTime = number(10, 2000);
const device = unhex(B);
const photo = (changes) => single(F.photo, attachment(changes));
const named = (name) => photo({ name });
const typed = (mediaType) => photo({ media_type: mediaType });
const fileHash = block(1, Buffer.alloc(32, 9));
const rawPhoto = (...parts) => withValue(F.photo, block(11, ...parts));
const rawPreview = (...parts) => rawPhoto(fileHash, number(2, 5), number(3, 2), block(6, ...parts));

const INVALID = {
  malformed_operation: {
    'no bytes': Buffer.alloc(0),
    'bytes that are no message': Buffer.from('ffffffff', 'hex'),
    'cut short in the first tag': whole.subarray(0, 1),
    'cut short in the record': whole.subarray(0, 10),
    'cut short in the form': whole.subarray(0, 38),
    'cut short in a write': whole.subarray(0, whole.length - 1),
    'an unknown field': joined(whole, number(99, 1)),
    'an unknown field in a write': withWrite(number(2, F.beds), valued(number(3, 2)), number(15, 1)),
    'an unknown kind of value': withValue(F.beds, number(15, 2)),
    'a field 0': joined(whole, Buffer.from('0000', 'hex')),
    'a group': joined(whole, group(9)),
    'a field of another wire type': joined(record, scope, form, fixed64(5), beds),
    'a text as a number': joined(record, scope, number(3, 1), claimed, beds),
    'a number of eleven bytes': joined(record, scope, form, Buffer.from('2880808080808080808080', 'hex'), Buffer.from('01', 'hex'), beds),
    'a number in more bytes than it needs': joined(record, scope, form, number(5, 2000, 4), beds),
    'a length in more bytes than it needs': joined(Buffer.from('0a9000', 'hex'), unhex(RECORD), scope, form, claimed, beds),
    'a tag in more bytes than it needs': joined(Buffer.from('8a0010', 'hex'), unhex(RECORD), scope, form, claimed, beds),
    'a default that is written': joined(record, scope, form, number(4, 0), claimed, beds),
    'fields in another order': joined(scope, record, form, claimed, beds),
    'a form that stands twice': joined(record, scope, form, form, claimed, beds),
    'a value that stands twice': withWrite(number(2, F.beds), valued(number(3, 2)), valued(number(3, 2))),
    'a value of two kinds': withValue(F.beds, number(3, 2), number(5, 1)),
    'a position in two parts': withWrite(number(2, F.position), valued(block(10, number(1, 2))), valued(block(10, number(2, 2)))),
    'counters that are not packed': withWrite(number(2, F.beds), valued(number(3, 2)), block(4, device), number(5, 1)),
    'a record of 15 bytes': joined(block(1, unhex(RECORD).subarray(1)), scope, form, claimed, beds),
    'a record of 17 bytes': joined(block(1, unhex(RECORD), [1]), scope, form, claimed, beds),
    'no record': joined(scope, form, claimed, beds),
    'a record of zeros': joined(block(1, Buffer.alloc(16)), scope, form, claimed, beds),
    'a scope of 15 bytes': joined(record, block(2, unhex(SCOPE).subarray(1)), form, claimed, beds),
    'an item of one byte': withWrite(block(1, [1]), number(2, F.member), valued(block(2, 'x'))),
    'an item of zeros': withWrite(block(1, Buffer.alloc(16)), number(2, F.member), valued(block(2, 'x'))),
    'no value': withWrite(number(2, F.beds)),
    'a value without a kind': withValue(F.beds),
    'an empty that is not true': withValue(F.beds, number(1, 0)),
    'a reference of 15 bytes': single(F.facility, { reference: Buffer.alloc(15, 1) }),
    'an attachment that is a hash alone': rawPhoto(Buffer.alloc(32, 9)),
    'an attachment of nothing': rawPhoto(),
    'an attachment without a hash': photo({ sha256: Buffer.alloc(0) }),
    'an attachment with a hash of 31 bytes': photo({ sha256: Buffer.alloc(31, 9) }),
    'an attachment with a hash of 33 bytes': photo({ sha256: Buffer.alloc(33, 9) }),
    'an attachment without a kind': photo({ kind: 0 }),
    'an attachment without a kind beside another fault': photo({ kind: 0, size: 0, name: '..' }),
    'an attachment of an unknown kind': photo({ kind: 4 }),
    'an attachment of a kind below 0': photo({ kind: -1 }),
    'an attachment of a kind of more than 32 bits': rawPhoto(fileHash, number(2, 5), number(3, 2n ** 32n + 2n)),
    'an attachment whose size has more than 32 bits': rawPhoto(fileHash, number(2, 2n ** 32n + 5n), number(3, 2)),
    'an attachment with its fields in another order': rawPhoto(number(2, 5), fileHash, number(3, 2)),
    'an attachment with two names': rawPhoto(fileHash, number(2, 5), number(3, 2), block(5, 'a'), block(5, 'a')),
    'an attachment with a default written': rawPhoto(fileHash, number(2, 5), number(3, 2), block(5, '')),
    'an attachment with an unknown field': rawPhoto(fileHash, number(2, 5), number(3, 2), number(7, 1)),
    'a preview of nothing': rawPreview(),
    'a preview without a hash': photo(preview(5, Buffer.alloc(0))),
    'a preview with a hash of 31 bytes': photo(preview(5, Buffer.alloc(31, 8))),
    'a preview whose size has more than 32 bits': rawPreview(fileHash, number(2, 2n ** 32n + 5n)),
    'a preview with a kind': rawPreview(fileHash, number(2, 5), number(3, 2)),
    'two previews': rawPhoto(fileHash, number(2, 5), number(3, 2), ...[1, 2].map((size) => block(6, fileHash, number(2, size)))),
    'a deletion with more devices than counters': single(F.existence, { deletion: { device: [device], counter: [] } }),
    'a deletion that is not sorted': single(F.existence, deletion([B, 1], [A, 1])),
    'a deletion with a device twice': single(F.existence, deletion([A, 1], [A, 2])),
    'a deletion with a device of 15 bytes': single(F.existence, { deletion: { device: [device.subarray(1)], counter: [1n] } }),
    'no form': made([write(F.beds, integer(1))], { form: '' }),
    'a form with capitals': made([write(F.beds, integer(1))], { form: 'Visit' }),
    'a form of 65 letters': made([write(F.beds, integer(1))], { form: 'v'.repeat(65) }),
    'a yes or no that is neither': withValue(F.announced, number(5, 2)),
    'a day of more than 32 bits': withValue(F.planned, number(7, 2n ** 32n)),
    'a latitude of more than 32 bits': withValue(F.position, block(10, number(1, 2n ** 32n))),
    'a field number of more than 32 bits': withWrite(number(2, 2n ** 32n + 2n), valued(number(3, 2))),
    'a list of counters without any': withWrite(number(2, F.beds), valued(number(3, 2)), block(5)),
    'a text in a language, with a default written': withValue(F.names, block(12, block(1, 'ky'), block(2, ''))),
    'a sealed value with an unknown field': withValue(F.identity, block(13, number(1, 1), number(9, 1))),
    'an unknown kind of operation': joined(record, scope, form, number(4, 7), claimed, beds),
    'an unknown origin': joined(whole, number(7, 9)),
    "an edition's digest in an edit": joined(whole, editionDigest),
    "an edition's signature in an edit": joined(whole, editionSignature),
    'a former time': joined(whole, formerTime),
    'a former time of a finalised edition': joined(finalise, formerTime),
    'more devices than counters replaced': withWrite(number(2, F.beds), valued(number(3, 2)), block(4, device)),
    'more places than counters replaced': withWrite(number(2, F.beds), valued(number(3, 2)), block(4, device), block(5, [1]), block(6, [1, 1])),
    'a replaced device of 15 bytes': withWrite(number(2, F.beds), valued(number(3, 2)), block(4, device.subarray(1)), block(5, [1])),
    'a replaced counter of 0': made([write(F.summary, text('x'), [of(B, 0)])]),
    'its own value replaced': made([write(F.summary, text('x'), [of(A, 5)])]),
    'an own later value replaced': made([write(F.summary, text('x'), [of(A, 6)])]),
    'no write': made([]),
    'one field written twice': made([write(F.summary, text('x')), write(F.summary, text('y'))]),
    'elements of a set that do not stand together': made([write(F.areas, choice('a')), write(F.beds, integer(1)), write(F.areas, choice('b'))]),
  },
  invalid_text: {
    'a byte that begins nothing': textOf('61ff'),
    'a sequence cut short': textOf('d0'),
    'a continuation alone': textOf('80'),
    'an overlong NUL': textOf('c080'),
    'an overlong slash': textOf('e080af'),
    'a surrogate': textOf('eda080'),
    'beyond Unicode': textOf('f4908080'),
    'a language that is not UTF-8': withValue(F.names, block(12, block(1, [0xff]), block(2, 'x'))),
    'NUL': textOf('610062'),
    'a bell': textOf('07'),
    'a carriage return': textOf('0d0a'),
    'DEL': textOf('7f'),
    'a control character of two bytes': textOf('c285'),
    'no language': single(F.names, local('', 'x')),
    'a language of 36 bytes': single(F.names, local('x'.repeat(36), 'x')),
    'a choice without letters': single(F.unknown, choice('')),
    'a choice of 65 letters': single(F.unknown, choice('c'.repeat(65))),
    "an attachment's name with a slash": named('a/b'),
    "an attachment's name with a backslash": named('a\\b'),
    "an attachment's name with a tab": named('a\tb'),
    "an attachment's name with a line feed": named('a\n'),
    "an attachment's name with a bell": named('a\u0007'),
    "an attachment's name with NUL": named('a\0.jpg'),
    "an attachment's name with a control character of two bytes": named('a\u0085'),
    "an attachment's name that is not UTF-8": rawPhoto(fileHash, number(2, 5), number(3, 2), block(5, [0xff])),
    "an attachment's name that is its folder": named('.'),
    "an attachment's name that is the folder above": named('..'),
    "an attachment's name of 256 bytes": named('ж'.repeat(128)),
    "an attachment's name with a slash in an unknown field": single(F.unknown, attachment({ name: '/' })),
    'a media type without a slash': typed('image'),
    'a media type without a type': typed('/jpeg'),
    'a media type without a subtype': typed('image/'),
    'a media type with two slashes': typed('a/b/c'),
    'a media type with a capital': typed('Image/jpeg'),
    'a media type with a capital in its subtype': typed('image/JPEG'),
    'a media type with a parameter': typed('image/jpeg;q=1'),
    'a media type with a space': typed('image/jpeg '),
    'a media type with a line feed': typed('image/jpeg\n'),
    'a media type with a letter beyond ASCII': typed('image/жpeg'),
    'a media type with any subtype': typed('image/*'),
    'a media type that is not UTF-8': rawPhoto(fileHash, number(2, 5), number(3, 2), block(4, [0xff])),
    'a media type of 128 bytes': typed(`a/${'b'.repeat(126)}`),
  },
  wrong_value_type: {
    'an integer in a text': single(F.summary, integer(1)),
    'a text in an integer': single(F.beds, text('1')),
    'a number in an integer': single(F.beds, { number: 1 }),
    'an instant in a date': single(F.planned, { instant: 0n }),
    'a text in a choice': single(F.kind, text('a')),
    'a choice in the place of an item': made([inItem(ITEM, F.team, choice('a'))]),
    'an attachment in a text': single(F.summary, attachment()),
    'a reference in an attachment': single(F.photo, { reference: Buffer.alloc(16, 1) }),
    'a text in the field existence': single(F.existence, text('gone')),
    'a deletion in another field': single(F.summary, deletion([A, 1])),
  },
  value_out_of_range: {
    'an integer below the range': single(F.beds, integer(-1)),
    'an integer above the range': single(F.beds, integer(501)),
    'a number above the range': single(F.ratio, { number: 1.0000000000000002 }),
    'no number': single(F.unknown, { number: NaN }),
    'an infinite number': single(F.unknown, { number: Infinity }),
    'negative zero': single(F.ratio, { number: -0 }),
    'a choice that the form does not have': single(F.kind, choice('d')),
    'north of the pole': single(F.position, position(900_000_001, 0)),
    'west of the map': single(F.position, position(0, -1_800_000_001)),
    'the smallest latitude of 32 bits': single(F.position, position(-2147483648, 0)),
  },
  value_too_large: {
    'a text of 21 characters': single(F.summary, text('x'.repeat(21))),
    'an attachment of no bytes': photo({ size: 0 }),
    'an attachment of more than 64 MiB': photo({ size: 64 * MIB + 1 }),
    'an attachment of as many bytes as 32 bits can say': photo({ size: 2 ** 32 - 1 }),
    'an attachment of no bytes in an unknown field': single(F.unknown, attachment({ size: 0 })),
    'an attachment of no bytes beside other faults': photo({ size: 0, name: '..', media_type: 'image' }),
    'a preview of no bytes': photo(preview(0)),
    'a preview of more than 256 KiB': photo(preview(256 * KIB + 1)),
    'a preview of no bytes beside other faults': photo({ ...preview(0), name: '..', media_type: 'image' }),
  },
  wrong_context: {
    "a record's field in an item": made([inItem(ITEM, F.summary, text('x'))]),
    "an item's field in the record": single(F.member, text('x')),
    'the place of an item in the record': single(F.team, text('a')),
  },
  must_be_sealed: {
    'a secret in the clear': single(F.identity, text('Azamat')),
    'a secret in the clear beside another fault': made([write(F.beds, integer(501)), write(F.identity, text('Azamat'))]),
  },
  not_supported_yet: {
    'a finalised edition': finalise,
    'a finalised edition with its digest and signature': joined(finalise, editionDigest, editionSignature),
  },
  too_many_elements: {
    'a thousand and one writes': made(Array.from({ length: 1001 }, (_, i) => write(1000 + i, { boolean: true }))),
    'three thousand and one replaced values': made([write(F.notes, EMPTY, Array.from({ length: 3001 }, () => of(A, 1)))]),
  },
};

export const operations = () => ({
  valid: Object.entries(VALID).map(([name, meaning]) => ({ name, device: A, counter: '5', bytes: bytesOf(meaning), operation: meaning })),
  invalid: Object.entries(INVALID).flatMap(([code, cases]) =>
    Object.entries(cases).map(([name, bytes]) => ({ name, code, device: A, counter: '5', bytes })),
  ),
});
