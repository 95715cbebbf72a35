import { check, same } from '../../check.ts';
import { featureRows } from '../feature-row.ts';

export const volumes = featureRows(import.meta.url, 'volumes', [
  {
    name: 'config-map-and-secret',
    title: 'ConfigMap and Secret as files: all keys, items with paths and modes, binary data, read-only',
    run: async (context) => {
      await context.create(
        context.configMap(
          'c',
          { text: 'from the map' },
          { binaryData: { bytes: Buffer.from([0, 255, 10]).toString('base64') } },
        ),
        context.secret('s', { key: 'hidden' }),
      );
      const script = [
        'cat /c/text; echo; od -An -tx1 /c/bytes; cat /s/deep/er; echo',
        'stat -Lc %a /s/deep/er; touch /c/new 2>/dev/null || echo read-only',
      ].join('\n');
      const log = await context.output({
        script,
        container: {
          volumeMounts: [
            { name: 'c', mountPath: '/c' },
            { name: 's', mountPath: '/s' },
          ],
        },
        spec: {
          volumes: [
            { name: 'c', configMap: { name: 'c' } },
            { name: 's', secret: { secretName: 's', items: [{ key: 'key', path: 'deep/er', mode: 0o400 }] } },
          ],
        },
      });
      same(
        log
          .split('\n')
          .map((line) => line.trim())
          .filter(Boolean),
        ['from the map', '00 ff 0a', 'hidden', '400', 'read-only'],
        'log',
      );
    },
  },
  {
    name: 'empty-dir-memory',
    title: 'emptyDir of medium Memory is a tmpfs of its sizeLimit',
    run: async (context) => {
      const log = await context.output({
        script: 'stat -f -c %T /m; dd if=/dev/zero of=/m/x bs=1M count=20 2>/dev/null || echo full',
        container: { volumeMounts: [{ name: 'm', mountPath: '/m' }] },
        spec: { volumes: [{ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '10Mi' } }] },
      });
      same(log, 'tmpfs\nfull\n', 'log');
    },
  },
  {
    name: 'projected',
    title: 'A projected volume: ConfigMap, Secret, downward API and a token with audience in one folder',
    run: async (context) => {
      await context.create(context.configMap('c', { a: 'map' }), context.secret('s', { b: 'secret' }));
      const sources = [
        { configMap: { name: 'c' } },
        { secret: { name: 's', items: [{ key: 'b', path: 'sub/b' }] } },
        { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        { serviceAccountToken: { audience: 'vault', expirationSeconds: 600, path: 'token' } },
      ];
      const log = await context.output({
        metadata: { labels: { tier: 'x' } },
        script: 'cat /p/a /p/sub/b; echo; cat /p/labels; echo; cut -d. -f2 /p/token',
        container: { volumeMounts: [{ name: 'p', mountPath: '/p' }] },
        spec: { volumes: [{ name: 'p', projected: { sources } }] },
      });
      const [contents, labels, claims = ''] = log.trim().split('\n');
      same([contents, labels], ['mapsecret', 'tier="x"'], 'files');
      const { aud, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
      same([aud, Number(exp) - Number(iat)], [['vault'], 600], 'audience and life of the token');
    },
  },
  {
    name: 'service-account-token',
    title: 'The default service account token is mounted and good for the API server',
    run: async (context) => {
      const name = await context.start({ script: 'sleep 60' });
      await context.running(name);
      const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
      const token = await context.exec(name, ['cat', `${folder}/token`]);
      same(await context.exec(name, ['cat', `${folder}/namespace`]), context.namespace, 'namespace');
      check((await context.exec(name, ['cat', `${folder}/ca.crt`])).includes('BEGIN CERTIFICATE'), 'no ca.crt');
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
      const answer = await context.ok(['create', '-o', 'json', '-f', '-'], { input: JSON.stringify(review) });
      const { status } = JSON.parse(answer) as { status?: { user?: { username?: string } } };
      same(status?.user?.username, `system:serviceaccount:${context.namespace}:default`, 'user of the token');
    },
  },
  {
    name: 'optional',
    title: 'An optional ConfigMap or Secret that is missing is an empty folder',
    run: async (context) => {
      const log = await context.output({
        script: 'ls /c /s | wc -w',
        container: {
          volumeMounts: [
            { name: 'c', mountPath: '/c' },
            { name: 's', mountPath: '/s' },
          ],
        },
        spec: {
          volumes: [
            { name: 'c', configMap: { name: 'none', optional: true } },
            { name: 's', secret: { secretName: 'none', optional: true } },
          ],
        },
      });
      // The two headlines of ls.
      same(log.trim(), '2', 'words of ls');
    },
  },
  {
    name: 'sub-path',
    title: 'subPath and subPathExpr mount one file or folder of a volume',
    run: async (context) => {
      await context.create(context.configMap('c', { 'app.conf': 'configured' }));
      const log = await context.output({
        script: 'cat /etc/app.conf; echo; echo x > /own/file; ls /all/*',
        container: {
          env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [
            { name: 'c', mountPath: '/etc/app.conf', subPath: 'app.conf' },
            { name: 'd', mountPath: '/own', subPathExpr: 'of-$(POD)' },
            { name: 'd', mountPath: '/all' },
          ],
        },
        name: 'sub',
        spec: {
          volumes: [
            { name: 'c', configMap: { name: 'c' } },
            { name: 'd', emptyDir: {} },
          ],
        },
      });
      same(log, 'configured\nfile\n', 'log');
    },
  },
  {
    name: 'sub-path-symlink',
    title: 'A link that an init container plants does not lead a subPath out of its volume',
    run: async (context) => {
      const name = await context.start({
        script: 'cat /stolen/hostname 2>/dev/null && echo escaped',
        container: { volumeMounts: [{ name: 'd', mountPath: '/stolen', subPath: 'link' }] },
        spec: {
          volumes: [{ name: 'd', emptyDir: {} }],
          initContainers: [
            context.container('planter', 'ln -s /etc /d/link', { volumeMounts: [{ name: 'd', mountPath: '/d' }] }),
          ],
        },
      });
      const pod = await context.until(name, 'held up', ({ status }) => {
        const { waiting, terminated } = status?.containerStatuses?.[0]?.state ?? {};
        return terminated !== undefined || waiting?.reason === 'CreateContainerConfigError';
      });
      const { waiting } = pod.status?.containerStatuses?.[0]?.state ?? {};
      check(waiting?.reason === 'CreateContainerConfigError', `the container was started: ${await context.logs(name)}`);
    },
  },
  {
    name: 'host-path',
    title: 'hostPath below a folder that the site allows; others are refused',
    run: async (context) => {
      const folder = context.target.site['hostPath'];
      check(folder !== undefined, 'the site allows no folder for this row');
      const volume = (path: string, type: string) => ({
        container: { volumeMounts: [{ name: 'h', mountPath: '/h' }] },
        spec: { volumes: [{ name: 'h', hostPath: { path, type } }] },
      });
      const path = `${folder}/${context.namespace}`;
      await context.output({ script: 'echo kept > /h/file', ...volume(path, 'DirectoryOrCreate') });
      same(await context.output({ script: 'cat /h/file', ...volume(path, 'Directory') }), 'kept\n', 'second pod');
      const name = await context.start({ script: 'true', ...volume('/root', '') });
      const { status } = await context.until(name, 'refused', ({ status }) => status?.phase === 'Failed', 'be refused');
      check(status?.message?.includes('hostPath') === true, `message of the refusal: ${status?.message}`);
    },
  },
  {
    name: 'claim',
    title: 'A persistent volume claim that the site knows keeps its content from pod to pod',
    run: async (context) => {
      const claimName = context.target.site['claim'];
      check(claimName !== undefined, 'the site knows no claim for this row');
      const volume = {
        container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
        spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] },
      };
      await context.create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claimName },
        spec: { accessModes: ['ReadWriteMany'], storageClassName: '', resources: { requests: { storage: '1Gi' } } },
      });
      await context.output({ script: 'echo kept > /v/file', ...volume });
      same(await context.output({ script: 'cat /v/file', ...volume }), 'kept\n', 'second pod');
    },
  },
  {
    name: 'mount-propagation',
    title: 'A mount made in one container is seen by another (Bidirectional, HostToContainer)',
    run: async (context) => {
      const mount = (mountPropagation: string) => [{ name: 'd', mountPath: '/d', mountPropagation }];
      const name = await context.start({
        spec: {
          volumes: [{ name: 'd', emptyDir: {} }],
          containers: [
            context.container(
              'mounter',
              'mkdir /d/m; mount -t tmpfs x /d/m; echo through > /d/m/file; until [ -e /d/m/back ]; do sleep 0.1; done; umount /d/m',
              { securityContext: { privileged: true }, volumeMounts: mount('Bidirectional') },
            ),
            context.container('reader', 'until cat /d/m/file 2>/dev/null; do sleep 0.1; done; touch /d/m/back', {
              volumeMounts: mount('HostToContainer'),
            }),
          ],
        },
      });
      same((await context.ended(name)).status?.phase, 'Succeeded', 'phase');
      same(await context.logs(name, 'reader'), 'through\n', 'log of the reader');
    },
  },
]);
