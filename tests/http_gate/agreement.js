// Whether Node's llhttp, in its strict mode, reads every head that the gate lets through, and reads the
// same method and target in it. `node agreement.js PROGRAM [COUNT] [SEED]`.
'use strict';

const { spawnSync } = require('node:child_process');

// Node keeps its parser to itself; there is no other door to it.
process.noDeprecation = true;
const { HTTPParser, methods } = process.binding('http_parser');

// The error's name, or what was read.
function read(head) {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  let seen = null;
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, headers, method, url) => {
    seen = { version: `${major}.${minor}`, method: methods[method], url };
    return 0;
  };
  const result = parser.execute(head);
  parser.close();
  if (result instanceof Error) return { error: result.code };
  return seen ?? { error: 'incomplete' };
}

const [program, count = '100000', seed = '1'] = process.argv.slice(2);
const printed = spawnSync(program, ['--count', count, '--seed', seed], { maxBuffer: 1 << 30 });
if (printed.status !== 0) throw new Error(`${program} failed`);

const tally = { heads: 0, passed: 0, refused: 0, waiting: 0, refused_by_llhttp_too: 0 };
const disagreements = [];
for (let at = 0; at < printed.stdout.length; ) {
  const verdict = String.fromCharCode(printed.stdout[at]);
  const size = printed.stdout.readUInt32LE(at + 1);
  const head = printed.stdout.subarray(at + 5, at + 5 + size);
  at += 5 + size;
  tally.heads += 1;
  const theirs = read(head);
  if (verdict === 'm') tally.waiting += 1;
  if (verdict === 'r') {
    tally.refused += 1;
    if (theirs.error) tally.refused_by_llhttp_too += 1;
  }
  if (verdict !== 'a') continue;
  tally.passed += 1;
  const [method, target, version] = head.toString('latin1').trimStart().split('\r\n')[0].split(' ');
  const same = theirs.method === method && (theirs.url ?? target) === target && `HTTP/${theirs.version}` === version;
  // After CONNECT or an upgrade llhttp ends, and has read the head.
  if (theirs.error || !same) disagreements.push({ head: head.toString('latin1'), theirs });
}

console.log(JSON.stringify(tally));
for (const one of disagreements.slice(0, 10)) console.log(JSON.stringify(one));
// A gate that lets nothing through agrees with everybody.
const enough = tally.heads === Number(count) && tally.passed > tally.heads / 10;
if (!enough) console.log('too few heads were let through to say anything');
process.exitCode = disagreements.length === 0 && enough ? 0 : 1;
