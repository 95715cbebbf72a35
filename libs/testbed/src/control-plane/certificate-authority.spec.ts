import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthority } from './certificate-authority.ts';

describe('createCertificateAuthority', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ca-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('issues what was asked for, and no further authority', async () => {
    const authority = await createCertificateAuthority(dir, 'test');
    const files = await authority.issue('node', {
      commonName: 'system:node:n1',
      organizations: ['system:nodes', 'dev'],
      usages: ['serverAuth'],
      dnsNames: ['n1'],
      ips: ['127.0.0.1'],
    });
    const root = new X509Certificate(await readFile(authority.certFile));
    const leaf = new X509Certificate(await readFile(files.certFile));
    expect(leaf.subject).toBe('O=system:nodes\nO=dev\nCN=system:node:n1');
    expect(leaf.subjectAltName).toBe('DNS:n1, IP Address:127.0.0.1');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect([root.ca, leaf.ca, leaf.verify(root.publicKey)]).toEqual([true, false, true]);
    expect((await stat(files.keyFile)).mode & 0o077).toBe(0);
  });

  it('refuses names that would change the configuration they are written into', async () => {
    const authority = await createCertificateAuthority(dir, 'test');
    const issue = (commonName: string, name = 'x') => authority.issue(name, { commonName, usages: ['clientAuth'] });
    for (const bad of ['a\nbasicConstraints = CA:TRUE', '$ENV::HOME', 'a,CA:TRUE', '']) {
      await expect(issue(bad)).rejects.toThrow(RangeError);
    }
    await expect(issue('fine', '../x')).rejects.toThrow(RangeError);
  });
});
