// refusal.js: what is refused here, with the stable code that a server would give.

export class Refused extends Error {
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

export function refuseWhen(condition, code, detail) {
  if (condition) throw new Refused(code, detail);
}
