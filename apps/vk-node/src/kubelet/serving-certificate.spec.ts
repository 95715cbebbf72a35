import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@interlink/service-kit';
import { makeSelfSigned } from './self-signed-certificate.ts';
import { openServingCertificate } from './serving-certificate.ts';

const log = createLogger({ name: 'spec', version: '0', level: 'fatal' });
const folder = mkdtempSync(join(tmpdir(), 'vk-cert-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const day = 24 * 3_600_000;
let now = Date.now();
const base = { nodeName: 'n1', nodeIP: 'fd00::7', log, now: () => now };

const write = (name: string, text: string, mode = 0o600) => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
};

it('makes a certificate as a kubelet has one, and another before it expires', async () => {
  const serving = await openServingCertificate(base);
  const { cert, key } = serving.current();
  const certificate = new X509Certificate(cert);
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:n1');
  expect(certificate.checkHost('n1')).toBe('n1');
  expect(certificate.checkIP('fd00::7')).toBe('fd00::7');
  expect(certificate.ca).toBe(false);
  expect(certificate.validFromDate.getTime()).toBeLessThan(now);
  expect(Math.round((certificate.validToDate.getTime() - now) / day)).toBe(365);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);

  now += 290 * day;
  await serving.refresh();
  expect(serving.current().cert).toBe(cert);
  now += 3 * day;
  await serving.refresh();
  expect(new X509Certificate(serving.current().cert).validToDate.getTime()).toBeGreaterThan(now + 364 * day);
});

it('reads files, again when they change, and keeps a pair that fits', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => makeSelfSigned('n1', [], new Date(), day)));
  if (one === undefined || two === undefined) throw new Error('no certificates');
  const files = { certFile: write('c', one.cert), keyFile: write('k', one.key) };
  const serving = await openServingCertificate({ ...base, ...files });
  expect(serving.current()).toEqual(one);
  write('c', two.cert);
  await serving.refresh();
  expect(serving.current()).toEqual(one);
  write('k', two.key);
  await serving.refresh();
  expect(serving.current()).toEqual(two);
});

it('does not start with half of a pair, a wrong pair, or a key that others can read', async () => {
  const { cert, key } = await makeSelfSigned('n1', [], new Date(), day);
  const other = await makeSelfSigned('n1', [], new Date(), day);
  const certFile = write('c1', cert);
  const open = (keyFile?: string) => openServingCertificate({ ...base, certFile, keyFile });
  await expect(open()).rejects.toThrow('belong together');
  await expect(open(write('k1', other.key))).rejects.toThrow('not a usable certificate and its key');
  await expect(open(write('k2', key, 0o644))).rejects.toThrow('chmod 600');
});
