// enrolment_text.js: what `fieldsync-server enrol-code` prints:
// fieldsync:1:HOST:PORT:PIN:PIN:CODE
import { Refused } from './refusal.js';

const TEXT = /^fieldsync:1:(.+):(\d{1,5})((?::[0-9a-f]{64})+):([0-9A-HJKMNP-TV-Z]{17})$/i;

export function parseEnrolmentText(text) {
  const match = TEXT.exec(text.replace(/[ \n]+$/, ''));
  if (!match) throw new Refused('invalid_argument', 'not an enrolment text');
  const [, host, port, pins, code] = match;
  if (Number(port) < 1 || Number(port) > 65535) throw new Refused('invalid_argument', 'not a port');
  return { host, port: Number(port), pins: pins.slice(1).toLowerCase().split(':'), code };
}
