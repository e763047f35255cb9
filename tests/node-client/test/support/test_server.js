// test_server.js: a real server process in a temporary folder, and the stores of real
// app processes beside it.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const programs = process.env.FIELDSYNC_PROGRAMS ?? path.join(here, '../../../../build/dev/bin');

// {code, output, error}; throws only where the program cannot be started.
function run(program, args) {
  return new Promise((resolve, reject) => {
    execFile(path.join(programs, program), args, (failure, output, error) => {
      if (failure && typeof failure.code !== 'number') reject(failure);
      else resolve({ code: failure?.code ?? 0, output, error });
    });
  });
}

async function succeed(program, args) {
  const { code, output, error } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${output}${error}`);
  return output;
}

function freePort() {
  return new Promise((resolve) => {
    const socket = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

const accepts = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

export class TestServer {
  // A server with the scope 'Osh region' and its people, started.
  static async start(people) {
    const server = new TestServer();
    server.folder = await mkdtemp(path.join(os.tmpdir(), 'fieldsync-node-'));
    server.port = await freePort();
    await server.administer('init', '--port', String(server.port));
    await server.administer('scope', 'add', 'Osh region');
    for (const person of people) await server.administer('person', 'add', person, '--scope', 'Osh region');
    const log = await open(path.join(server.folder, 'server.log'), 'a');
    const args = ['--dir', path.join(server.folder, 'server'), 'serve'];
    server.process = spawn(path.join(programs, 'fieldsync-server'), args, { stdio: ['ignore', log.fd, log.fd] });
    server.ended = new Promise((resolve) => server.process.once('exit', resolve));
    await log.close();
    await server.#untilItAccepts();
    return server;
  }

  async #untilItAccepts() {
    const deadline = Date.now() + 20_000;
    while (!(await accepts(this.port))) {
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error('the server does not start');
      await pause(5);
    }
  }

  async stop() {
    this.process.kill('SIGKILL');
    await this.ended;
    await rm(this.folder, { recursive: true });
  }

  administer(...args) {
    return succeed('fieldsync-server', ['--dir', path.join(this.folder, 'server'), ...args]);
  }

  async enrolmentText(person) {
    return JSON.parse(await this.administer('enrol-code', person, '--json')).enrolment;
  }

  // `fieldsync --store STORE --json ...`, and what it printed.
  async app(store, ...args) {
    const opened = ['--store', path.join(this.folder, store), '--key-file', path.join(this.folder, 'key')];
    return JSON.parse(await succeed('fieldsync', [...opened, '--json', ...args]));
  }

  async enrolApp(store, person) {
    await this.app(store, 'enrol', await this.enrolmentText(person), '--name', store);
    await this.app(store, 'sync');
  }
}
