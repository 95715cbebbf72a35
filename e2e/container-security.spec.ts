import type { Pod } from '@interlink/contract';
import { createPod, logs, podEnded, podWhere, startWorld, type PodOptions, type World } from './support/world.ts';

const hostIP = '192.0.2.10';
const status = (field: string) => `sed -n 's/^${field}:[[:space:]]*//p' /proc/self/status`;
const data = { volumes: [{ name: 'data', emptyDir: {} }] };
const mounted = { volumeMounts: [{ name: 'data', mountPath: '/data' }] };

/** What each pod prints is what it is, seen from inside. */
const pods: Record<string, Omit<PodOptions, 'name'>> = {
  'of-the-pod': {
    script: 'id -u; id -g; id -G; touch /data/f; ls -ln /data/f; ls -dn /data',
    spec: {
      ...data,
      securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000] },
    },
    container: mounted,
  },
  'of-the-container': {
    script: 'id -u; id -g',
    spec: { securityContext: { runAsUser: 1000, runAsGroup: 3000 } },
    container: { securityContext: { runAsUser: 7, runAsGroup: 8, runAsNonRoot: true } },
  },
  'group-alone': { script: 'id -u; id -g', container: { securityContext: { runAsGroup: 8 } } },
  capabilities: {
    script: `${status('CapEff')}; ${status('CapBnd')}`,
    container: { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } } },
  },
  'one-less': {
    script: `${status('CapEff')}`,
    container: { securityContext: { capabilities: { drop: ['CHOWN'] } } },
  },
  privileged: { script: status('CapEff'), container: { securityContext: { privileged: true } } },
  'read-only-root': {
    script: 'touch /f 2>&1; touch /data/f && echo data',
    spec: data,
    container: { ...mounted, securityContext: { readOnlyRootFilesystem: true } },
  },
  'no-escalation': {
    script: `${status('NoNewPrivs')}; ${status('Seccomp')}`,
    container: { securityContext: { allowPrivilegeEscalation: false } },
  },
  unconfined: {
    script: `${status('NoNewPrivs')}; ${status('Seccomp')}`,
    spec: { securityContext: { seccompProfile: { type: 'Unconfined' } } },
  },
  sysctls: {
    script: 'cat /proc/sys/net/ipv4/ip_local_port_range',
    spec: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '20000 30000' }] } },
  },
  'host-network': {
    script: 'head -n 1 /etc/hosts; echo "$IP"',
    spec: { hostNetwork: true },
    container: { env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
  },
  'host-processes': {
    script: 'test "$(ls -d /proc/[0-9]* 2>/dev/null | wc -l)" -gt 20 && echo many',
    spec: { hostPID: true },
  },
  'host-ipc': { script: 'readlink /proc/self/ns/ipc', spec: { hostIPC: true } },
};

describe('the security context, seen from inside', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('security', {
      sidecar: { hostIP, allow: { hostNetwork: true, hostPID: true, hostIPC: true, privileged: true } },
    });
    await Promise.all(Object.entries(pods).map(([name, options]) => createPod(world, { name, ...options })));
  });
  afterAll(() => world.stop());

  const output = async (name: string): Promise<string[]> => {
    const pod = await podEnded(world, name, 90_000);
    expect(pod.status).toMatchObject({ phase: 'Succeeded' });
    return (await logs(world, name)).trimEnd().split('\n');
  };

  it('user, group and groups of the pod; the volume belongs to its group', async () => {
    const [user, group, groups, file, folder] = await output('of-the-pod');
    expect([user, group]).toEqual(['1000', '3000']);
    expect(groups?.split(' ').sort()).toEqual(['2000', '3000', '4000']);
    expect(file).toMatch(/^-\S+ +1 1000 +2000 /);
    expect(folder).toMatch(/^drwxrws\S+ +2 0 +2000 /);
  });

  it.each([
    ['of-the-container', ['7', '8']],
    ['group-alone', ['0', '8']],
    // NET_BIND_SERVICE is the tenth.
    ['capabilities', ['0000000000000400', '0000000000000400']],
    // The engine's default without the zeroth.
    ['one-less', ['00000000a80425fa']],
    ['no-escalation', ['1', '2']],
    ['unconfined', ['0', '0']],
    ['sysctls', ['20000\t30000']],
    ['host-processes', ['many']],
    ['host-network', ['# Kubernetes-managed hosts file (host network).', hostIP]],
  ])('%s', async (name, expected) => {
    expect(await output(name)).toEqual(expected);
  });

  it('a privileged container has far more rights than any other', async () => {
    const [effective = ''] = await output('privileged');
    // SYS_ADMIN is the 21st.
    expect((BigInt(`0x${effective}`) >> 21n) & 1n).toBe(1n);
  });

  it('a read-only root leaves the volumes writable', async () => {
    expect(await output('read-only-root')).toEqual([expect.stringContaining('Read-only file system'), 'data']);
  });

  it('what must not run as root does not, and says so as the kubelet does', async () => {
    const strict = { securityContext: { runAsNonRoot: true } };
    const made = await createPod(world, { name: 'root', script: 'true', spec: strict });
    const waiting = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting;
    const pod = await podWhere(
      world,
      'root',
      'to be refused',
      (one) => waiting(one)?.reason?.startsWith('Create') ?? false,
    );
    expect(waiting(pod)).toMatchObject({
      reason: 'CreateContainerConfigError',
      message: `container has runAsNonRoot and image will run as root (pod: "root_default(${made.metadata.uid})", container: main)`,
    });
    await createPod(world, {
      name: 'not-root',
      script: 'id -u',
      spec: { securityContext: { runAsNonRoot: true, runAsUser: 5 } },
    });
    expect(await output('not-root')).toEqual(['5']);
  });
});
