import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes the certificates of a test with openssl, in a folder that `remove` deletes. */
export class TestCertificates {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kubelet-'));
  #count = 0;

  /** `subject` as openssl takes it, e.g. `/O=group/CN=name`. Without an issuer: self-signed. */
  make(subject: string, issuer?: TestCertificate): TestCertificate {
    this.#count += 1;
    const certFile = join(this.#folder, `${this.#count}.crt`);
    const keyFile = join(this.#folder, `${this.#count}.key`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
    const names = ['-subj', subject, '-addext', 'subjectAltName=IP:127.0.0.1'];
    const signed = issuer === undefined ? [] : ['-CA', issuer.certFile, '-CAkey', issuer.keyFile];
    execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, ...names, ...signed, '-out', certFile], {
      stdio: 'pipe',
      timeout: 10_000,
    });
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
