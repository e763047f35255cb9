// certificate.js: a device's Ed25519 key and a self-signed certificate around it. Only
// the key counts; the names and dates in it mean nothing.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from([content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag, 0x82]), length, content]);
}

const sequence = (...parts) => der(0x30, ...parts);
const commonName = Buffer.from([0x06, 0x03, 0x55, 0x04, 0x03]);
const ed25519 = sequence(Buffer.from([0x06, 0x03, 0x2b, 0x65, 0x70]));

function selfSigned(publicKey, privateKey) {
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from('fieldsync device')))));
  const version3 = der(0xa0, Buffer.from([0x02, 0x01, 0x02]));
  const serial = der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)]));
  const dates = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x18, Buffer.from('99991231235959Z')));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(version3, serial, ed25519, name, dates, name, key);
  const signature = der(0x03, Buffer.from([0x00]), sign(null, body, privateKey));
  return sequence(body, ed25519, signature);
}

const pem = (bytes) => `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

// The 32 bytes of an Ed25519 public key end its SubjectPublicKeyInfo.
export const rawPublicKey = (publicKey) => publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);

export function makeIdentity() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    device: createHash('sha256').update(rawPublicKey(publicKey)).digest().subarray(0, 16).toString('hex'),
    privateKey,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificatePem: pem(selfSigned(publicKey, privateKey)),
  };
}
