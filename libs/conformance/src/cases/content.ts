import type { CaseContext } from '../case-context.ts';
import { same } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded } from '../container-state.ts';
import type { TestPodOptions } from '../test-pod.ts';

const awkward = `a "b" 'c' $HOME $(HOME) \`d\` \\ é\n\tz `;
const volumeMounts = [{ name: 'v', mountPath: '/v' }];

/** Runs the pod to its end. @returns its log. */
async function logOf(context: CaseContext, options: TestPodOptions): Promise<string> {
  const pod = await context.start(options);
  const status = await context.until(pod, 'the end of the pod', hasEnded);
  const log = await context.logs(pod);
  same(exitCodeOf(status), 0, `exit code, with the log ${JSON.stringify(log.slice(0, 200))}`);
  return log;
}

export const contentCases = section('content', 'core', [
  {
    name: 'config-map',
    title: 'A ConfigMap is a folder of files, binaryData too',
    async run(context) {
      const log = await logOf(context, {
        script: 'cd /v && ls && cat text && od -An -tx1 binary | tr -d " "',
        container: { volumeMounts },
        spec: { volumes: [{ name: 'v', configMap: { name: 'cm', defaultMode: 0o644 } }] },
        configMaps: [{ metadata: { name: 'cm' }, data: { text: awkward }, binaryData: { binary: 'AP8Q' } }],
      });
      same(log, `binary\ntext\n${awkward}00ff10\n`, 'content');
    },
  },
  {
    name: 'secret',
    title: 'A Secret arrives decoded, with the mode that is asked for; items rename its keys',
    async run(context) {
      const log = await logOf(context, {
        script: 'cat /v/sub/renamed; ls -lL /v/sub/renamed | cut -c1-10; ls /v',
        container: { volumeMounts },
        spec: {
          volumes: [
            {
              name: 'v',
              secret: { secretName: 's', defaultMode: 0o400, items: [{ key: 'password', path: 'sub/renamed' }] },
            },
          ],
        },
        secrets: [
          {
            metadata: { name: 's' },
            type: 'Opaque',
            data: { password: base64(awkward), other: base64('not asked for') },
          },
        ],
      });
      same(log, `${awkward}-r--------\nsub\n`, 'content');
    },
  },
  {
    name: 'projected',
    title: 'Projected content arrives under its paths',
    async run(context) {
      const log = await logOf(context, {
        script: 'cat /v/token /v/sub/namespace',
        container: { volumeMounts },
        spec: {
          volumes: [
            {
              name: 'v',
              projected: {
                defaultMode: 0o644,
                sources: [
                  { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
                  {
                    downwardAPI: {
                      items: [
                        { path: 'sub/namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
                      ],
                    },
                  },
                ],
              },
            },
          ],
        },
        projected: [
          { metadata: { name: 'v', creationTimestamp: null }, data: { token: 'ey.J\n', 'sub/namespace': 'ns' } },
        ],
      });
      same(log, 'ey.J\nns', 'content');
    },
  },
  {
    name: 'env',
    title: 'Values of env arrive byte for byte; without expandEnv $(X) is text',
    async run(context) {
      const env = [
        { name: 'AWKWARD', value: awkward },
        { name: 'EMPTY', value: '' },
      ];
      const script = 'printf "%s|%s|%s" "$AWKWARD" "$EMPTY" "${EMPTY-unset}"';
      same(await logOf(context, { script, container: { env } }), `${awkward}||`, 'env');
    },
  },
  {
    name: 'args',
    title: 'command and args arrive byte for byte',
    async run(context) {
      const args = [awkward, '', '-n', '*'];
      const command = ['sh', '-c', 'printf "<%s>" "$@"', 'sh'];
      const log = await logOf(context, { script: '', container: { command, args } });
      same(log, args.map((text) => `<${text}>`).join(''), 'args');
    },
  },
]);

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
