import { InterlinkError, type SiteStats } from '@interlink/contract';
import { ask } from '../testing/ask.ts';
import { TestCertificates } from '../testing/certificates.ts';
import { startTestKubelet, type TestKubelet } from '../testing/test-kubelet.ts';

const certificates = new TestCertificates();
const serving = certificates.make('/CN=system:node:n1');
const time = '2030-01-01T00:00:10.500Z';
const ms = Date.parse(time);
const siteStats: SiteStats = {
  time,
  pods: [
    {
      uid: 'u1',
      namespace: 'ns',
      name: 'pod',
      containers: [
        {
          name: 'c',
          startTime: '2030-01-01T00:00:01.5Z',
          cpuUsageCoreNanoSeconds: 1_500_000_000,
          memoryUsageBytes: 300,
          memoryWorkingSetBytes: 200,
          memoryRssBytes: 100,
        },
      ],
      network: { rxBytes: 11, txBytes: 22 },
    },
  ],
};

let kubelet: TestKubelet;
let looks = 0;
beforeEach(async () => {
  looks = 0;
  kubelet = await startTestKubelet({ cert: serving.cert, key: serving.key });
  kubelet.stats = async () => {
    looks++;
    return siteStats;
  };
});
afterEach(() => kubelet.server.stop());
afterAll(() => certificates.remove());

const get = (path: string) => ask(kubelet.port, path, { ca: serving.cert, headers: { authorization: 'Bearer good' } });
const json = async (path: string) => JSON.parse((await get(path)).text) as unknown;
const lines = async (path: string) => (await get(path)).text.split('\n');

it('/stats/summary: node, kubelet, pods and containers', async () => {
  expect(await json('/stats/summary')).toMatchObject({
    node: {
      nodeName: 'n1',
      systemContainers: [
        { name: 'kubelet' },
        { name: 'pods', cpu: { usageCoreNanoSeconds: 1_500_000_000 }, memory: { workingSetBytes: 200 } },
      ],
      memory: { time },
    },
    pods: [
      {
        podRef: { name: 'pod', namespace: 'ns', uid: 'u1' },
        startTime: '2030-01-01T00:00:00Z',
        containers: [
          {
            name: 'c',
            startTime: '2030-01-01T00:00:01.5Z',
            cpu: { time, usageCoreNanoSeconds: 1_500_000_000 },
            memory: { time, usageBytes: 300, workingSetBytes: 200, rssBytes: 100 },
          },
        ],
        cpu: { time, usageCoreNanoSeconds: 1_500_000_000 },
        memory: { time, workingSetBytes: 200 },
        network: { time, name: 'eth0', rxBytes: 11, txBytes: 22, interfaces: [{ name: 'eth0', rxBytes: 11 }] },
      },
    ],
  });
});

it('/metrics/resource: what metrics-server reads, with the time of the measurement', async () => {
  const { type } = await get('/metrics/resource');
  expect(type).toContain('version=0.0.4');
  const text = await lines('/metrics/resource');
  expect(text).toEqual(
    expect.arrayContaining([
      '# TYPE node_cpu_usage_seconds_total counter',
      expect.stringMatching(new RegExp(`^node_cpu_usage_seconds_total [0-9.]+ ${ms}$`)),
      expect.stringMatching(new RegExp(`^node_memory_working_set_bytes \\d+ ${ms}$`)),
      `container_cpu_usage_seconds_total{container="c",pod="pod",namespace="ns"} 1.5 ${ms}`,
      `container_memory_working_set_bytes{container="c",pod="pod",namespace="ns"} 200 ${ms}`,
      `container_start_time_seconds{container="c",pod="pod",namespace="ns"} ${Date.parse('2030-01-01T00:00:01.5Z') / 1000}`,
      `pod_cpu_usage_seconds_total{pod="pod",namespace="ns"} 1.5 ${ms}`,
      `pod_memory_working_set_bytes{pod="pod",namespace="ns"} 200 ${ms}`,
      'resource_scrape_error 0',
    ]),
  );
});

it('/metrics/cadvisor: with image, name and interface', async () => {
  const text = await lines('/metrics/cadvisor');
  const labels = 'container="c",id="/kubepods/podu1/abc",image="busybox:1",name="abc",namespace="ns",pod="pod"';
  expect(text).toContain(`container_cpu_usage_seconds_total{${labels},cpu="total"} 1.5 ${ms}`);
  expect(text).toContain(`container_memory_usage_bytes{${labels}} 300 ${ms}`);
  expect(text).toContain(
    `container_network_receive_bytes_total{container="",id="/kubepods/podu1",image="",name="",namespace="ns",pod="pod",interface="eth0"} 11 ${ms}`,
  );
  expect(text).toContain('container_scrape_error 0');
});

it('/metrics: of the kubelet itself', async () => {
  await get('/healthz');
  const text = await lines('/metrics');
  expect(text).toContain('kubelet_node_name{node="n1"} 1');
  expect(text).toContain('kubelet_running_pods 1');
  expect(text.some((line) => line.startsWith('interlink_http_requests_seconds'))).toBe(true);
});

it('asks the site once for all who ask at about the same time', async () => {
  await Promise.all([get('/stats/summary'), get('/metrics/resource'), get('/metrics/cadvisor')]);
  await get('/stats/summary');
  expect(looks).toBe(1);
});

it('a site that cannot tell: an error to read, a metric to count, and another try', async () => {
  kubelet.stats = () => Promise.reject(new InterlinkError('Unavailable', 'site s is down'));
  expect(await get('/stats/summary')).toMatchObject({ status: 503, text: 'site s is down' });
  expect(await get('/metrics/resource')).toMatchObject({ status: 200 });
  expect((await lines('/metrics/resource')).filter((line) => /^[^#]/.test(line))).toEqual(['resource_scrape_error 1']);
  expect(await lines('/metrics/cadvisor')).toContain('container_scrape_error 1');
  kubelet.stats = async () => siteStats;
  expect(await lines('/metrics/resource')).toContain('resource_scrape_error 0');
});

it('asks for the right attributes', async () => {
  for (const path of [
    '/stats/summary',
    '/metrics',
    '/metrics/resource',
    '/metrics/cadvisor',
    '/pods',
    '/runningpods/',
  ]) {
    expect((await get(path)).status).toBe(200);
  }
  expect((await get('/configz')).status).toBe(200);
  expect(kubelet.asked.map(({ subresource }) => subresource)).toEqual([
    ...['stats', 'metrics', 'metrics', 'metrics', 'pods', 'pods', 'configz'],
  ]);
});

it('/pods, /runningpods/ and /configz', async () => {
  expect(await json('/pods')).toMatchObject({
    kind: 'PodList',
    apiVersion: 'v1',
    items: [{ metadata: { name: 'pod', uid: 'u1' }, spec: { nodeName: 'n1' }, status: { phase: 'Running' } }],
  });
  expect(await json('/runningpods/')).toMatchObject({
    kind: 'PodList',
    items: [
      {
        metadata: { name: 'pod', namespace: 'ns', uid: 'u1' },
        spec: { containers: [{ name: 'c', image: 'busybox:1' }] },
      },
    ],
  });
  expect(await json('/configz')).toMatchObject({
    kubeletconfig: {
      port: kubelet.port,
      authentication: { anonymous: { enabled: false } },
      authorization: { mode: 'Webhook' },
    },
  });
});
