import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@interlink/service-kit';
import { configSchema } from './config.ts';
import { fromInterlink } from './interlink-config.ts';

describe("interLink's configuration of its API server", () => {
  const dir = mkdtempSync(join(tmpdir(), 'interlink-config-'));
  const file = join(dir, 'InterLinkConfig.yaml');
  afterAll(() => rmSync(dir, { recursive: true }));

  function load(text: string, env: Record<string, string> = {}) {
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

  it('is understood, with a warning that names ours', () => {
    const { config, warnings } = load(
      'InterlinkAddress: "unix:///tmp/a.sock"\nSidecarURL: "http://localhost"\nSidecarPort: "4000"\nVerboseLogging: true\nDataRootFolder: "~"\n',
    );
    expect(config.listen).toEqual([{ address: 'unix:///tmp/a.sock' }]);
    expect(config.sidecar).toEqual({ site: 'site', endpoint: 'http://localhost:4000' });
    expect(config.log.level).toBe('debug');
    expect(warnings).toContain('F:2:1 SidecarURL: understood, but the name here is sidecar.endpoint');
    expect(warnings).toContain('F:5:1 DataRootFolder: ignored: nothing is kept here');
  });

  it('takes the environment before the file, and our own keys before both', () => {
    const { config } = load(
      'InterlinkAddress: "unix:///tmp/a.sock"\nsidecar: { site: one, endpoint: "unix:///tmp/s.sock" }\n',
      {
        INTERLINKURL: 'unix:///tmp/b.sock',
        SIDECARURL: 'http://localhost',
        SIDECARPORT: '4000',
      },
    );
    expect(config.listen[0]?.address).toBe('unix:///tmp/b.sock');
    expect(config.sidecar).toEqual({ site: 'one', endpoint: 'unix:///tmp/s.sock' });
  });

  it('demands client certificates of its CA where interLink does', () => {
    const tls = 'TLS: { Enabled: true, CertFile: /t/c, KeyFile: /t/k, CACertFile: /t/ca }\n';
    const { config } = load(
      `InterlinkAddress: "https://0.0.0.0"\nInterlinkPort: "3000"\nSidecarURL: "unix:///tmp/s.sock"\n${tls}`,
    );
    expect(config.listen[0]).toMatchObject({
      address: 'https://0.0.0.0:3000',
      tls: { clientCaFile: '/t/ca' },
      clients: [{ san: '*' }],
    });
  });

  it('is refused, by its own key and line, where it would answer anybody', () => {
    const open = () =>
      load('InterlinkAddress: "http://0.0.0.0"\nInterlinkPort: "3000"\nSidecarURL: "unix:///tmp/s.sock"\n');
    expect(open).toThrow(/:1:1 InterlinkAddress .*a TCP listener without keys or client certificates/);
  });
});
