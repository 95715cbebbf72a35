import { BlockList, isIP } from 'node:net';

/** EndpointSlices refuse these: unspecified, loopback, link-local and multicast. */
const unusable = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
] as const) {
  unusable.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  unusable.addSubnet(network, prefix, 'ipv6');
}

/** The addresses that a Pod's status may show: at most one of each family, in the order given. */
export function usableAddresses(addresses: readonly string[]): string[] {
  const usable = addresses.filter((address) => {
    const family = isIP(address);
    return family !== 0 && !unusable.check(address, family === 4 ? 'ipv4' : 'ipv6');
  });
  return usable.filter((address, index) => usable.findIndex((other) => isIP(other) === isIP(address)) === index);
}
