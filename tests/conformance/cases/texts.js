// texts.js: what counts as text, what names a server, and what hashes to what.
import { hashBytes } from '../../node-client/src/record_codec.js';

const VALID_TEXTS = {
  '': 0, '61': 1, '20': 1, '7e': 1, '09': 1, '0a': 1, 'c2a0': 1, 'd096d0b0': 2, 'df8f': 1, 'dfbf': 1, 'e0a080': 1,
  'ed9fbf': 1, 'ee8080': 1, 'efbfbd': 1, 'efbfbf': 1, 'f0908080': 1, 'f48fbfbf': 1, 'f09f9880': 1, 'e280ae': 1, '65cc81': 2,
};

const INVALID_TEXTS = [
  '00', '07', '0d', '1b', '1f', '7f', 'c280', 'c285', 'c29f', '80', 'bf', 'c0', 'c080', 'c1bf', 'c2', 'd0', 'd020', 'e08080',
  'e09fbf', 'eda080', 'edbfbf', 'e282', 'e28261', 'f0808080', 'f08fbfbf', 'f4908080', 'f5808080', 'f09f98', 'fe', 'ff', '61ff61',
];

export const texts = () => ({
  valid: Object.entries(VALID_TEXTS).map(([bytes, characters]) => ({ name: `the bytes ${bytes}`, bytes, characters })),
  invalid: INVALID_TEXTS.map((bytes) => ({ name: `the bytes ${bytes}`, code: 'invalid_text', bytes })),
});

const PIN = 'ab'.repeat(32);
const SPARE = '0123456789abcdef'.repeat(4);
const CODE = 'WXYZ0123456789ABC';
const enrolment = (host, port, pins, code) => ({ host, port, pins, code });

const VALID_ENROLMENTS = {
  [`fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}:${CODE}`]: enrolment('127.0.0.1', 9443, [PIN, SPARE], CODE),
  [`fieldsync:1:office.example.org:1:${PIN}:${SPARE}:${CODE}`]: enrolment('office.example.org', 1, [PIN, SPARE], CODE),
  [`fieldsync:1:office.example.org:65535:${PIN}:${CODE}`]: enrolment('office.example.org', 65535, [PIN], CODE),
  [`fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}:${CODE}\n`]: enrolment('127.0.0.1', 9443, [PIN, SPARE], CODE),
  [`fieldsync:1:[2001:db8::7]:9443:${PIN}:${SPARE}:${CODE}`]: enrolment('[2001:db8::7]', 9443, [PIN, SPARE], CODE),
};

const INVALID_ENROLMENTS = [
  '', 'fieldsync', `fieldsync:2:127.0.0.1:9443:${PIN}:${SPARE}:${CODE}`, `127.0.0.1:9443:${PIN}:${SPARE}:${CODE}`,
  `fieldsync:1:127.0.0.1:9443:${CODE}`, `fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}`, `fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}:`,
  `fieldsync:1:127.0.0.1:9443:${PIN.slice(1)}:${CODE}`, `fieldsync:1:127.0.0.1:9443:${'g'.repeat(64)}:${CODE}`,
  `fieldsync:1:127.0.0.1:${PIN}:${SPARE}:${CODE}`, `fieldsync:1::9443:${PIN}:${SPARE}:${CODE}`,
  `fieldsync:1:127.0.0.1:0:${PIN}:${SPARE}:${CODE}`, `fieldsync:1:127.0.0.1:65536:${PIN}:${SPARE}:${CODE}`,
  `fieldsync:1:127.0.0.1:https:${PIN}:${SPARE}:${CODE}`, `fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}:${CODE.slice(1)}`,
  `fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}:${CODE}0`, `fieldsync:1:127.0.0.1:9443:${PIN}:${SPARE}:${CODE.slice(1)}U`,
];

export const enrolments = () => ({
  valid: Object.entries(VALID_ENROLMENTS).map(([text, meaning], i) => ({ name: `text ${i + 1}`, text, ...meaning })),
  invalid: INVALID_ENROLMENTS.map((text, i) => ({ name: `text ${i + 1}`, code: 'invalid_argument', text })),
});

export const hashes = () => ({
  valid: [0, 1, 7, 8, 9, 15, 16, 63, 64, 300].map((length) => {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => i & 0xff));
    return { name: `${length} bytes`, bytes, hash: hashBytes(bytes).toString(16).padStart(16, '0') };
  }),
});
