import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
// The metadata API of decorators, without which @peculiar/x509 does not load.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** PEM. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks of the cluster may be behind ours. */
const backdateMs = 10 * 60_000;

/** A serving certificate that nobody but itself vouches for, named as the kubelet names its own. */
export async function makeSelfSigned(
  nodeName: string,
  addresses: readonly string[],
  notBefore: Date,
  lifetimeMs: number,
): Promise<CertificateAndKey> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // A positive number: its first bit is the sign.
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      name: [{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }],
      notBefore: new Date(notBefore.getTime() - backdateMs),
      notAfter: new Date(notBefore.getTime() + lifetimeMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: nodeName },
          ...addresses.filter((address) => isIP(address) !== 0).map((value) => ({ type: 'ip', value }) as const),
        ]),
      ],
    },
    webcrypto,
  );
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert: certificate.toString('pem'), key };
}
