import { networkInterfaces } from 'node:os';
import { TestbedError } from './testbed-error.ts';

/** An address of this machine that is not loopback: the kube-apiserver reaches some things by such a one only. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (found === undefined) throw new TestbedError('this machine has no address but loopback');
  return found.address;
}
