import { podSchema } from '@interlink/contract';
import { serviceEnv, type ServiceAddress } from './service-env.ts';

const tcp = (port: number, name = '') => ({ name, port, protocol: 'TCP' });
const service = (namespace: string, name: string, more: Partial<ServiceAddress> = {}): ServiceAddress => ({
  namespace,
  name,
  clusterIP: '10.0.0.1',
  ports: [tcp(80)],
  ...more,
});
const kubernetes = service('default', 'kubernetes', { ports: [tcp(443, 'https')] });
const podIn = (namespace: string, enableServiceLinks?: boolean | null) =>
  podSchema.parse({
    metadata: { name: 'p', namespace },
    spec: { containers: [{ name: 'c' }], ...(enableServiceLinks === undefined ? {} : { enableServiceLinks }) },
  });
const names = (variables: Record<string, string>) =>
  Object.keys(variables)
    .filter((name) => name.endsWith('_SERVICE_HOST'))
    .map((name) => name.slice(0, -'_SERVICE_HOST'.length));

it('says host and ports of a service in every form that the kubelet has', () => {
  const ports = [tcp(5432, 'sql-main'), { name: 'stats', port: 9187, protocol: 'UDP' }];
  expect(serviceEnv(podIn('ns'), [service('ns', 'my-db', { ports })])).toEqual({
    MY_DB_SERVICE_HOST: '10.0.0.1',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_SQL_MAIN: '5432',
    MY_DB_SERVICE_PORT_STATS: '9187',
    MY_DB_PORT: 'tcp://10.0.0.1:5432',
    MY_DB_PORT_5432_TCP: 'tcp://10.0.0.1:5432',
    MY_DB_PORT_5432_TCP_PROTO: 'tcp',
    MY_DB_PORT_5432_TCP_PORT: '5432',
    MY_DB_PORT_5432_TCP_ADDR: '10.0.0.1',
    MY_DB_PORT_9187_UDP: 'udp://10.0.0.1:9187',
    MY_DB_PORT_9187_UDP_PROTO: 'udp',
    MY_DB_PORT_9187_UDP_PORT: '9187',
    MY_DB_PORT_9187_UDP_ADDR: '10.0.0.1',
  });
});

it('puts an IPv6 address into brackets in addresses, and only there', () => {
  expect(serviceEnv(podIn('ns'), [service('ns', 'six', { clusterIP: 'fd00::1' })])).toMatchObject({
    SIX_SERVICE_HOST: 'fd00::1',
    SIX_PORT: 'tcp://[fd00::1]:80',
  });
});

it.each<[string, boolean | null | undefined, string[]]>([
  ['ns', undefined, ['KUBERNETES', 'WEB']],
  ['ns', null, ['KUBERNETES', 'WEB']],
  ['ns', true, ['KUBERNETES', 'WEB']],
  ['ns', false, ['KUBERNETES']],
  ['default', true, ['KUBERNETES', 'OTHER']],
  ['default', false, ['KUBERNETES']],
])('a pod in %s with enableServiceLinks %s sees %j', (namespace, links, expected) => {
  const services = [
    kubernetes,
    service('ns', 'web'),
    service('default', 'other'),
    service('ns', 'headless', { clusterIP: 'None' }),
    service('ns', 'external', { clusterIP: '', ports: [] }),
  ];
  expect(names(serviceEnv(podIn(namespace, links), services))).toEqual(expected);
});

it('a service of the pod’s namespace that is called kubernetes goes first', () => {
  const own = service('ns', 'kubernetes', { clusterIP: '10.0.0.9' });
  for (const services of [
    [own, kubernetes],
    [kubernetes, own],
  ])
    expect(serviceEnv(podIn('ns'), services)).toMatchObject({ KUBERNETES_SERVICE_HOST: '10.0.0.9' });
});
