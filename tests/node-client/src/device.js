// device.js: a device in memory: what the server last told (the replica), and its own
// operations that the replica does not hold yet (the outbox).
import { makeBatch } from './batch.js';
import { hex, randomId } from './bytes.js';
import { makeIdentity } from './certificate.js';
import { parseEnrolmentText } from './enrolment_text.js';
import { decodeOperation, encodeOperation } from './operation.js';
import { refusalsDigest } from './record_codec.js';
import { RecordState } from './record_state.js';
import { Replica } from './replica.js';
import { post } from './transport.js';
import { decode, encode, enumeration } from './wire.js';

const QUARANTINED = enumeration('OperationOutcome').OPERATION_OUTCOME_QUARANTINED;
// Later than anything that a server stamps: unsent edits are shown first.
const UNSTAMPED = { effective: 1n << 62n, received: 0n, seq: 0n };

export const PROTOCOL_VERSION = 1;
export const OPERATIONS_PER_BATCH = 20;

export class Device {
  constructor(name) {
    this.name = name;
    this.identity = makeIdentity();
    this.id = this.identity.device;
    this.replicas = new Map();
    this.forms = new Map();
    this.formsVersion = 0n;
    this.directoryVersion = 0n;
    this.lastCounter = 0n;
    // {counter, bytes, operation}: those that the replica does not hold yet
    this.outbox = [];
    this.batches = [];
    this.acknowledged = 0n;
    // counter -> OperationResult
    this.refused = new Map();
    // How often a replica was not what it should be: it heals, so that nobody would notice.
    this.restarts = 0;
  }

  async enrol(text) {
    const { host, port, pins, code } = parseEnrolmentText(text);
    this.server = { host, port, pins, identity: this.identity };
    const request = { protocol_version: PROTOCOL_VERSION, code, device_name: this.name };
    const reply = decode('EnrolReply', await post(this.server, '/v1/enrol', encode('EnrolRequest', request)));
    if (hex(reply.device) !== this.id) throw new Error('the server computes another device id');
    this.person = hex(reply.person.id);
  }

  get scope() {
    return [...this.replicas.keys()][0];
  }

  digest(scope = this.scope) {
    return this.replicas.get(scope).digest();
  }

  // A record as the person sees it: the replica's, with the outbox on top.
  view(record) {
    const known = [...this.replicas.values()].map((replica) => replica.records.get(record)).find(Boolean);
    const own = this.#waiting(record);
    if (!known && own.length === 0) return undefined;
    const state = known ? known.copy() : new RecordState(own[0].operation);
    for (const { operation, counter } of own) state.apply(operation, this.#ownStamp(operation, counter, UNSTAMPED));
    return state;
  }

  // Saves one operation; `writes` are as in operation.js.
  save({ record = randomId(), scope = this.scope, form, writes, claimed = BigInt(Date.now()) }) {
    const operation = { record, scope, form, writes, claimed, machine: false };
    return this.saveBytes(encodeOperation(operation, this.id));
  }

  // The record's operations that wait, the newest first.
  waitingOf(record) {
    return this.#waiting(record).map(({ counter, operation }) => ({ device: this.id, counter, operation })).reverse();
  }

  #waiting(record) {
    return this.outbox.filter(({ operation, counter }) => operation.record === record && !this.refused.has(counter));
  }

  saveBytes(bytes) {
    const operation = decodeOperation(bytes, { device: this.id, counter: this.lastCounter + 1n });
    this.saveUnread(bytes, operation);
    return operation.record;
  }

  // What a device that checks nothing would send; `operation` is what it is to the replica.
  saveUnread(bytes, operation = {}) {
    this.lastCounter += 1n;
    this.outbox.push({ counter: this.lastCounter, bytes, operation });
  }

  // Until everything is sent and everything new is here.
  async sync({ budget = 0 } = {}) {
    for (let requests = 1; requests < 1000; requests += 1) {
      const batch = this.#nextBatch();
      const reply = await this.request({ batch: batch?.message, budget });
      this.#take(reply, batch);
      if (!reply.more && this.acknowledged === this.lastCounter) return requests;
    }
    throw new Error('the sync does not end');
  }

  // The server has the batch, and the device does not know.
  async sendAndLoseReply() {
    await this.request({ batch: this.#nextBatch()?.message });
  }

  async request({ batch, budget = 0, ...fields }) {
    const request = {
      protocol_version: PROTOCOL_VERSION,
      device_time_ms: BigInt(Date.now()),
      positions: [...this.replicas.values()].filter((replica) => replica.cursor).map((replica) => replica.position()),
      forms_version: this.formsVersion,
      directory_version: this.directoryVersion,
      refusals_digest: refusalsDigest(this.refused.values()),
      reply_budget_bytes: budget,
      batch,
      ...fields,
    };
    return decode('SyncReply', await post(this.server, '/v1/sync', encode('SyncRequest', request)));
  }

  // A batch is made once: the same counters are never signed with other content.
  #nextBatch() {
    const unsent = this.batches.find((batch) => batch.lastCounter > this.acknowledged);
    if (unsent) return unsent;
    const previous = this.batches.at(-1);
    const firstCounter = (previous?.lastCounter ?? 0n) + 1n;
    const operations = this.outbox.filter(({ counter }) => counter >= firstCounter).slice(0, OPERATIONS_PER_BATCH);
    if (operations.length === 0) return undefined;
    const batch = makeBatch({
      identity: this.identity,
      firstCounter,
      previousHash: previous?.hash,
      operations: operations.map(({ bytes }) => bytes),
    });
    this.batches.push(batch);
    return batch;
  }

  #take(reply, batch) {
    this.acknowledged = reply.acknowledged_counter;
    if (reply.results_complete) this.refused.clear();
    for (const result of reply.results) if (result.outcome === QUARANTINED) this.refused.set(result.counter, result);
    for (const form of reply.forms) this.forms.set(form.name, form);
    if (reply.forms_version > 0n) this.formsVersion = reply.forms_version;
    if (reply.directory_version > 0n) this.directoryVersion = reply.directory_version;
    for (const changes of reply.scopes) this.#takeScope(changes, reply.stamps, batch);
    for (const scope of reply.scopes_gone) this.replicas.delete(hex(scope));
    this.outbox = this.outbox.filter((own) => !this.refused.has(own.counter) && !this.#replicaHolds(own));
  }

  #takeScope(changes, stamps, batch) {
    const scope = hex(changes.scope);
    if (!this.replicas.has(scope)) this.replicas.set(scope, new Replica());
    const replica = this.replicas.get(scope);
    if (changes.restart) {
      replica.restart();
      this.restarts += 1;
    }
    replica.take(changes);
    if (changes.own_first_seq > 0n) replica.takeOwn(this.#stampedBatch(scope, stamps, batch, changes.own_first_seq));
  }

  // The batch's operations that the server applied to the scope now, stamped as it did.
  #stampedBatch(scope, stamps, batch, firstSeq) {
    const exceptions = new Map(stamps.exceptions.map((e) => [e.counter, e.effective_time_ms]));
    const earlier = (a, b) => (a < b ? a : b);
    return this.outbox
      .filter(({ counter, operation }) => counter >= stamps.first_counter && counter <= batch.lastCounter && operation.scope === scope)
      .filter(({ counter }) => !this.refused.has(counter))
      .map(({ counter, operation }, i) => {
        const usual = earlier(stamps.received_time_ms, operation.claimed + stamps.clock_offset_ms);
        const effective = exceptions.get(counter) ?? usual;
        const times = { effective, received: stamps.received_time_ms, seq: firstSeq + BigInt(i) };
        return { operation, stamp: this.#ownStamp(operation, counter, times) };
      });
  }

  #ownStamp(operation, counter, times) {
    return { device: this.id, counter, author: this.person, claimed: operation.claimed, machine: operation.machine, ...times };
  }

  #replicaHolds({ counter, operation }) {
    return this.replicas.get(operation.scope)?.records.get(operation.record)?.hasSeen({ device: this.id, counter });
  }
}
