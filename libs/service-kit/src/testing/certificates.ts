import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** Makes the certificates of a test: a small DER writer, so that no test needs a tool or a key kept in the repo. */
export interface TestCertificate {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
  readonly privateKey: KeyObject;
}

const subjectKeyType = { namedCurve: 'P-256' } as const;

/** `sans` as in the config: `DNS:`, `URI:` and `IP:` (v4). Without an issuer: a self-signed CA. */
export function testCertificate(name: string, sans: readonly string[], issuer?: TestCertificate): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', subjectKeyType);
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const hour = 3_600_000;
  const extensions = [
    ...(issuer === undefined ? [extension('551d13', sequence(der(0x01, Buffer.from([0xff]))))] : []),
    ...(sans.length === 0 ? [] : [extension('551d11', sequence(...sans.map(generalName)))]),
  ];
  const body = sequence(
    der(0xa0, integer(2)), // version 3
    integer(1, ...randomBytes(8)),
    ecdsaWithSha256,
    distinguishedName(issuer?.name ?? name),
    sequence(time(Date.now() - hour), time(Date.now() + hour)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  return {
    name,
    privateKey,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))),
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const integer = (...bytes: readonly number[]) => der(0x02, Buffer.from(bytes));
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x04, value));

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function generalName(san: string): Buffer {
  const value = san.slice(san.indexOf(':') + 1);
  if (san.startsWith('DNS:')) return der(0x82, Buffer.from(value));
  if (san.startsWith('URI:')) return der(0x86, Buffer.from(value));
  return der(0x87, Buffer.from(value.split('.').map(Number)));
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
