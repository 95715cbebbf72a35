import { PassThrough, Readable } from 'node:stream';
import { InterlinkError, podSchema, type Capabilities } from '@interlink/contract';
import { siteProvider } from './site-provider.ts';

const pod = podSchema.parse({
  metadata: { namespace: 'ns', name: 'p', uid: 'u1' },
  spec: { containers: [{ name: 'c' }] },
});
const { signal } = new AbortController();
const target = { podUID: 'u1', namespace: 'ns', podName: 'p', containerName: 'c', session: 's' };
const streams = { stdin: true, stdout: true, stderr: true, tty: false };

function capabilities(features: Partial<Capabilities['features']>): Capabilities {
  return {
    contract: '1',
    server: 's/1',
    site: 'alpha',
    kind: 'docker',
    features: { events: true, expandEnv: true, update: true, ...features },
  };
}

function provider(link: { capabilities: Capabilities | undefined; isClassic: boolean }) {
  const asked: unknown[] = [];
  const ask = (name: string) => (request: unknown, call: unknown) => {
    asked.push([name, request, call]);
    return Promise.reject(new InterlinkError('Unavailable', 'asked'));
  };
  const stat = (uid: string) => ({ uid, namespace: 'ns', name: uid, containers: [] });
  return {
    asked,
    ...siteProvider({
      owner: 'o/n',
      link: { ...link, site: 'alpha' },
      pods: { all: () => [pod], find: (_namespace, name) => (name === 'p' ? pod : undefined) },
      api: {
        logs: async () => Readable.from(['log']),
        exec: ask('exec'),
        attach: ask('attach'),
        portForward: async (request, call) => {
          asked.push(['portForward', request, call]);
          return new PassThrough();
        },
        stats: async () => ({ time: '2030-01-01T00:00:00Z', pods: [stat('u1'), stat('gone')] }),
      },
    }),
  };
}

const all = { exec: true, attach: true, portForward: true, stats: true };

it('asks the site in the name of the owner, with the session of the request', async () => {
  const site = provider({ capabilities: capabilities(all), isClassic: false });
  const { session, ...request } = { ...target, ...streams };
  await expect(site.exec({ ...request, command: ['sh'], session }, signal)).rejects.toThrow('asked');
  await expect(site.attach({ ...request, session }, signal)).rejects.toThrow('asked');
  const port = { podUID: 'u1', namespace: 'ns', podName: 'p', port: 80 };
  await site.portForward({ ...port, session }, signal);
  const call = { owner: 'o/n', session: 's', signal };
  expect(site.asked).toEqual([
    ['exec', { ...request, command: ['sh'] }, call],
    ['attach', request, call],
    ['portForward', port, call],
  ]);
});

it('tells nothing of what pods use that the cluster does not know', async () => {
  const { pods } = await provider({ capabilities: capabilities(all), isClassic: false }).stats(signal);
  expect(pods.map(({ uid }) => uid)).toEqual(['u1']);
});

it.each([
  ['an older server', { capabilities: capabilities({}), isClassic: false }],
  ['one that says no', { capabilities: capabilities({ exec: false, attach: false, stats: false }), isClassic: false }],
  ['a classic plugin', { capabilities: undefined, isClassic: true }],
])('says what %s does not offer, without asking it', async (_what, link) => {
  const site = provider(link);
  const refused = /501 Not Implemented: the site alpha does not offer .*\(kubectl (exec|attach|port-forward|top)\)/;
  await expect(site.exec({ ...target, ...streams, command: ['sh'] }, signal)).rejects.toThrow(refused);
  await expect(site.attach({ ...target, ...streams }, signal)).rejects.toThrow(refused);
  await expect(site.portForward({ ...target, port: 80 }, signal)).rejects.toThrow(refused);
  await expect(site.stats(signal)).rejects.toThrow(refused);
  expect(site.asked).toEqual([]);
});

it('simply asks while nothing is known of the site', async () => {
  const site = provider({ capabilities: undefined, isClassic: false });
  await expect(site.exec({ ...target, ...streams, command: ['sh'] }, signal)).rejects.toThrow('asked');
});
