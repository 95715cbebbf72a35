import { same } from '../../check.ts';
import { restartsOf, statusOf } from '../feature-context.ts';
import { featureRows } from '../feature-row.ts';

const slow = 150_000;

export const updates = featureRows(import.meta.url, 'update', [
  {
    name: 'config-map-and-secret',
    title: 'A changed ConfigMap and Secret is seen in the running pod within 90 s, all files at once',
    timeoutMs: slow,
    run: async (context) => {
      await context.create(context.configMap('c', { a: 'old' }), context.secret('s', { b: 'old' }));
      const name = await context.start({
        script: 'sleep 300',
        container: {
          volumeMounts: [
            { name: 'c', mountPath: '/c' },
            { name: 's', mountPath: '/s' },
          ],
        },
        spec: {
          volumes: [
            { name: 'c', configMap: { name: 'c' } },
            { name: 's', secret: { secretName: 's' } },
          ],
        },
      });
      await context.running(name);
      same(await context.exec(name, ['cat', '/c/a', '/s/b']), 'oldold', 'before');
      await context.ok(['patch', 'configmap', 'c', '--type=merge', '-p', '{"data":{"a":"new","extra":"x"}}']);
      await context.ok(['patch', 'secret', 's', '--type=merge', '-p', '{"stringData":{"b":"fresh"}}']);
      await context.execUntil(name, ['cat', '/c/a', '/c/extra', '/s/b'], 'newxfresh');
    },
  },
  {
    name: 'labels',
    title: 'Changed labels are seen in a downwardAPI volume of the running pod',
    timeoutMs: slow,
    run: async (context) => {
      const items = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }];
      const name = await context.start({
        metadata: { labels: { tier: 'one' } },
        script: 'sleep 300',
        container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
        spec: { volumes: [{ name: 'd', downwardAPI: { items } }] },
      });
      await context.running(name);
      same(await context.exec(name, ['cat', '/d/labels']), 'tier="one"', 'before');
      await context.ok(['label', 'pod', name, 'tier=two', '--overwrite']);
      await context.execUntil(name, ['cat', '/d/labels'], 'tier="two"');
    },
  },
  {
    name: 'resize',
    title: 'In-place resize: the limits of a running container change without a restart',
    run: async (context) => {
      const limits = (memory: string, cpu: string) => ({ limits: { memory, cpu }, requests: { memory, cpu } });
      const name = await context.start({ script: 'sleep 300', container: { resources: limits('64Mi', '100m') } });
      await context.running(name);
      const patch = { spec: { containers: [{ name: 'main', resources: limits('128Mi', '200m') }] } };
      await context.ok(['patch', 'pod', name, '--subresource=resize', '-p', JSON.stringify(patch)]);
      const file = 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes';
      await context.execUntil(name, ['sh', '-c', file], String(128 * 2 ** 20));
      same(statusOf(await context.pod(name)).restartCount, 0, 'restarts');
    },
  },
  {
    name: 'image',
    title: 'Another image for a running container restarts it with that image',
    run: async (context) => {
      const other = context.target.site['otherImage'];
      if (other === undefined) throw new Error('the site has no second image for this row');
      const name = await context.start({ script: 'sleep 300', spec: { restartPolicy: 'Always' } });
      await context.running(name);
      await context.ok(['set', 'image', `pod/${name}`, `main=${other}`]);
      await context.until(name, 'restarted with the other image', (pod) => {
        const { image, state } = statusOf(pod);
        return restartsOf(pod) === 1 && image.endsWith(other) && state?.running !== undefined;
      });
    },
  },
]);
