// replica.js: one scope's records as the server last told them.
import { decodeChange, scopeDigest } from './record_codec.js';
import { RecordState } from './record_state.js';
import { hex } from './bytes.js';
import { decode } from './wire.js';

export class Replica {
  constructor() {
    this.restart();
  }

  restart() {
    this.records = new Map();
    this.cursor = undefined;
  }

  digest() {
    return scopeDigest(this.records.values());
  }

  position() {
    return { cursor: this.cursor, digest: this.digest() };
  }

  take({ cursor, changes }) {
    for (const change of changes) {
      const record = hex(decode('RecordHead', change.head).record);
      this.records.set(record, decodeChange(change, this.records.get(record)));
    }
    if (cursor.length > 0) this.cursor = cursor;
  }

  // `stamped` are the device's own operations: they are not echoed.
  takeOwn(stamped) {
    for (const { operation, stamp } of stamped) {
      const { record } = operation;
      if (!this.records.has(record)) this.records.set(record, new RecordState(operation));
      this.records.get(record).apply(operation, stamp);
    }
  }
}
