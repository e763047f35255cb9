// enrolment_text.js: what `fieldsync-server enrol-code` prints:
// fieldsync:1:HOST:PORT:PIN:PIN:CODE

export function parseEnrolmentText(text) {
  const match = /^fieldsync:1:([^:]+):(\d{1,5}):([0-9a-f]{64}):([0-9a-f]{64}):([0-9A-HJKMNP-TV-Z]{13})$/.exec(text);
  if (!match) throw new Error('not an enrolment text');
  const [, host, port, pin, sparePin, code] = match;
  return { host, port: Number(port), pins: [pin, sparePin], code };
}
