import { extract } from 'tar-stream';
import { memoryOptions, volumesArchive } from './volumes.ts';
import type { JobPayload } from '@interlink/sidecar-kit';
import { makeJob } from './testing/jobs.ts';

const bytes = Buffer.from([0xff, 0x00, 0xc3]);
const b64 = (content: string | Buffer) => Buffer.from(content).toString('base64');

/** A job whose container mounts all these volumes. */
const jobWith = (volumes: ({ name: string } & Record<string, unknown>)[], payload: Partial<JobPayload> = {}) => {
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  return makeJob({ containers: [{ name: 'main', image: 'i', volumeMounts }], volumes }, payload);
};

/** Entries in order: folders `path/ mode`, links `path -> target`, files `path mode content`. */
async function read(archive: Buffer): Promise<string[]> {
  const tar = extract();
  const entries: string[] = [];
  tar.end(archive);
  for await (const entry of tar) {
    const { name, type, mode, linkname } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const content = Buffer.concat(chunks).toString('latin1');
    if (type === 'symlink') entries.push(`${name} -> ${linkname ?? ''}`);
    else entries.push(`${name} ${(mode ?? 0).toString(8)}${type === 'file' ? ` ${content}` : ''}`);
  }
  return entries;
}

describe('volumesArchive', () => {
  it('lays volumes out as Kubernetes does', async () => {
    const job = jobWith(
      [
        { name: 'scratch', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        {
          name: 'config',
          configMap: {
            name: 'cm',
            defaultMode: 0o644,
            items: [
              { key: 'k', path: 'a/b/c' },
              { key: 'k', path: 'a/d', mode: 0o400 },
            ],
          },
        },
        { name: 'keys', secret: { secretName: 's', defaultMode: 0o400 } },
        { name: 'token', projected: { defaultMode: 0o644, sources: [{ serviceAccountToken: { path: 'token' } }] } },
      ],
      {
        configMaps: [{ metadata: { name: 'cm' }, data: { k: 'v' } }],
        secrets: [{ metadata: { name: 's' }, data: { raw: b64(bytes) } }],
        projected: [{ metadata: { name: 'token' }, data: { token: 'jwt' } }],
      },
    );
    expect(await read(await volumesArchive(job, '..1'))).toEqual([
      'scratch/ 777',
      'config/ 755',
      'config/..1/ 755',
      'config/..1/a/ 755',
      'config/..1/a/b/ 755',
      'config/..1/a/b/c 644 v',
      'config/..1/a/d 400 v',
      'config/..data -> ..1',
      'config/a -> ..data/a',
      'keys/ 755',
      'keys/..1/ 755',
      `keys/..1/raw 400 ${bytes.toString('latin1')}`,
      'keys/..data -> ..1',
      'keys/raw -> ..data/raw',
      'token/ 755',
      'token/..1/ 755',
      'token/..1/token 644 jwt',
      'token/..data -> ..1',
      'token/token -> ..data/token',
    ]);
  });

  it('has nothing of a volume that no container mounts', async () => {
    const job = makeJob({ volumes: [{ name: 'v', secret: { secretName: 'never-sent' } }] });
    expect(await read(await volumesArchive(job, '..1'))).toEqual([]);
  });

  it('of an optional object that is not there is an empty volume', async () => {
    const job = jobWith([{ name: 'v', configMap: { name: 'none', optional: true } }]);
    expect(await read(await volumesArchive(job, '..1'))).toEqual(['v/ 755', 'v/..1/ 755', 'v/..data -> ..1']);
  });

  it('carries what does not fit one chunk', async () => {
    const large = 'x'.repeat(3_000_000);
    const job = jobWith([{ name: 'v', configMap: { name: 'cm' } }], {
      configMaps: [{ metadata: { name: 'cm' }, data: { large } }],
    });
    const entries = await read(await volumesArchive(job, '..1'));
    expect(entries.some((entry) => entry === `v/..1/large 644 ${large}`)).toBe(true);
  });
});

describe('memoryOptions', () => {
  it.each([
    [{ emptyDir: {} }, undefined],
    [{ configMap: { name: 'c' } }, undefined],
    [{ emptyDir: { medium: 'Memory' } }, {}],
    [{ emptyDir: { medium: 'Memory', sizeLimit: null } }, {}],
    [{ emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, { sizeBytes: 1_048_576 }],
    [{ emptyDir: { medium: 'Memory', sizeLimit: 4096 } }, { sizeBytes: 4096 }],
  ])('%j', (volume, expected) =>
    expect(
      memoryOptions(makeJob({ volumes: [{ name: 'v', ...volume }] }).pod.spec.volumes?.[0] ?? { name: '' }),
    ).toEqual(expected),
  );
});
