import { check, same } from '../../check.ts';
import { featureRows } from '../feature-row.ts';

export const security = featureRows(import.meta.url, 'security', [
  {
    name: 'user-and-groups',
    title: 'runAsUser, runAsGroup, supplementalGroups, fsGroup',
    run: async (context) => {
      const log = await context.output({
        script: 'id -u; id -g; id -G; stat -c %g /d; touch /d/x && stat -c %g /d/x',
        container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
        spec: {
          volumes: [{ name: 'd', emptyDir: {} }],
          securityContext: { runAsUser: 1234, runAsGroup: 2345, supplementalGroups: [3456], fsGroup: 4567 },
        },
      });
      const [user, group, groups = '', folder, file] = log.trim().split('\n');
      same([user, group], ['1234', '2345'], 'user and group');
      check(
        ['3456', '4567'].every((id) => groups.split(' ').includes(id)),
        `groups: ${groups}`,
      );
      same([folder, file], ['4567', '4567'], 'group of the volume and of a file in it');
    },
  },
  {
    name: 'non-root',
    title: 'runAsNonRoot holds up a container whose image would run as root',
    run: async (context) => {
      const name = await context.start({ script: 'true', container: { securityContext: { runAsNonRoot: true } } });
      const pod = await context.until(name, 'held up', ({ status }) => {
        return status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError';
      });
      const message = pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '';
      check(message.includes('runAsNonRoot'), `message: ${message}`);
    },
  },
  {
    name: 'capabilities',
    title: 'Capabilities are added and dropped; no new privileges',
    run: async (context) => {
      const log = await context.output({
        script: 'grep -E "CapEff|NoNewPrivs" /proc/self/status',
        container: {
          securityContext: { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] }, allowPrivilegeEscalation: false },
        },
      });
      same(log.trim().split(/\s+/), ['CapEff:', '0000000000001000', 'NoNewPrivs:', '1'], 'status of the process');
    },
  },
  {
    name: 'read-only-root',
    title: 'readOnlyRootFilesystem',
    run: async (context) => {
      const container = { securityContext: { readOnlyRootFilesystem: true } };
      same(await context.output({ script: 'touch /x 2>/dev/null || echo read-only', container }), 'read-only\n', 'log');
    },
  },
  {
    name: 'seccomp-and-sysctls',
    title: 'seccompProfile RuntimeDefault and Unconfined; safe sysctls',
    run: async (context) => {
      const seccomp = (type: string) => ({ securityContext: { seccompProfile: { type } } });
      const script = 'grep Seccomp: /proc/self/status | tr -d "\\t"';
      same(await context.output({ script, container: seccomp('RuntimeDefault') }), 'Seccomp:2\n', 'RuntimeDefault');
      same(await context.output({ script, container: seccomp('Unconfined') }), 'Seccomp:0\n', 'Unconfined');
      const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '70' }];
      const value = 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start';
      same(await context.output({ script: value, spec: { securityContext: { sysctls } } }), '70\n', 'sysctl');
    },
  },
  {
    name: 'refused',
    title:
      'What the site does not allow is refused by name: privileged, host network, Localhost profiles, hostUsers: false',
    run: async (context) => {
      const message = async (options: Parameters<typeof context.start>[0]) => {
        const name = await context.start({ script: 'true', ...options });
        const pod = await context.until(name, 'refused', ({ status }) => status?.phase === 'Failed', 'be refused');
        same(pod.status?.reason, 'Unsupported', 'reason');
        return pod.status?.message ?? '';
      };
      const localhost = { seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } };
      for (const [field, options] of [
        ['localhostProfile|seccompProfile', { container: { securityContext: localhost } }],
        ['hostUsers', { spec: { hostUsers: false } }],
        ['hostNetwork', { spec: { hostNetwork: true } }],
      ] as const) {
        check(new RegExp(field).test(await message(options)), `the refusal does not name ${field}`);
      }
    },
  },
  {
    name: 'image-credentials',
    title: 'An image of a private registry: pulled with the secret, not given to a namespace without it',
    run: async (context) => {
      const { site } = context.target;
      const [image, dockerconfigjson] = [site['privateImage'], site['privateImageConfig']];
      check(image !== undefined && dockerconfigjson !== undefined, 'there is no private registry for this row');
      await context.create(
        context.secret('pull', { '.dockerconfigjson': dockerconfigjson }, { type: 'kubernetes.io/dockerconfigjson' }),
      );
      const container = { image };
      const spec = { imagePullSecrets: [{ name: 'pull' }] };
      same(await context.output({ script: 'echo pulled', container, spec }), 'pulled\n', 'log');
      const name = await context.start({ script: 'true', container: { image, imagePullPolicy: 'IfNotPresent' } });
      await context.until(name, 'ErrImagePull', ({ status }) => {
        const reason = status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '';
        return ['ErrImagePull', 'ImagePullBackOff'].includes(reason);
      });
    },
  },
  {
    name: 'image-pull-errors',
    title: 'ErrImagePull and ImagePullBackOff, ErrImageNeverPull, InvalidImageName',
    run: async (context) => {
      const shows = async (container: Record<string, string>, reason: string) => {
        const name = await context.start({ script: 'true', container });
        await context.until(name, reason, ({ status }) => {
          return status?.containerStatuses?.[0]?.state?.waiting?.reason === reason;
        });
      };
      await shows({ image: '127.0.0.1:9/none:1' }, 'ImagePullBackOff');
      await shows({ image: 'never/there:1', imagePullPolicy: 'Never' }, 'ErrImageNeverPull');
      await shows({ image: 'Not A Name' }, 'InvalidImageName');
    },
  },
]);
