import { check, same } from '../../check.ts';
import { endedWith, statusOf } from '../feature-context.ts';
import { featureRows } from '../feature-row.ts';

export const basics = featureRows(import.meta.url, 'basics', [
  {
    name: 'hello-world',
    title: 'Submit a pod, see it succeed, read its log',
    run: async (context) => {
      const name = await context.start({ script: 'echo hello world' });
      endedWith(await context.ended(name), 0, 'Completed');
      same(await context.logs(name), 'hello world\n', 'log');
    },
  },
  {
    name: 'unicode',
    title: 'Unicode and emoji in arguments and output',
    run: async (context) => {
      const text = 'grüße, 你好, مرحبا, 🚀';
      same(await context.output({ container: { command: ['echo', text] } }), `${text}\n`, 'log');
    },
  },
  {
    name: 'multi-container',
    title: 'Two containers with statuses and logs of their own share an emptyDir, which one mounts read-only',
    run: async (context) => {
      const mount = { name: 'shared', mountPath: '/shared' };
      const reader =
        'until [ -s /shared/x ]; do sleep 0.1; done; cat /shared/x; touch /shared/y 2>/dev/null || echo read-only';
      const name = await context.start({
        spec: {
          volumes: [{ name: 'shared', emptyDir: {} }],
          containers: [
            context.container('writer', 'echo from the writer > /shared/x; echo wrote', { volumeMounts: [mount] }),
            context.container('reader', reader, { volumeMounts: [{ ...mount, readOnly: true }] }),
          ],
        },
      });
      const pod = await context.ended(name);
      for (const container of ['writer', 'reader']) endedWith(pod, 0, 'Completed', container);
      same(await context.logs(name, 'writer'), 'wrote\n', 'log of the writer');
      same(await context.logs(name, 'reader'), 'from the writer\nread-only\n', 'log of the reader');
    },
  },
  {
    name: 'init-container',
    title: 'Init containers run first, one after the other',
    run: async (context) => {
      const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
      const name = await context.start({
        script: 'cat /shared/log',
        container: { volumeMounts },
        spec: {
          volumes: [{ name: 'shared', emptyDir: {} }],
          initContainers: [
            context.container('first', 'sleep 1; echo first >> /shared/log', { volumeMounts }),
            context.container('second', 'echo second >> /shared/log', { volumeMounts }),
          ],
        },
      });
      const pod = await context.ended(name);
      for (const container of ['first', 'second', 'main']) endedWith(pod, 0, 'Completed', container);
      same(await context.logs(name), 'first\nsecond\n', 'log');
    },
  },
  {
    name: 'init-failure',
    title: 'An init container that fails ends the pod, and nothing after it runs',
    run: async (context) => {
      const name = await context.start({
        script: 'echo never',
        spec: { initContainers: [context.container('first', 'exit 3')] },
      });
      const pod = await context.ended(name);
      same(pod.status?.phase, 'Failed', 'phase');
      endedWith(pod, 3, 'Error', 'first');
      same(statusOf(pod).state?.waiting?.reason, 'PodInitializing', 'waiting reason of main');
    },
  },
  {
    name: 'synchronisation',
    title: 'Containers of a pod wait for each other through a shared volume',
    run: async (context) => {
      const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
      const wait = (file: string) => `until [ -e /shared/${file} ]; do sleep 0.05; done`;
      const name = await context.start({
        spec: {
          volumes: [{ name: 'shared', emptyDir: { medium: 'Memory' } }],
          containers: [
            context.container('ping', `touch /shared/a; ${wait('b')}; touch /shared/c`, { volumeMounts }),
            context.container('pong', `${wait('a')}; touch /shared/b; ${wait('c')}`, { volumeMounts }),
          ],
        },
      });
      same((await context.ended(name)).status?.phase, 'Succeeded', 'phase');
    },
  },
  {
    name: 'entrypoint',
    title: 'command replaces ENTRYPOINT, args replaces CMD; workingDir',
    run: async (context) => {
      // The image's own command is sh: without a command, args are given to nothing else.
      same(await context.output({ container: { args: ['echo', 'args alone'] } }), 'args alone\n', 'args alone');
      const both = { command: ['echo', 'command'], args: ['and', 'args'] };
      same(await context.output({ container: both }), 'command and args\n', 'command and args');
      same(await context.output({ script: 'pwd', container: { workingDir: '/var' } }), '/var\n', 'workingDir');
    },
  },
  {
    name: 'no-such-program',
    title: 'A program that is not there shows as the failure to start it',
    run: async (context) => {
      const name = await context.start({ container: { command: ['/no/such/program'] } });
      const pod = await context.ended(name);
      const { terminated } = statusOf(pod).state ?? {};
      check(
        ['ContainerCannotRun', 'StartError'].includes(terminated?.reason ?? '') && terminated?.message !== undefined,
        `expected ContainerCannotRun or StartError with a message, got ${JSON.stringify(terminated)}`,
      );
    },
  },
]);
