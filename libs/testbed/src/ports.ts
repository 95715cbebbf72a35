import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { TestbedError } from './testbed-error.ts';

// Below the range from which the kernel takes the ports of outgoing connections: one of those could come in between
// our look and the start of the server. For the same reason a port is never given out twice by one process.
const lowest = 20_000;
const highest = 32_000;
const given = new Set<number>();

/** Ports on 127.0.0.1 where nobody listens at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 1000) throw new TestbedError('no free ports on 127.0.0.1');
    const port = randomInt(lowest, highest);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
