import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@interlink/service-kit';
import { configSchema } from './config.ts';
import { fromInterlink } from './interlink-config.ts';

describe("interLink's configuration of its virtual kubelet", () => {
  const dir = mkdtempSync(join(tmpdir(), 'interlink-config-'));
  const file = join(dir, 'InterLinkConfig.yaml');
  afterAll(() => rmSync(dir, { recursive: true }));

  function load(text: string, env: Record<string, string>) {
    writeFileSync(file, text);
    const warnings: string[] = [];
    const config = loadConfig({
      file,
      schema: configSchema,
      env,
      translate: fromInterlink,
      onWarning: (line) => warnings.push(line.replace(file, 'F')),
    });
    return { config, warnings };
  }

  it('is understood, with warnings', () => {
    const { config, warnings } = load(
      [
        'InterlinkURL: "http://localhost"',
        'InterlinkPort: "3000"',
        'VKTokenFile: /dev/null',
        'Resources: { CPU: 8, Memory: "49Gi", Pods: "100", Accelerators: [{ ResourceType: nvidia.com/gpu, Model: a100, Available: 2 }, { ResourceType: nvidia.com/gpu, Model: h100, Available: "1" }] }',
        'NodeLabels: ["site=one"]',
        'NodeTaints: [{ Key: a, Value: b, Effect: Odd }]',
        'HTTP: { Insecure: true }',
      ].join('\n'),
      { NODENAME: 'vk', KUBELET_PORT: '10251', POD_IP: '10.0.0.7' },
    );
    expect(config.api).toEqual({ endpoint: 'http://localhost:3000' });
    expect(config.node).toMatchObject({
      name: 'vk',
      address: '10.0.0.7',
      labels: { site: 'one' },
      capacity: { cpu: '8', memory: '49Gi', pods: '100', 'nvidia.com/gpu': '3' },
      taints: [
        { key: 'virtual-node.interlink/no-schedule', value: 'true', effect: 'NoSchedule' },
        { key: 'a', value: 'b', effect: 'NoSchedule' },
      ],
    });
    expect(config.kubelet.port).toBe(10251);
    expect(warnings).toContain('environment NODENAME: understood, but the name here is node.name');
    expect(warnings).toContain('F:7:1 HTTP: ignored: certificates are always verified: name api.tls.caFile');
  });
});
