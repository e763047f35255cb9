// mixed_test.js: two Node devices and the C++ app at one server, until all agree.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isHidden, viewField } from '../src/view.js';
import { Hand } from './support/hand.js';
import { Office, recordsOf } from './support/office.js';

const SUMMARY = 46;

let office;
let bakyt;
let chynara;
before(async () => {
  office = await Office.open();
  bakyt = new Hand(office.bakyt);
  chynara = new Hand(office.chynara);
});
after(() => office?.close());

const view = (device, record, name) => {
  const state = device.view(record);
  return viewField(state, device.forms.get('visit').fields.find((field) => field.name === name));
};

test('a record made by the app and one made in Node reach everybody', async () => {
  const { id } = await office.app('new', 'visit', 'summary=Cell 4 is cold.', 'areas_seen=cells', 'areas_seen=kitchen', 'type=interim');
  const record = bakyt.create('Cell 9 is damp.');
  await office.agree();
  assert.deepEqual(view(office.chynara, id, 'summary').values, [{ text: 'Cell 4 is cold.' }]);
  assert.deepEqual(view(office.chynara, record, 'summary').values, [{ text: 'Cell 9 is damp.' }]);
});

test('edits made apart are a conflict everywhere, and Node settles it', async () => {
  const record = bakyt.create('Cell 4 is cold.');
  await office.syncAll();
  bakyt.edit(record, 'summary', { text: 'No heating.' });
  chynara.edit(record, 'summary', { text: 'No window.' });
  await office.app('edit', record, 'summary=No light.');
  await office.agree();
  const conflicts = await office.app('conflicts');
  assert.deepEqual(conflicts.filter((one) => one.record === record).map((one) => one.values.length), [3]);
  assert.equal(view(office.bakyt, record, 'summary').conflict, true);
  chynara.resolve(record, 'summary', { text: 'No window, no light, no heating.' });
  await office.agree();
  assert.deepEqual(view(office.bakyt, record, 'summary'), { values: [{ text: 'No window, no light, no heating.' }], conflict: false });
});

test('a conflict of two Node devices is settled by the app', async () => {
  const record = bakyt.create('Cell 5.');
  await office.syncAll();
  bakyt.edit(record, 'summary', { text: 'Left.' });
  chynara.edit(record, 'summary', { text: 'Right.' });
  await office.agree();
  await office.app('resolve', record, 'summary', '--pick', '2');
  await office.agree();
  assert.equal(view(office.chynara, record, 'summary').conflict, false);
});

test('a plain edit of a conflicted field leaves the values that were not shown', async () => {
  const record = bakyt.create('Cell 6.');
  await office.syncAll();
  bakyt.edit(record, 'summary', { text: 'Left.' });
  chynara.edit(record, 'summary', { text: 'Right.' });
  await office.syncAll();
  const [shown, other] = view(office.bakyt, record, 'summary').values;
  bakyt.edit(record, 'summary', { text: `${shown.text} Again.` });
  await office.agree();
  assert.deepEqual(view(office.chynara, record, 'summary').values, [{ text: `${shown.text} Again.` }, other]);
});

test('an edit survives a delete that had not seen it', async () => {
  const record = bakyt.create('Cell 7.');
  const gone = bakyt.create('A mistake.');
  await office.syncAll();
  await office.app('delete', record);
  await office.app('delete', gone);
  bakyt.edit(record, 'summary', { text: 'Still here.' });
  await office.agree();
  assert.equal(isHidden(office.chynara.view(record)), false);
  assert.equal(isHidden(office.chynara.view(gone)), true);
  chynara.restore(gone);
  bakyt.delete(record);
  await office.agree();
  assert.equal(isHidden(office.chynara.view(gone)), false);
  assert.equal((await office.app('show', record)).deleted, true);
});

test('in a set an add wins over a concurrent remove', async () => {
  const record = bakyt.create('Areas.');
  bakyt.edit(record, 'areas_seen', { choice: 'cells' });
  bakyt.edit(record, 'areas_seen', { choice: 'kitchen' });
  await office.syncAll();
  bakyt.remove(record, 'areas_seen', { choice: 'cells' });
  await office.app('edit', record, '--add', 'areas_seen=cells', '--remove', 'areas_seen=kitchen');
  chynara.edit(record, 'areas_seen', { choice: 'washrooms' });
  await office.agree();
  assert.deepEqual(view(office.chynara, record, 'areas_seen').values.map(({ choice }) => choice).sort(), ['cells', 'washrooms']);
});

test('counts made apart add up', async () => {
  const record = bakyt.create('Counts.');
  await office.syncAll();
  bakyt.edit(record, 'people_spoken_to', { integer: 3n });
  bakyt.edit(record, 'people_spoken_to', { integer: 2n });
  chynara.edit(record, 'people_spoken_to', { integer: 5n });
  await office.app('edit', record, '--add', 'people_spoken_to=7');
  await office.agree();
  bakyt.edit(record, 'people_spoken_to', { integer: -1n });
  await office.agree();
  assert.deepEqual(view(office.chynara, record, 'people_spoken_to').values, [{ integer: 16n }]);
});

test('each author has a verdict, the greatest risk wins, every note stays', async () => {
  const record = bakyt.create('Verdicts.');
  await office.syncAll();
  bakyt.edit(record, 'cooperation', { integer: 2n });
  bakyt.edit(record, 'cooperation', { integer: 3n });
  chynara.edit(record, 'cooperation', { integer: 5n });
  await office.app('edit', record, 'cooperation=4', 'status=reviewed', '--add', 'follow_up_notes=One.');
  bakyt.edit(record, 'status', { choice: 'open' });
  bakyt.edit(record, 'reprisal_risk', { boolean: false });
  chynara.edit(record, 'reprisal_risk', { boolean: true });
  chynara.edit(record, 'follow_up_notes', { text: 'Two.' });
  bakyt.edit(record, 'follow_up_notes', { text: 'Three.' });
  await office.agree();
  assert.deepEqual(view(office.bakyt, record, 'cooperation').values.map(({ integer }) => integer).sort(), [3n, 4n, 5n]);
  assert.deepEqual(view(office.bakyt, record, 'status').values, [{ choice: 'reviewed' }]);
  assert.deepEqual(view(office.bakyt, record, 'reprisal_risk').values, [{ boolean: true }]);
  assert.equal(view(office.bakyt, record, 'follow_up_notes').values.length, 3);
});

test('items are added, edited and deleted on every side', async () => {
  const record = bakyt.create('Team.');
  const kept = bakyt.addMember(record, 'a', 'Aigul');
  const gone = bakyt.addMember(record, 'b', 'Bakyt');
  await office.app('sync');
  await office.syncAll();
  await office.app('edit', record, `team[${kept}].team_role=doctor`, 'team[new].team_member=Daniyar');
  await office.app('edit', record, '--delete-item', gone);
  chynara.edit(record, 'team_member', { text: 'Aigul A.' }, kept);
  chynara.delete(record, kept);
  await office.agree();
  const state = office.bakyt.view(record);
  assert.equal(isHidden(state, gone), true);
  assert.equal(isHidden(state, kept), false, 'the role was not seen by the deletion');
});

test('a value that arrives after what replaced it leaves no trace', async () => {
  const record = bakyt.create('Cold.');
  await office.syncAll();
  chynara.edit(record, 'summary', { text: 'Cold and damp.' });
  const [unsent] = office.chynara.view(record).siblings('', SUMMARY);
  // As after a restore: the office has the later edit, and not yet the one that it replaces.
  office.bakyt.save({ record, form: 'visit', writes: [{ item: '', field: SUMMARY, value: { text: 'Dark.' }, replaces: [unsent] }] });
  await office.bakyt.sync();
  await office.app('sync');
  assert.equal(view(office.bakyt, record, 'summary').conflict, true);
  await office.agree();
  assert.deepEqual(view(office.chynara, record, 'summary'), { values: [{ text: 'Dark.' }], conflict: false });
});

test('small replies bring the same as large ones, beside what is being sent', async () => {
  const records = Array.from({ length: 30 }, (_, i) => chynara.create(`Visit ${i}: ${'word '.repeat(60)}`));
  await office.chynara.sync();
  for (const record of records.slice(0, 10)) chynara.edit(record, 'trigger', { text: 'A complaint.' });
  await office.chynara.sync();
  bakyt.create('Meanwhile.');
  const requests = await office.bakyt.sync({ budget: 500 });
  assert.ok(requests > 5, `${requests} requests`);
  await office.agree({ budget: 1 });
});

test('a batch whose reply was lost is not applied twice', async () => {
  const record = bakyt.create('Counts, on a bad line.');
  await office.syncAll();
  bakyt.edit(record, 'people_spoken_to', { integer: 4n });
  await office.bakyt.sendAndLoseReply();
  bakyt.edit(record, 'people_spoken_to', { integer: 2n });
  await office.agree();
  assert.deepEqual(view(office.chynara, record, 'people_spoken_to').values, [{ integer: 6n }]);
});

test('a replica that is not what it should be is replaced, and the outbox stays', async () => {
  const record = bakyt.create('Saved, not sent.');
  const replica = office.bakyt.replicas.get(office.bakyt.scope);
  replica.records.delete(recordsOf(office.bakyt)[0]);
  await office.bakyt.sync();
  assert.equal(office.bakyt.restarts, 1);
  office.bakyt.restarts = 0;
  await office.agree();
  assert.deepEqual(view(office.chynara, record, 'summary').values, [{ text: 'Saved, not sent.' }]);
});

test('a device that begins anew holds what the others hold', async () => {
  const late = await office.enrolled('Bakyt');
  assert.equal(late.digest(), office.chynara.digest());
});
