import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that nobody trusts, and its key. */
export async function certificate(): Promise<{ cert: Buffer; key: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlink-certificate-'));
  const [cert, key] = [join(folder, 'cert'), join(folder, 'key')];
  try {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=nobody'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
      timeout: 10_000,
    });
    return { cert: await readFile(cert), key: await readFile(key) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
