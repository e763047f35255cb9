// office.js: a server, two Node devices and one of the C++ app, and whether they agree.
import assert from 'node:assert/strict';
import { encodeBody, encodeHead } from '../../src/record_codec.js';
import { Device } from '../../src/device.js';
import { isHidden, viewField } from '../../src/view.js';
import { TestServer } from './test_server.js';

const APP = 'aigul';

export class Office {
  // Aigul has the app; Bakyt and Chynara have a Node device each.
  static async open() {
    const office = new Office();
    office.server = await TestServer.start(['Aigul', 'Bakyt', 'Chynara']);
    await office.server.enrolApp(APP, 'Aigul');
    office.bakyt = await office.enrolled('Bakyt');
    office.chynara = await office.enrolled('Chynara');
    office.devices = [office.bakyt, office.chynara];
    return office;
  }

  async enrolled(person) {
    const device = new Device(`${person}'s device`);
    await device.enrol(await this.server.enrolmentText(person));
    await device.sync();
    return device;
  }

  close() {
    return this.server.stop();
  }

  app(...args) {
    return this.server.app(APP, ...args);
  }

  // Twice round: what the last one sends reaches the first. Each agrees with the server
  // as soon as it has synced; a replica that differs would be replaced by the next sync.
  async syncAll(options) {
    for (let round = 0; round < 2; round += 1) {
      for (const device of this.devices) {
        await device.sync(options);
        assert.equal(hexDigest(device), await this.digest(), `${device.name} has the server's digest`);
        assert.equal(device.restarts, 0, `${device.name} never had another`);
      }
      await this.app('sync');
      const status = await this.app('status');
      assert.equal(status.scopes[0].digest, await this.digest(), "the app's digest is the server's");
    }
  }

  // The server's.
  async digest() {
    return JSON.parse(await this.server.administer('scope', 'list', '--json'))[0].digest;
  }

  // Everybody syncs; then all hold the same bytes, digests and views.
  async agree(options) {
    await this.syncAll(options);
    const [first] = this.devices;
    for (const device of this.devices) {
      assert.deepEqual(contentOf(device), contentOf(first), `${device.name} holds the same bytes`);
      assert.deepEqual(device.outbox, [], `${device.name} has sent everything`);
    }
    for (const record of recordsOf(first)) {
      const shown = fieldsOfApp(await this.app('show', record));
      assert.deepEqual(shown, fieldsOfDevice(first, record), `the app shows record ${record} as ${first.name} does`);
    }
    await this.server.administer('check');
  }
}

const hexDigest = (device) => device.digest().toString(16).padStart(16, '0');

export const recordsOf = (device) => [...device.replicas.get(device.scope).records.keys()];

function contentOf(device) {
  const states = [...device.replicas.get(device.scope).records.values()];
  return states.map((state) => encodeHead(state).toString('hex') + encodeBody(state).toString('hex')).sort();
}

const plain = (value) => {
  const [[kind, content]] = Object.entries(value);
  if (kind === 'empty') return null;
  return typeof content === 'bigint' ? Number(content) : content;
};

// {deleted, fields: [{field, item, conflict, values}]}, in one order.
function fieldsOfDevice(device, record) {
  const state = device.view(record);
  const form = device.forms.get(state.form);
  const hiddenItem = (item) => item !== '' && isHidden(state, item);
  const keys = new Map(state.entries.map(({ item, field }) => [`${item} ${field}`, { item, number: field }]));
  const fields = [...keys.values()]
    .filter(({ item, number }) => number !== 0 && !hiddenItem(item))
    .map(({ item, number }) => {
      const field = form.fields.find((one) => one.number === number);
      const { values, conflict } = viewField(state, field, item);
      return { field: field.name, item, conflict, values: values.map(plain) };
    })
    .filter(({ values }) => values.length > 0);
  return { deleted: isHidden(state), fields: sorted(fields) };
}

function fieldsOfApp(shown) {
  const fields = shown.fields
    .map(({ field, item, conflict, values }) => ({ field, item: item ?? '', conflict, values: values.map(({ value }) => value) }))
    .filter(({ values }) => values.length > 0);
  return { deleted: shown.deleted, fields: sorted(fields) };
}

// A set has no order of its own.
function sorted(fields) {
  const key = ({ item, field }) => `${item} ${field}`;
  for (const one of fields) if (one.field === 'areas_seen') one.values.sort();
  return fields.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
