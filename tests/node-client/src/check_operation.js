// check_operation.js: whether a server may apply an operation, by its form.
import { refuseWhen } from './refusal.js';
import { countCharacters } from './text.js';
import { enumeration } from './wire.js';

const TYPE = enumeration('FieldType');
const POLICY = enumeration('MergePolicy');
const CLASS = enumeration('Confidentiality');
const NO_ID = '0'.repeat(32);
const TEXT_BYTES_MAX = 65536;
const ATTACHMENT_BYTES_MAX = 64 * 1024 * 1024;
const PREVIEW_BYTES_MAX = 256 * 1024;

const KIND_OF_TYPE = {
  [TYPE.FIELD_TYPE_TEXT]: 'text',
  [TYPE.FIELD_TYPE_INTEGER]: 'integer',
  [TYPE.FIELD_TYPE_NUMBER]: 'number',
  [TYPE.FIELD_TYPE_BOOLEAN]: 'boolean',
  [TYPE.FIELD_TYPE_CHOICE]: 'choice',
  [TYPE.FIELD_TYPE_DATE]: 'date',
  [TYPE.FIELD_TYPE_INSTANT]: 'instant',
  [TYPE.FIELD_TYPE_REFERENCE]: 'reference',
  [TYPE.FIELD_TYPE_POSITION]: 'position',
  [TYPE.FIELD_TYPE_ATTACHMENT]: 'attachment',
  [TYPE.FIELD_TYPE_LOCAL_TEXT]: 'local_text',
  [TYPE.FIELD_TYPE_GROUP]: 'text',
};

function checkText(text, field) {
  const bytes = Buffer.from(text);
  refuseWhen(bytes.length > TEXT_BYTES_MAX, 'value_too_large', 'text of too many bytes');
  const characters = countCharacters(bytes);
  refuseWhen(characters === undefined, 'invalid_text', 'control characters');
  const maximum = field?.maximum_characters || Infinity;
  refuseWhen(characters > maximum, 'value_too_large', 'text of too many characters');
}

function checkRange(number, field) {
  const outside = field?.has_range && (Number(number) < field.minimum || Number(number) > field.maximum);
  refuseWhen(outside, 'value_out_of_range', 'outside the range of the form');
}

// What a person may call a file: no path, nothing that names another folder.
function isFileName(name) {
  const bytes = Buffer.from(name);
  return bytes.length <= 255 && countCharacters(bytes) !== undefined && !/[/\\\t\n]/.test(name) && name !== '.' && name !== '..';
}

// RFC 6838 section 4.2, in small letters; empty where it is not known.
const isMediaType = (type) => type === '' || (type.length <= 127 && /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(type));

const CONTENT_CHECKS = {
  text: checkText,
  integer: checkRange,
  number(number, field) {
    refuseWhen(!Number.isFinite(number) || Object.is(number, -0), 'value_out_of_range', 'not a finite number');
    checkRange(number, field);
  },
  choice(code, field) {
    const bytes = Buffer.from(code);
    const wrong = bytes.length === 0 || bytes.length > 64 || countCharacters(bytes) === undefined;
    refuseWhen(wrong, 'invalid_text', "not a choice's code");
    const known = !field || field.choices.length === 0 || field.choices.some((choice) => choice.code === code);
    refuseWhen(!known, 'value_out_of_range', "not one of the form's choices");
  },
  position({ latitude_e7: latitude, longitude_e7: longitude }) {
    const outside = Math.abs(latitude) > 900_000_000 || Math.abs(longitude) > 1_800_000_000;
    refuseWhen(outside, 'value_out_of_range', 'not a place on Earth');
  },
  local_text({ language, text }, field) {
    const bytes = Buffer.from(language);
    const wrong = bytes.length === 0 || bytes.length > 35 || countCharacters(bytes) === undefined;
    refuseWhen(wrong, 'invalid_text', 'no language');
    checkText(text, field);
  },
  attachment({ size, media_type: mediaType, name, preview }) {
    refuseWhen(size === 0 || size > ATTACHMENT_BYTES_MAX, 'value_too_large', 'an attachment of no or too many bytes');
    const wrong = preview && (preview.size === 0 || preview.size > PREVIEW_BYTES_MAX);
    refuseWhen(wrong, 'value_too_large', 'a preview of no or too many bytes');
    refuseWhen(!isFileName(name), 'invalid_text', 'a name that no file may have');
    refuseWhen(!isMediaType(mediaType), 'invalid_text', 'no media type');
  },
  sealed({ ciphertext }) {
    refuseWhen(ciphertext.length > 2 * TEXT_BYTES_MAX, 'value_too_large', 'a sealed value of too many bytes');
  },
};

const isSecret = (field) =>
  field?.confidentiality === CLASS.CONFIDENTIALITY_SEALED || field?.confidentiality === CLASS.CONFIDENTIALITY_SAFETY;

function checkWrite({ item, field: number, value }, form) {
  const [[kind, content]] = Object.entries(value);
  if (number === 0) {
    refuseWhen(kind !== 'deletion' && kind !== 'empty', 'wrong_value_type', 'field 0 holds only deletions');
    return;
  }
  refuseWhen(kind === 'deletion', 'wrong_value_type', 'a deletion belongs in field 0');
  const field = form.fields.find((one) => one.number === number);
  const belongsInItem = field && (field.group !== 0 || field.type === TYPE.FIELD_TYPE_GROUP);
  refuseWhen(field && belongsInItem !== (item !== ''), 'wrong_context', 'in an item, or not, against its form');
  if (kind === 'empty') return;
  refuseWhen(field && kind !== 'sealed' && KIND_OF_TYPE[field.type] !== kind, 'wrong_value_type', "not of the field's type");
  CONTENT_CHECKS[kind]?.(content, field);
}

function checkPlaces(writes, form) {
  const mayRepeat = ({ field: number }) => {
    const field = form.fields.find((one) => one.number === number);
    return !field || [POLICY.MERGE_POLICY_SET, POLICY.MERGE_POLICY_APPEND].includes(field.policy);
  };
  const key = ({ item, field }) => `${item} ${field}`;
  const seen = new Set();
  writes.forEach((write, i) => {
    const repeats = i > 0 && key(write) === key(writes[i - 1]);
    refuseWhen(!repeats && seen.has(key(write)), 'malformed_operation', 'writes of one field do not stand together');
    refuseWhen(repeats && !mayRepeat(write), 'malformed_operation', 'one field is written twice');
    seen.add(key(write));
  });
}

export function checkOperation(operation, form) {
  const { writes } = operation;
  const openSecret = writes.some(({ field: number, value }) => {
    const field = form.fields.find((one) => one.number === number);
    return isSecret(field) && !value.sealed && !value.empty;
  });
  refuseWhen(openSecret, 'must_be_sealed', 'a secret in the clear');
  refuseWhen(operation.record === NO_ID, 'malformed_operation', 'it names no record');
  refuseWhen(operation.finalise, 'not_supported_yet', 'editions');
  refuseWhen(writes.length === 0, 'malformed_operation', 'it writes nothing');
  refuseWhen(writes.length > 1000, 'too_many_elements', 'more than 1,000 writes');
  const replaced = writes.reduce((count, { replaces }) => count + replaces.length, 0);
  refuseWhen(replaced > 3000, 'too_many_elements', 'more than 3,000 replaced values');
  for (const write of writes) checkWrite(write, form);
  checkPlaces(writes, form);
}
