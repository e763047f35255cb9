// hand.js: a person at a Node device: each call is one save.
import { deleteWrite, isCounter, nameBeneath, removeValue, resolveField, restoreWrite, writeField } from '../../src/edits.js';
import { randomId } from '../../src/bytes.js';

export class Hand {
  constructor(device) {
    this.device = device;
  }

  #field(name) {
    return this.device.forms.get('visit').fields.find((field) => field.name === name);
  }

  #save(record, ...writes) {
    return this.device.save({ record, form: 'visit', writes });
  }

  #write(record, name, value, item) {
    const writer = { device: this.device.id, person: this.device.person };
    const field = this.#field(name);
    const write = writeField(record && this.device.view(record), field, value, writer, item);
    return isCounter(field) ? nameBeneath(write, this.device.waitingOf(record)) : write;
  }

  // The new record's id.
  create(summary) {
    return this.#save(undefined, this.#write(undefined, 'summary', { text: summary }));
  }

  edit(record, name, value, item = '') {
    this.#save(record, this.#write(record, name, value, item));
  }

  remove(record, name, value) {
    this.#save(record, removeValue(this.device.view(record), this.#field(name).number, value));
  }

  resolve(record, name, value) {
    this.#save(record, resolveField(this.device.view(record), this.#field(name).number, value));
  }

  delete(record, item = '') {
    this.#save(record, deleteWrite(this.device.view(record), item));
  }

  restore(record, item = '') {
    this.#save(record, restoreWrite(this.device.view(record), item));
  }

  // A member of the team at `place`; the new item's id.
  addMember(record, place, name) {
    const item = randomId();
    this.#save(record, this.#write(record, 'team', { text: place }, item), this.#write(record, 'team_member', { text: name }, item));
    return item;
  }
}
