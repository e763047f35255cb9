// record_state.js: what a record holds after any number of operations.
//
// The merge, written anew from ARCHITECTURE.md and record.proto. An operation is named by
// its device and counter, a value by its operation and its place among that operation's
// writes of the field.

export const compareIds = (a, b) => {
  if (a.device !== b.device) return a.device < b.device ? -1 : 1;
  if (a.counter !== b.counter) return a.counter < b.counter ? -1 : 1;
  return 0;
};

export const compareEntries = (a, b) => {
  if (a.item !== b.item) return a.item < b.item ? -1 : 1;
  return a.field - b.field || compareIds(a, b) || a.place - b.place;
};

export const operationKey = ({ device, counter }) => `${device} ${counter}`;

const sameValue = (a, b) => compareEntries(a, b) === 0;

export class RecordState {
  constructor({ record, scope, form }) {
    Object.assign(this, { record, scope, form });
    // device -> counter of its newest operation on this record
    this.seen = new Map();
    // operationKey -> {device, counter, author, claimed, effective, received, seq, machine}
    this.stamps = new Map();
    // {item, field, device, counter, place, value}
    this.entries = [];
    // {item, field, device, counter, place, notAfter}
    this.awaited = [];
  }

  copy() {
    const copy = new RecordState(this);
    copy.seen = new Map(this.seen);
    copy.stamps = new Map(this.stamps);
    copy.entries = [...this.entries];
    copy.awaited = [...this.awaited];
    return copy;
  }

  hasSeen({ device, counter }) {
    return counter <= (this.seen.get(device) ?? 0n);
  }

  // Applying an operation twice changes nothing. `stamp` says who wrote it, and when.
  apply(operation, stamp) {
    if (this.hasSeen(stamp)) return;
    const { device, counter } = stamp;
    const places = new Map();
    const written = operation.writes.map((write) => {
      const key = `${write.item} ${write.field}`;
      const place = places.get(key) ?? 0;
      places.set(key, place + 1);
      return { item: write.item, field: write.field, device, counter, place, value: write.value };
    });
    for (const write of operation.writes) {
      for (const replaced of write.replaces) this.#remove({ ...replaced, item: write.item, field: write.field }, stamp.effective);
    }
    const replacedBefore = (entry) => this.awaited.some((awaited) => sameValue(awaited, entry));
    this.entries.push(...written.filter((entry) => !replacedBefore(entry)));
    this.seen.set(device, counter);
    this.stamps.set(operationKey(stamp), stamp);
    this.#tidy();
  }

  #remove(replaced, effective) {
    this.entries = this.entries.filter((entry) => !sameValue(entry, replaced));
    if (this.hasSeen(replaced)) return;
    const known = this.awaited.find((awaited) => sameValue(awaited, replaced));
    if (!known) this.awaited.push({ ...replaced, notAfter: effective });
    else if (effective < known.notAfter) known.notAfter = effective;
  }

  // What arrived is awaited no longer; stamps are kept for what entries name.
  #tidy() {
    this.awaited = this.awaited.filter((awaited) => !this.hasSeen(awaited)).sort(compareEntries);
    this.entries.sort(compareEntries);
    const named = new Set(this.entries.map(operationKey));
    for (const key of this.stamps.keys()) if (!named.has(key)) this.stamps.delete(key);
  }

  siblings(item, field) {
    const shownFirst = (a, b) => {
      const [x, y] = [this.stampOf(a).effective, this.stampOf(b).effective];
      if (x !== y) return x > y ? -1 : 1;
      return compareEntries(b, a);
    };
    return this.entries.filter((entry) => entry.item === item && entry.field === field).sort(shownFirst);
  }

  stampOf(entry) {
    return this.stamps.get(operationKey(entry));
  }
}
