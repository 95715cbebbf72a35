import { freePorts, waitFor } from '@interlink/testbed';
import { z } from 'zod';
import {
  createPod,
  logs,
  podEnded,
  podRunning,
  podWhere,
  startWorld,
  type PodOptions,
  type World,
} from './support/world.ts';

const domain = 'cluster.example';
const variable = (name: string, valueFrom: object) => ({ name, valueFrom });
const clusterHosts = [
  '# Kubernetes-managed hosts file.',
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];
const everyProcess = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null";

/** What each pod prints is what it is, seen from inside. */
const pods: Record<string, Omit<PodOptions, 'name'>> = {
  named: {
    script: 'hostname; hostname -f; echo "$HOSTNAME"; cat /etc/hosts',
    spec: { hostname: 'h', subdomain: 's', hostAliases: [{ ip: '10.1.2.3', hostnames: ['a.example', 'b'] }] },
  },
  full: { script: 'hostname; hostname -f', spec: { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true } },
  'dns-of-the-cluster': {
    script: 'cat /etc/resolv.conf',
    spec: {
      dnsConfig: {
        nameservers: ['10.5.5.5'],
        searches: ['more.example'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    },
  },
  'dns-of-its-own': {
    script: 'cat /etc/resolv.conf',
    spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.5.5.5', '10.6.6.6'] } },
  },
  'dns-of-the-host': { script: 'cat /etc/resolv.conf', spec: { dnsPolicy: 'Default' } },
  'one-process-namespace': {
    // The other container's process is seen, and what it orphaned is reaped by PID 1, the sandbox's program.
    script: `(sleep 1 &); sleep 2; ${everyProcess}; grep -l '^State:.Z' /proc/[0-9]*/status; true`,
    spec: { shareProcessNamespace: true },
  },
  'own-process-namespace': { script: "tr '\\0' ' ' < /proc/1/cmdline" },
  terminal: { script: 'tty; test -t 1 && echo out', container: { tty: true, stdin: true } },
  'without-terminal': { script: 'tty; test -t 1 || echo no', container: { stdin: true } },
  linked: { script: 'env | grep -E "^(KUBERNETES|MY_DB)_" | sort' },
  unlinked: { script: 'env | grep -E "^(KUBERNETES|MY_DB)_" | sort', spec: { enableServiceLinks: false } },
  overridden: {
    script: 'echo "$MY_DB_SERVICE_HOST $URL"',
    container: {
      env: [
        { name: 'URL', value: 'sql://$(MY_DB_SERVICE_HOST):$(MY_DB_SERVICE_PORT)' },
        { name: 'MY_DB_SERVICE_HOST', value: 'mine' },
      ],
    },
  },
  'limits-of-the-node': {
    script: 'echo "$CPU $MEMORY $MIB"',
    container: {
      env: [
        variable('CPU', { resourceFieldRef: { resource: 'limits.cpu' } }),
        variable('MEMORY', { resourceFieldRef: { resource: 'limits.memory' } }),
        variable('MIB', { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } }),
      ],
    },
  },
  'limits-of-the-pod': {
    script: 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; echo "$MIB"',
    spec: { resources: { limits: { memory: '64Mi', cpu: '500m' } } },
    container: { env: [variable('MIB', { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } })] },
  },
};

const serviceSchema = z.looseObject({ spec: z.looseObject({ clusterIP: z.string() }) });
const nodeSchema = z.looseObject({
  status: z.looseObject({ allocatable: z.record(z.string(), z.string()) }),
});

describe('what a container is, seen from inside', () => {
  let world: World;
  let clusterIP: string;
  beforeAll(async () => {
    world = await startWorld('spec', {
      sidecar: { clusterDNS: ['10.96.0.10'], clusterDomain: domain },
      // The kube-apiserver lets pods be resized only on a node that says it is linux.
      vkNode: {
        node: { name: 'spec-node', address: '127.0.0.1', taints: [], labels: { 'kubernetes.io/os': 'linux' } },
      },
    });
    const service = await world.kube.create({
      path: '/api/v1/namespaces/default/services',
      body: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'my-db' },
        spec: { ports: [{ port: 5432, name: 'sql' }] },
      },
      schema: serviceSchema,
    });
    clusterIP = service.spec.clusterIP;
    await Promise.all(Object.entries(pods).map(([name, options]) => createPod(world, { name, ...options })));
  });
  afterAll(() => world.stop());

  const output = async (name: string): Promise<string[]> => {
    const pod = await podEnded(world, name, 90_000);
    expect(pod.status).toMatchObject({ phase: 'Succeeded' });
    return (await logs(world, name)).trimEnd().split('\n');
  };
  const ipOf = async (name: string) => (await podEnded(world, name)).status?.podIP;

  it('its name, with and without the domain, and /etc/hosts as the kubelet writes it', async () => {
    const full = `h.s.default.svc.${domain}`;
    expect(await output('named')).toEqual([
      'h',
      full,
      'h',
      ...clusterHosts,
      `${await ipOf('named')}\t${full}\th`,
      '',
      '# Entries added by HostAliases.',
      '10.1.2.3\ta.example\tb',
    ]);
    expect(await output('full')).toEqual([full, full]);
  });

  it('its name servers', async () => {
    const [search, ...rest] = await output('dns-of-the-cluster');
    expect(search).toMatch(new RegExp(`^search default.svc.${domain} svc.${domain} ${domain}( .*)? more.example$`));
    expect(rest).toEqual(['nameserver 10.96.0.10', 'nameserver 10.5.5.5', 'options ndots:2 edns0']);
    expect(await output('dns-of-its-own')).toEqual(['nameserver 10.5.5.5', 'nameserver 10.6.6.6']);
    const ofHost = await output('dns-of-the-host');
    expect(ofHost).toContainEqual(expect.stringMatching(/^nameserver /));
    expect(ofHost).not.toContain('nameserver 10.96.0.10');
  });

  it('the processes of the other containers, where the pod says so', async () => {
    const seen = await output('one-process-namespace');
    expect(seen).toContainEqual(expect.stringMatching(/^\/sandbox/));
    expect(seen.filter((line) => line.endsWith('/status'))).toEqual([]);
    expect((await output('own-process-namespace'))[0]).toMatch(/^tr /);
  });

  it('a terminal', async () => {
    expect(await output('terminal')).toEqual(['/dev/pts/0\r', 'out']);
    expect(await output('without-terminal')).toEqual(['not a tty', 'no']);
  });

  it('the services of its namespace, and the API server always', async () => {
    const linked = await output('linked');
    expect(linked).toEqual(
      expect.arrayContaining([
        `MY_DB_SERVICE_HOST=${clusterIP}`,
        'MY_DB_SERVICE_PORT=5432',
        'MY_DB_SERVICE_PORT_SQL=5432',
        `MY_DB_PORT=tcp://${clusterIP}:5432`,
        `MY_DB_PORT_5432_TCP=tcp://${clusterIP}:5432`,
        `MY_DB_PORT_5432_TCP_ADDR=${clusterIP}`,
        'MY_DB_PORT_5432_TCP_PORT=5432',
        'MY_DB_PORT_5432_TCP_PROTO=tcp',
        expect.stringMatching(/^KUBERNETES_SERVICE_HOST=\d+\./),
        'KUBERNETES_SERVICE_PORT=443',
        'KUBERNETES_SERVICE_PORT_HTTPS=443',
      ]),
    );
    expect(await output('unlinked')).toEqual(linked.filter((line) => line.startsWith('KUBERNETES_')));
    expect(await output('overridden')).toEqual([`mine sql://${clusterIP}:5432`]);
  });

  it('limits that it has not are those of the node, or of the pod', async () => {
    const { status } = await world.kube.get({ path: `/api/v1/nodes/${world.chain.nodeName}`, schema: nodeSchema });
    const memory = Number((status.allocatable['memory'] ?? '').replace('Ki', '')) * 1024;
    const mib = Math.ceil(memory / 1024 ** 2);
    expect(await output('limits-of-the-node')).toEqual([`${status.allocatable['cpu']} ${memory} ${mib}`]);
    expect(await output('limits-of-the-pod')).toEqual([String(64 * 1024 * 1024), '64']);
  });

  it('other resources while it runs, in place', async () => {
    const name = 'resized';
    // More than any machine has CPUs is no error in Kubernetes.
    const resources = { limits: { memory: '64Mi', cpu: '200m' }, requests: { memory: '32Mi', cpu: '100m' } };
    const script =
      'for i in $(seq 600); do cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; sleep 0.2; done';
    await createPod(world, { name, script, container: { resources } });
    await podRunning(world, name);
    const patch = { spec: { containers: [{ name: 'main', resources: { limits: { memory: '96Mi', cpu: '64' } } }] } };
    const args = ['patch', 'pod', name, '--subresource', 'resize', '--patch', JSON.stringify(patch)];
    expect((await world.cluster.kubectl(args)).stderr).toBe('');
    const pod = await podWhere(world, name, 'to be resized', ({ status }) => {
      const found = status?.containerStatuses?.[0];
      return JSON.stringify(found?.['resources'])?.includes('96Mi') ?? false;
    });
    expect(pod.status?.containerStatuses).toMatchObject([
      { restartCount: 0, resources: { limits: { memory: '96Mi', cpu: '64' } }, allocatedResources: { cpu: '100m' } },
    ]);
    const seen = async () => (await logs(world, name, '--tail=1')).trim() === String(96 * 1024 * 1024);
    await waitFor('the container to see it', seen, { timeoutMs: 10_000 });
  });

  it('a port of the host', async () => {
    const [hostPort] = await freePorts(1);
    const container = { ports: [{ containerPort: 80, hostPort }] };
    await createPod(world, { name: 'served', script: 'echo hello > /tmp/f; httpd -f -h /tmp -p 80', container });
    await podRunning(world, 'served');
    const ask = () =>
      fetch(`http://127.0.0.1:${hostPort}/f`, { signal: AbortSignal.timeout(2_000) }).then(
        (answer) => (answer.ok ? answer.text() : undefined),
        () => undefined,
      );
    const served = await waitFor('the port of the host', ask, { timeoutMs: 15_000 });
    expect(served).toBe('hello\n');
  });
});
