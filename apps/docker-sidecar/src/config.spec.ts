import { configSchema } from './config.ts';

const least = {
  listen: [{ address: 'unix:///run/interlink/docker.sock' }],
  spool: '/var/lib/interlink/docker',
  sandboxImage: 'interlink/sandbox:1',
};

describe('the configuration', () => {
  it('needs little', () => {
    expect(configSchema.parse(least)).toEqual({
      ...least,
      site: 'docker',
      log: { level: 'info' },
      engineSocket: '/var/run/docker.sock',
      podIPsRoutable: false,
      allow: { hostNetwork: false, hostPID: false, hostIPC: false, privileged: false },
      clusterDNS: [],
      clusterDomain: 'cluster.local',
      devices: {},
      volumes: { claims: [], hostPaths: [] },
      capacity: { pods: '250' },
      bodyLimit: 16 * 1024 * 1024,
    });
  });

  it.each<[string, object]>([
    ['spool', { spool: 'relative' }],
    ['sandboxImage', { sandboxImage: '' }],
    ['site', { site: 'No Site' }],
    ['capacity.cpu', { capacity: { cpu: 'many' } }],
    ['capacity.pods', { capacity: { pods: '-1' } }],
    ['clusterDNS.0', { clusterDNS: ['kube-dns'] }],
    ['devices.gpu', { devices: { gpu: { paths: ['/dev/x'] } } }],
    ['hostIP', { allow: { hostNetwork: true } }],
    ['', { spoolFolder: '/x' }],
  ])('refuses a wrong %s', (path, changed) => {
    const { error } = configSchema.safeParse({ ...least, ...changed });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});
