import { z } from 'zod';
import { absolutePath, byteSize, duration, endpoint } from './config-values.ts';
import { ConfigError, loadConfig } from './config.ts';
import { listenSchema } from './listen.ts';
import { createScratch } from './testing/scratch.ts';

const scratch = createScratch();
afterAll(() => scratch.remove());

const schema = z.strictObject({
  site: z.string(),
  sidecar: z.strictObject({ endpoint, timeout: duration.prefault('10s'), bodyLimit: byteSize.prefault('16Mi') }),
  folders: z.array(absolutePath).default([]),
  mode: z.enum(['fast', 'safe']).default('safe'),
  credential: z
    .union([z.strictObject({ user: z.string(), port: z.number() }), z.strictObject({ keyFile: absolutePath })])
    .optional(),
});

function problems(text: string, env: Record<string, string> = {}): string[] {
  const file = scratch.write('c.yaml', text);
  try {
    loadConfig({ file, schema, env, envAliases: { SIDECAR: 'sidecar.endpoint' } });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return thrown.problems.map((line) => line.replace(file, 'FILE'));
  }
}

describe('loadConfig', () => {
  it('gives typed values with defaults', () => {
    const file = scratch.write('good.yaml', 'site: a\nsidecar: {endpoint: "unix:///run/s.sock", timeout: 2m}\n');
    expect(loadConfig({ file, schema })).toEqual({
      site: 'a',
      sidecar: { endpoint: 'unix:///run/s.sock', timeout: 120_000, bodyLimit: 16 * 1024 * 1024 },
      folders: [],
      mode: 'safe',
    });
  });

  it('names line, column, key and what is wrong, all at once', () => {
    const text = [
      '# comment',
      'site: 7',
      'sidecar:',
      '  endpont: http://h:1',
      '  timeout: 10',
      'folders:',
      '  - /ok',
      '  - nope',
      'mode: quick',
      'zzzzzzzz: 1',
    ].join('\n');
    expect(problems(text)).toEqual([
      'FILE:2:1 site: must be a text, not a number',
      'FILE:3:1 sidecar.endpoint: is missing (a text)',
      'FILE:5:3 sidecar.timeout: must be a text, not a number',
      'FILE:4:3 sidecar.endpont: unknown key; did you mean endpoint?',
      'FILE:8:5 folders[1]: must be an absolute path',
      'FILE:9:1 mode: must be one of fast, safe',
      'FILE:10:1 zzzzzzzz: unknown key; known here: site, sidecar, folders, mode, credential',
    ]);
  });

  it('judges a union by the branch that was meant', () => {
    const text = 'site: a\nsidecar: {endpoint: "http://h:1"}\ncredential:\n  keyFile: relative\n';
    expect(problems(text)).toEqual(['FILE:4:3 credential.keyFile: must be an absolute path']);
  });

  it('reports broken YAML, duplicate keys, an empty and a missing file', () => {
    expect(problems('site: a\nsidecar: {endpoint: "x\n')[0]).toMatch(/^FILE:3:1 not valid YAML: /);
    expect(problems('site: a\nsite: b\n')).toEqual(['FILE:2:1 not valid YAML: Map keys must be unique']);
    expect(problems('')).toEqual(['FILE:1:1 site: is missing (a text)', 'FILE:1:1 sidecar: is missing (a map)']);
    expect(problems('- a\n')).toEqual(['FILE:1:1 must be a map, not a list']);
    expect(() => loadConfig({ file: `${scratch.folder}/none.yaml`, schema })).toThrow(
      'none.yaml: cannot be read: no such file',
    );
    expect(() => loadConfig({ file: scratch.folder, schema })).toThrow('is a folder, not a file');
  });

  it('lets a variable replace a key, and blames the variable for a wrong value', () => {
    expect(problems('site: a\n', { SIDECAR: 'http://h:1' })).toEqual([]);
    expect(problems('site: a\n', { SIDECAR: 'ftp://h' })).toEqual([
      'environment SIDECAR sidecar.endpoint: must be unix:///absolute/path, http://host:port or https://host:port',
    ]);
  });
});

describe('values', () => {
  it.each([
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['5', undefined],
    ['-1s', undefined],
  ])('duration %s', (text, expected) => {
    expect(duration.safeParse(text).data).toBe(expected);
  });

  it.each([
    ['16Mi', 16_777_216],
    ['10M', 10_000_000],
    ['77', 77],
    [77, 77],
    ['16mb', undefined],
    [-1, undefined],
  ])('size %s', (value, expected) => {
    expect(byteSize.safeParse(value).data).toBe(expected);
  });

  it.each([
    'unix://relative',
    'http://h',
    'http://h:70000',
    'http://h:80/path',
    'tcp://h:1',
    `unix:///${'x'.repeat(107)}`,
  ])('endpoint %s is refused', (text) => {
    expect(endpoint.safeParse(text).success).toBe(false);
  });
});

describe('listenSchema', () => {
  const refusal = (listener: unknown) =>
    listenSchema
      .safeParse([listener])
      .error?.issues.map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`);
  const tls = { certFile: '/c', keyFile: '/k' };
  const key = { name: 'vk', keyFile: '/k', owners: ['*'] };

  it('refuses a TCP listener that would answer anybody, loopback included, and says how to fix it', () => {
    expect(refusal({ address: 'http://127.0.0.1:8080' })?.[0]).toContain(
      'add keys: [{name, keyFile, owners}], or listen on unix://',
    );
    expect(refusal({ address: 'https://[::1]:8080', tls })?.[0]).toContain('or tls.clientCaFile with clients');
    expect(refusal({ address: 'https://h:1', tls: { ...tls, clientCaFile: '/ca' } })).toHaveLength(1);
    expect(
      refusal({ address: 'https://h:1', tls, clients: [{ name: 'a', san: 'DNS:a', owners: ['*'] }] })?.[0],
    ).toMatch(/^clients: needs tls.clientCaFile/);
  });

  it('takes what is protected', () => {
    expect(refusal({ address: 'unix:///s' })).toBeUndefined();
    expect(refusal({ address: 'http://h:1', keys: [key] })).toBeUndefined();
    expect(refusal({ address: 'https://h:1', tls, keys: [key] })).toBeUndefined();
  });

  it('refuses what would silently have no effect', () => {
    expect(refusal({ address: 'unix:///s', keys: [key] })?.[0]).toMatch(/^keys: has no meaning/);
    expect(refusal({ address: 'http://h:1', keys: [key], owners: ['*'] })?.[0]).toMatch(/^owners: belongs into/);
    expect(refusal({ address: 'http://h:1', keys: [{ ...key, owners: ['a b'] }] })?.[0]).toMatch(
      /^keys.0.owners.0: must be/,
    );
  });
});
