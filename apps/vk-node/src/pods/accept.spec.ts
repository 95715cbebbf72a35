import { podSchema } from '@interlink/contract';
import { acceptPatch, onceAccepted } from './accept.ts';

const outage = (key: string, tolerationSeconds?: number) => ({
  key: `node.kubernetes.io/${key}`,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

function pod(tolerations: object[], annotations: Record<string, string> = {}) {
  return podSchema.parse({
    metadata: { name: 'p', uid: 'u', annotations },
    spec: { containers: [{ name: 'main' }], tolerations },
  });
}

describe('acceptPatch', () => {
  it('names job and site, and drops the default five minutes of the outage tolerations alone', () => {
    const other = { key: 'mine', operator: 'Exists', tolerationSeconds: 300 };
    const patch = acceptPatch(
      pod([outage('not-ready', 300), outage('unreachable', 300), outage('not-ready', 60), other]),
      'job-1',
      'docker',
    );
    expect(patch).toEqual({
      metadata: { uid: 'u', annotations: { JobID: 'job-1', 'interlink.eu/site': 'docker' } },
      spec: { tolerations: [outage('not-ready'), outage('unreachable'), outage('not-ready', 60), other] },
    });
  });

  it('is nothing for a pod that has it all', () => {
    const accepted = pod([outage('not-ready')], { JobID: 'job-1', 'interlink.eu/site': 'docker' });
    expect(acceptPatch(accepted, 'job-1', 'docker')).toBeUndefined();
    expect(acceptPatch(accepted, 'job-1', undefined)).toBeUndefined();
  });

  it('leaves the spec out where no toleration changes', () => {
    expect(acceptPatch(pod([]), 'job-1', undefined)).toEqual({
      metadata: { uid: 'u', annotations: { JobID: 'job-1' } },
    });
  });
});

describe('onceAccepted', () => {
  const at = (generation: number, tolerations: object[]) => {
    const { metadata, ...rest } = pod(tolerations);
    return onceAccepted({ ...rest, metadata: { ...metadata, generation } }).metadata['generation'];
  };

  it('counts the change of the tolerations that is still to come, and no other', () => {
    expect(at(1, [outage('not-ready', 300)])).toBe(2);
    expect(at(2, [outage('not-ready')])).toBe(2);
    expect(onceAccepted(pod([outage('not-ready', 300)])).metadata['generation']).toBeUndefined();
  });
});
