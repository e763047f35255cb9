// random_test.js: random edits on two Node devices and the app, until all agree.
//
// FIELDSYNC_SEED repeats a run's choices, FIELDSYNC_ROUNDS makes it longer.
import { after, before, test } from 'node:test';
import { isHidden, viewField } from '../src/view.js';
import { Hand } from './support/hand.js';
import { Office, recordsOf } from './support/office.js';
import { Random } from './support/random.js';

const seed = Number(process.env.FIELDSYNC_SEED ?? Math.floor(Math.random() * 2 ** 32));
const rounds = Number(process.env.FIELDSYNC_ROUNDS ?? 6);
const EDITS_PER_ROUND = 8;
const AREAS = ['cells', 'kitchen', 'washrooms', 'medical_unit'];
const STATES = ['planned', 'open', 'closed_in_field', 'reviewed'];

let office;
before(async () => {
  office = await Office.open();
});
after(() => office?.close());

const recordsSeenBy = (device) => {
  const records = new Set([...recordsOf(device), ...device.outbox.map(({ operation }) => operation.record)]);
  return [...records].sort();
};

const itemsOf = (state) => [...new Set(state.entries.map(({ item }) => item))].filter(Boolean);
const summaryIn = (device, state) => viewField(state, device.forms.get('visit').fields.find(({ name }) => name === 'summary'));

// What a Node device may do to a record, by name.
const NODE_EDITS = {
  summary: (hand, record, random) => hand.edit(record, 'summary', { text: `Summary ${random.below(1000)}.` }),
  sameSummary: (hand, record) => hand.edit(record, 'summary', { text: 'Cell 4 is cold.' }),
  status: (hand, record, random) => hand.edit(record, 'status', { choice: random.pick(STATES) }),
  count: (hand, record, random) => hand.edit(record, 'people_spoken_to', { integer: BigInt(random.below(9)) }),
  verdict: (hand, record, random) => hand.edit(record, 'cooperation', { integer: BigInt(1 + random.below(5)) }),
  note: (hand, record, random) => hand.edit(record, 'follow_up_notes', { text: `Note ${random.below(1000)}.` }),
  area: (hand, record, random) => hand.edit(record, 'areas_seen', { choice: random.pick(AREAS) }),
  noArea: (hand, record, random) => hand.remove(record, 'areas_seen', { choice: random.pick(AREAS) }),
  member: (hand, record, random) => hand.addMember(record, random.pick(['a', 'b', 'c']), `Member ${random.below(1000)}`),
  renameMember: (hand, record, random) => {
    const items = itemsOf(hand.device.view(record));
    if (items.length > 0) hand.edit(record, 'team_member', { text: `Member ${random.below(1000)}` }, random.pick(items));
  },
  deleteMember: (hand, record, random) => {
    const items = itemsOf(hand.device.view(record));
    if (items.length > 0) hand.delete(record, random.pick(items));
  },
  resolve: (hand, record) => {
    if (summaryIn(hand.device, hand.device.view(record)).conflict) hand.resolve(record, 'summary', { text: 'Settled.' });
  },
  deleteOrRestore: (hand, record) => (isHidden(hand.device.view(record)) ? hand.restore(record) : hand.delete(record)),
};

const APP_EDITS = {
  summary: (record, random) => ['edit', record, `summary=App summary ${random.below(1000)}.`],
  sameSummary: (record) => ['edit', record, 'summary=Cell 4 is cold.'],
  status: (record, random) => ['edit', record, `status=${random.pick(STATES)}`],
  count: (record, random) => ['edit', record, '--add', `people_spoken_to=${random.below(9)}`],
  verdict: (record, random) => ['edit', record, `cooperation=${1 + random.below(5)}`],
  area: (record, random) => ['edit', record, '--add', `areas_seen=${random.pick(AREAS)}`],
  note: (record, random) => ['edit', record, '--add', `follow_up_notes=App note ${random.below(1000)}.`],
  member: (record, random) => ['edit', record, `team[new].team_member=App member ${random.below(1000)}`],
  clear: (record) => ['edit', record, '--clear', 'summary'],
};

async function editInNode(hand, random) {
  const records = recordsSeenBy(hand.device);
  if (records.length === 0 || random.below(6) === 0) hand.create(`Visit ${random.below(1000)}.`);
  else random.pick(Object.values(NODE_EDITS))(hand, random.pick(records), random);
  if (random.below(6) === 0) await hand.device.sync({ budget: random.pick([0, 1, 400, 5000]) });
}

async function settleInApp(random) {
  const conflicts = (await office.app('conflicts')).filter(({ field }) => field === 'summary');
  if (conflicts.length === 0) return;
  const { record } = random.pick(conflicts);
  await office.app('resolve', record, 'summary', '--pick', '1');
}

async function editInApp(random) {
  const records = (await office.app('list', 'visit')).map(({ id }) => id).sort();
  if (records.length === 0 || random.below(6) === 0) await office.app('new', 'visit', `summary=App visit ${random.below(1000)}.`);
  else if (random.below(5) === 0) await settleInApp(random);
  else await office.app(...random.pick(Object.values(APP_EDITS))(random.pick(records), random));
  if (random.below(6) === 0) await office.app('sync');
}

test(`everybody agrees after random rounds: FIELDSYNC_SEED=${seed} repeats this`, async () => {
  const random = new Random(seed);
  const hands = office.devices.map((device) => new Hand(device));
  for (let round = 0; round < rounds; round += 1) {
    for (let edit = 0; edit < EDITS_PER_ROUND; edit += 1) {
      for (const hand of hands) await editInNode(hand, random);
      if (edit % 2 === 0) await editInApp(random);
    }
    await office.agree({ budget: random.pick([0, 1, 2000]) });
  }
});
