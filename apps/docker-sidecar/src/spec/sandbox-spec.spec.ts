import { makePod } from '../testing/jobs.ts';
import { addressesOf } from './addresses.ts';
import { podNames } from './hostname.ts';
import { containerNamespaces, sandboxNamespaces } from './namespaces.ts';
import { networkFiles } from './network-files.ts';

const cluster = { servers: ['10.96.0.10'], domain: 'cluster.local' };
const named = (name: string, spec: object) => {
  const pod = makePod({ ...spec });
  return { ...pod, metadata: { ...pod.metadata, name } };
};

describe('the names of a pod', () => {
  it.each<[string, object, object]>([
    ['pod', {}, { hostname: 'pod', domain: '', kernelName: 'pod' }],
    ['pod', { hostname: 'h' }, { hostname: 'h', domain: '', kernelName: 'h' }],
    ['pod', { subdomain: 's' }, { hostname: 'pod', domain: 's.ns.svc.cluster.local', kernelName: 'pod' }],
    ['pod', { setHostnameAsFQDN: true }, { hostname: 'pod', domain: '', kernelName: 'pod' }],
    [
      'pod',
      { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true },
      { hostname: 'h', domain: 's.ns.svc.cluster.local', kernelName: 'h.s.ns.svc.cluster.local' },
    ],
    ['pod', { hostnameOverride: 'a.b', subdomain: 's' }, { hostname: 'a.b', domain: '', kernelName: 'a.b' }],
    [`${'a'.repeat(62)}.b`, {}, { hostname: 'a'.repeat(62), domain: '', kernelName: 'a'.repeat(62) }],
  ])('%s with %j', (name, spec, expected) => {
    expect(podNames(named(name, spec), 'cluster.local')).toEqual(expected);
  });

  it('a full name that the kernel has no room for is an error, in the words of the kubelet', () => {
    const pod = named('a'.repeat(50), { subdomain: 's', setHostnameAsFQDN: true });
    const full = `${'a'.repeat(50)}.s.ns.svc.cluster.local`;
    expect(() => podNames(pod, 'cluster.local')).toThrow(
      `FQDN ${full} is too long (64 characters is the max, ${full.length} characters requested)`,
    );
  });
});

describe('namespaces', () => {
  const names = { hostname: 'h', domain: '', kernelName: 'h' };

  it.each<[object, object, object]>([
    [
      {},
      { Hostname: 'h', HostConfig: { IpcMode: 'shareable' } },
      { NetworkMode: 'container:id', IpcMode: 'container:id' },
    ],
    [
      { shareProcessNamespace: true },
      { Hostname: 'h', HostConfig: { IpcMode: 'shareable' } },
      { NetworkMode: 'container:id', IpcMode: 'container:id', PidMode: 'container:id' },
    ],
    [
      { hostNetwork: true },
      { HostConfig: { NetworkMode: 'host', UTSMode: 'host', IpcMode: 'shareable' } },
      { NetworkMode: 'container:id', UTSMode: 'host', IpcMode: 'container:id' },
    ],
    [
      { hostPID: true, hostIPC: true },
      { Hostname: 'h', HostConfig: { IpcMode: 'host', PidMode: 'host' } },
      { NetworkMode: 'container:id', IpcMode: 'host', PidMode: 'host' },
    ],
  ])('%j', (spec, ofSandbox, ofContainer) => {
    expect(sandboxNamespaces(makePod({ ...spec }), names)).toEqual(ofSandbox);
    expect(containerNamespaces(makePod({ ...spec }), 'id')).toEqual(ofContainer);
  });

  it('host ports and sysctls are the sandbox’s; on the host’s network there is nothing to publish', () => {
    const ports = [
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 53, hostPort: 53, protocol: 'UDP', hostIP: '127.0.0.1' },
      { containerPort: 9 },
    ];
    const spec = {
      containers: [{ name: 'main', image: 'i', ports }],
      securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] },
    };
    expect(sandboxNamespaces(makePod(spec), names)).toMatchObject({
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      HostConfig: {
        PortBindings: {
          '80/tcp': [{ HostIp: '', HostPort: '8080' }],
          '53/udp': [{ HostIp: '127.0.0.1', HostPort: '53' }],
        },
        Sysctls: { 'net.ipv4.tcp_syncookies': '1' },
      },
    });
    expect(sandboxNamespaces(makePod({ ...spec, hostNetwork: true }), names)).not.toHaveProperty('ExposedPorts');
  });
});

describe('what /etc/hosts and /etc/resolv.conf are made of', () => {
  const dnsOf = (spec: object, servers = cluster.servers): unknown => {
    const pod = makePod({ ...spec });
    return Reflect.get(
      Object(JSON.parse(networkFiles(pod, podNames(pod, cluster.domain), { ...cluster, servers }))),
      'dns',
    );
  };
  const ofCluster = {
    base: 'cluster',
    clusterServers: cluster.servers,
    clusterSearches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
  };

  it.each<[object, string[], object]>([
    [{}, cluster.servers, ofCluster],
    [{ dnsPolicy: 'ClusterFirst' }, cluster.servers, ofCluster],
    [{ dnsPolicy: 'ClusterFirst' }, [], { base: 'host' }],
    [{ dnsPolicy: 'ClusterFirst', hostNetwork: true }, cluster.servers, { base: 'host' }],
    [{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }, cluster.servers, ofCluster],
    [{ dnsPolicy: 'Default' }, cluster.servers, { base: 'host' }],
    [{ dnsPolicy: 'None' }, cluster.servers, { base: 'none' }],
  ])('%j with servers %j', (spec, servers, expected) => {
    expect(dnsOf(spec, servers)).toEqual({ nameservers: [], searches: [], options: [], ...expected });
  });

  it('the pod’s own settings and aliases come along', () => {
    const pod = makePod({
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['x'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
      hostAliases: [{ ip: '10.0.0.1', hostnames: ['a', 'b'] }],
      subdomain: 's',
    });
    expect(JSON.parse(networkFiles(pod, podNames(pod, cluster.domain), cluster))).toEqual({
      hostNetwork: false,
      hostname: 'pod',
      domain: 's.ns.svc.cluster.local',
      aliases: [{ ip: '10.0.0.1', names: ['a', 'b'] }],
      dns: { base: 'none', nameservers: ['1.1.1.1'], searches: ['x'], options: ['ndots:2', 'edns0'] },
    });
  });
});

it.each<[object, string | undefined, object]>([
  [{}, undefined, { podIPs: ['10.0.0.2'], hostIPs: ['10.0.0.1'] }],
  [{}, '192.0.2.1', { podIPs: ['10.0.0.2'], hostIPs: ['192.0.2.1'] }],
  [{ hostNetwork: true }, '192.0.2.1', { podIPs: ['192.0.2.1'], hostIPs: ['192.0.2.1'] }],
])('addresses with %j and hostIP %s', (spec, hostIP, expected) => {
  expect(addressesOf(makePod({ ...spec }), { ip: '10.0.0.2', gateway: '10.0.0.1' }, hostIP)).toEqual(expected);
});
