import { extract } from 'tar-stream';
import { contentArchive, contentHash, fileVolumes, volumesArchive } from './archive.ts';
import type { JobPayload } from '@interlink/sidecar-kit';
import { makeJob } from '../testing/jobs.ts';

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

describe('an update', () => {
  const volumes = [
    { name: 'scratch', emptyDir: {} },
    { name: 'config', configMap: { name: 'cm' } },
    { name: 'keys', secret: { secretName: 's' } },
  ];
  const secrets = [{ metadata: { name: 's' }, data: { raw: b64(bytes) } }];
  const with_ = (value: string) =>
    jobWith(volumes, { configMaps: [{ metadata: { name: 'cm' }, data: { 'a.b': value } }], secrets });

  it('has the new content alone, beside what is in use', async () => {
    const job = with_('2');
    const changed = fileVolumes(job).filter(({ name }) => name === 'config');
    expect(await read(await contentArchive(job, changed, '..2'))).toEqual(['config/..2/ 755', 'config/..2/a.b 644 2']);
  });

  it('is one only when the files are others', () => {
    const hashes = (job: ReturnType<typeof with_>) => fileVolumes(job).map((volume) => contentHash(job, volume));
    const [one, same, other] = [with_('1'), with_('1'), with_('2')].map(hashes);
    expect(same).toEqual(one);
    expect(other?.[0]).not.toEqual(one?.[0]);
    expect(other?.[1]).toEqual(one?.[1]);
  });
});

describe('with an fsGroup', () => {
  it('everything is the group’s, tokens no one else’s', async () => {
    const job = jobWith(
      [
        { name: 'scratch', emptyDir: {} },
        { name: 'keys', secret: { secretName: 's', defaultMode: 0o400 } },
        {
          name: 'token',
          projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { secret: { name: 's' } }] },
        },
      ],
      {
        secrets: [{ metadata: { name: 's' }, data: { raw: '' } }],
        projected: [{ metadata: { name: 'token' }, data: { token: 'jwt', raw: '' } }],
      },
    );
    job.pod.spec['securityContext'] = { fsGroup: 2000, runAsUser: 1000 };
    expect(await owners(await volumesArchive(job, '..1'))).toEqual([
      'scratch/ 2777 0:2000',
      'keys/ 2755 0:2000',
      'keys/..1/ 2755 0:2000',
      'keys/..1/raw 440 0:2000',
      'token/ 2755 0:2000',
      'token/..1/ 2755 0:2000',
      'token/..1/token 640 1000:2000',
      'token/..1/raw 644 0:2000',
    ]);
  });
});

/** Folders and files with mode and owner. */
async function owners(archive: Buffer): Promise<string[]> {
  const tar = extract();
  const entries: string[] = [];
  tar.end(archive);
  for await (const entry of tar) {
    const { name, type, mode, uid, gid } = entry.header;
    if (type !== 'symlink') entries.push(`${name} ${(mode ?? 0).toString(8)} ${uid ?? 0}:${gid ?? 0}`);
    entry.resume();
  }
  return entries;
}
