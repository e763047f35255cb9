// transport.js: requests over TLS 1.3 to a server whose key is pinned.
import { createHash } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';
import { decode } from './wire.js';

const PROTOBUF = 'application/x-protobuf';

// A refusal: the server's problem document.
export class Refusal extends Error {
  constructor(problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.status = problem.status;
    this.retry = problem.retry;
  }
}

const pinOf = (certificate) =>
  createHash('sha256').update(certificate.publicKey.export({ type: 'spki', format: 'der' })).digest('hex');

// Nothing is sent before the server's key is known to be one of the pinned ones.
function connect({ host, port, pins, identity }) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port,
      minVersion: 'TLSv1.3',
      key: identity.keyPem,
      cert: identity.certificatePem,
      rejectUnauthorized: false,
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      if (pins.includes(pinOf(socket.getPeerX509Certificate()))) resolve(socket);
      else socket.destroy(new Error('server_untrusted'));
    });
  });
}

function exchange(socket, server, method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => socket,
      host: server.host,
      port: server.port,
      method,
      path,
      headers: { ...headers, 'Content-Length': body.length },
    });
    request.once('error', reject);
    request.once('response', async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode, type: response.headers['content-type'], body: Buffer.concat(parts) });
    });
    request.end(body);
  });
}

// `server` is {host, port, pins, identity}. Answers the body, or throws a Refusal. The
// options are for requests that a server is to refuse.
export async function post(server, path, body, { method = 'POST', type = PROTOBUF, headers = {} } = {}) {
  const socket = await connect(server);
  try {
    const reply = await exchange(socket, server, method, path, { 'Content-Type': type, Accept: PROTOBUF, ...headers }, body);
    if (reply.status === 200) return reply.body;
    throw new Refusal(reply.type.includes('json') ? JSON.parse(reply.body) : decode('Problem', reply.body));
  } finally {
    socket.destroy();
  }
}
