import { nodeConditions, nodeLabels, nodeResources, nodeTaints } from './node-object.ts';
import { metadataPatch, nodeSchema, nodeStatusPatch } from './node-patch.ts';

const config = {
  name: 'vk',
  labels: { 'kubernetes.io/role': '', zone: 'a' },
  taints: [{ key: 'own', value: 'true', effect: 'NoSchedule' as const }],
  capacity: { cpu: '4' },
};
const up = { state: 'up', site: 's' } as const;
const down = { state: 'siteUnavailable', message: 'gone' } as const;

function node(parts: object = {}) {
  return nodeSchema.parse({ metadata: { name: 'vk', uid: 'u', resourceVersion: '1' }, ...parts });
}

describe('the node object', () => {
  it('has built-in labels that the config replaces or removes', () => {
    const labels = nodeLabels(config);
    expect(labels).toMatchObject({ type: 'virtual-kubelet', 'kubernetes.io/os': 'virtual-kubelet', zone: 'a' });
    const known = node({
      metadata: { name: 'vk', uid: 'u', resourceVersion: '1', labels: { 'kubernetes.io/role': 'agent' } },
    });
    expect(metadataPatch(known, labels, [])).toMatchObject({
      metadata: { labels: { zone: 'a', 'kubernetes.io/role': null } },
    });
  });

  it("takes the site's resources, any extended one too, where the config has none", () => {
    const accelerators = [
      { resourceType: 'nvidia.com/gpu', available: '2' },
      { resourceType: 'nvidia.com/gpu', available: '1' },
      { resourceType: 'example.com/thing', available: '7' },
    ];
    const resources = nodeResources(config, {
      status: 'ok',
      resources: { cpu: '64', memory: '1Gi', pods: '50', accelerators },
    });
    expect(resources).toEqual({ cpu: '4', memory: '1Gi', pods: '50', 'nvidia.com/gpu': '3', 'example.com/thing': '7' });
  });

  it('stays Ready while the site is away, with a condition and a taint of its own', () => {
    const conditions = new Map(nodeConditions(down).map((condition) => [condition.type, condition]));
    expect(conditions.get('Ready')?.status).toBe('True');
    expect(conditions.get('InterlinkConnectivity')).toMatchObject({
      status: 'False',
      reason: 'SiteUnavailable',
      message: 'gone',
    });
    expect(nodeTaints(config, undefined, down).map(({ key }) => key)).toEqual(['own', 'interlink.eu/site-unavailable']);
    expect(nodeTaints(config, undefined, up).map(({ key }) => key)).toEqual(['own']);
  });
});

describe('patches', () => {
  const status = (
    known: ReturnType<typeof node>,
    resources: Record<string, string>,
    link: typeof up | typeof down = up,
    areFeaturesKept = true,
  ) =>
    nodeStatusPatch(known, {
      name: 'vk',
      resources,
      conditions: nodeConditions(link),
      address: '10.0.0.1',
      kubeletPort: 10250,
      version: '1',
      areFeaturesKept,
    });

  it('leave the taints of others alone, and remove those that we set and want no more', () => {
    const known = node({
      metadata: {
        name: 'vk',
        uid: 'u',
        resourceVersion: '1',
        annotations: { 'interlink.eu/taints': 'own:NoSchedule,old:NoSchedule' },
      },
      spec: {
        taints: [
          { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
          { key: 'old', effect: 'NoSchedule' },
        ],
      },
    });
    expect(metadataPatch(known, {}, [{ key: 'own', value: 'true', effect: 'NoSchedule' }])).toMatchObject({
      spec: { taints: [{ key: 'node.kubernetes.io/unschedulable' }, { key: 'own' }] },
    });
  });

  it('are nothing where nothing differs', () => {
    const first = status(node(), { cpu: '1' });
    expect(first).toBeDefined();
    const known = node({ status: first });
    expect(status(known, { cpu: '1' })).toBeUndefined();
    const labelled = node({
      metadata: {
        name: 'vk',
        uid: 'u',
        resourceVersion: '1',
        labels: { a: 'b' },
        annotations: { 'interlink.eu/taints': '' },
      },
    });
    expect(metadataPatch(labelled, { a: 'b' }, [])).toBeUndefined();
  });

  it('drop a resource that the site has no more, and keep the transition time of a condition that stays', () => {
    const known = node({ status: status(node(), { cpu: '1', 'nvidia.com/gpu': '2' }) });
    expect(status(known, { cpu: '1' })).toMatchObject({ capacity: { cpu: '1', 'nvidia.com/gpu': null } });
    expect(status(known, { cpu: '1', 'nvidia.com/gpu': '2' }, down)).toMatchObject({
      conditions: [{ type: 'InterlinkConnectivity', status: 'False' }],
    });
  });

  it('declare that WebSockets may be handed on, again and again only where the API server keeps it', () => {
    const declaredFeatures = ['ExtendWebSocketsToKubelet'];
    const first = status(node(), { cpu: '1' });
    expect(first).toMatchObject({ declaredFeatures });
    const dropped = node({ status: { ...first, declaredFeatures: undefined } });
    expect(status(dropped, { cpu: '1' })).toMatchObject({ declaredFeatures });
    expect(status(dropped, { cpu: '1' }, up, false)).toBeUndefined();
    // With a patch that is due anyway it is tried once more: the API server may be a newer one by now.
    expect(status(dropped, { cpu: '2' }, up, false)).toMatchObject({ declaredFeatures });
    expect(status(node({ status: { ...first, declaredFeatures: ['Other'] } }), { cpu: '1' })).toMatchObject({
      declaredFeatures,
    });
  });
});
