import { createRequestSchema, retrievedPodSchema } from '@interlink/contract';
import { splitCreate } from './split-create.ts';

const mount = (name: string) => ({ name, mountPath: `/${name}` });
const object = (name: string) => ({ metadata: { name }, data: { k: 'v' } });

const request = createRequestSchema.parse({
  pod: {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', creationTimestamp: null },
    spec: {
      initContainers: [{ name: 'init', volumeMounts: [mount('secret-volume'), mount('scratch')] }],
      containers: [
        { name: 'main', volumeMounts: [mount('cm-volume'), mount('token'), mount('labels')], newField: { kept: true } },
        { name: 'bare' },
      ],
      volumes: [
        { name: 'cm-volume', configMap: { name: 'cm' } },
        { name: 'secret-volume', secret: { secretName: 'se' } },
        { name: 'token', projected: { sources: [] } },
        { name: 'labels', downwardAPI: { items: [] } },
        { name: 'scratch', emptyDir: {} },
        { name: 'unmounted', secret: { secretName: 'other' } },
      ],
    },
  },
  configmaps: [object('cm'), object('se')],
  secrets: [object('se'), object('other'), object('cm')],
  projectedvolumesmaps: [object('token'), object('labels'), object('cm-volume')],
  jobscriptURL: '',
  pullSecrets: [object('pull')],
  expandEnv: true,
});

describe('splitCreate', () => {
  it('gives each container what it mounts and no more, init containers first', () => {
    expect(splitCreate(request).container).toEqual([
      { name: 'init', configMaps: null, projectedvolumemaps: null, secrets: [object('se')], emptyDirs: null },
      {
        name: 'main',
        configMaps: [object('cm')],
        projectedvolumemaps: [object('token'), object('labels')],
        secrets: null,
        emptyDirs: null,
      },
      { name: 'bare', configMaps: null, projectedvolumemaps: null, secrets: null, emptyDirs: null },
    ]);
  });

  it('passes the pod untouched, and the extensions', () => {
    const split = splitCreate(request);
    expect(split.pod).toEqual(request.pod);
    expect(split).toMatchObject({ pullSecrets: [object('pull')], expandEnv: true });
    expect(retrievedPodSchema.safeParse(split).success).toBe(true);
  });

  it('adds nothing that a classic request does not have', () => {
    const { pullSecrets: _p, expandEnv: _e, ...classic } = request;
    expect(Object.keys(splitCreate(classic)).sort()).toEqual(['container', 'jobConfig', 'pod']);
  });

  it('refuses a job script builder by name', () => {
    expect(() => splitCreate({ ...request, jobscriptURL: 'http://h/build' })).toThrow(
      expect.objectContaining({ code: 'Invalid', field: 'jobscriptURL' }) as Error,
    );
  });
});
