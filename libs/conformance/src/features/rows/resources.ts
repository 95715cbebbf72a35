import { check, same } from '../../check.ts';
import { endedWith, statusOf } from '../feature-context.ts';
import { featureRows } from '../feature-row.ts';

const limit = (memory: string) => ({ resources: { limits: { memory } } });
/** Takes 200 MB in one process. */
const eat = 'dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null';

export const resources = featureRows(import.meta.url, 'resources', [
  {
    name: 'oom-killed',
    title: 'A container over its memory limit: OOMKilled, exit code 137',
    run: async (context) => {
      const name = await context.start({
        container: { command: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'], ...limit('32Mi') },
      });
      endedWith(await context.ended(name), 137, 'OOMKilled');
    },
  },
  {
    name: 'oom-child',
    title: 'OOMKilled also where only a child was killed, and only for that container',
    run: async (context) => {
      const name = await context.start({
        spec: {
          containers: [
            context.container('greedy', `${eat}; exit 137`, limit('32Mi')),
            context.container('modest', 'sleep 4', limit('32Mi')),
          ],
        },
      });
      const pod = await context.ended(name);
      endedWith(pod, 137, 'OOMKilled', 'greedy');
      endedWith(pod, 0, 'Completed', 'modest');
    },
  },
  {
    name: 'limits',
    title: 'cpu and memory limits are those of the container',
    run: async (context) => {
      const script = [
        'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
        'cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us',
      ].join('\n');
      const log = await context.output({
        script,
        container: { resources: { limits: { cpu: '250m', memory: '64Mi' } } },
      });
      const [memory, ...cpu] = log.trim().split(/\s+/).map(Number);
      same(memory, 64 * 2 ** 20, 'memory limit');
      check((cpu[0] ?? 0) / (cpu[1] ?? 1) === 0.25, `cpu limit: ${cpu.join('/')}`);
    },
  },
  {
    name: 'pod-level',
    title: 'Resources of the pod as a whole bound its containers',
    run: async (context) => {
      const name = await context.start({
        container: { command: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'] },
        spec: { resources: { limits: { memory: '64Mi', cpu: '500m' } } },
      });
      endedWith(await context.ended(name), 137, 'OOMKilled');
    },
  },
  {
    name: 'devices',
    title: 'An extended resource is a device, given to one pod at a time',
    run: async (context) => {
      const [resource = '', path = ''] = (context.target.site['device'] ?? '').split(' ');
      check(path !== '', 'the site has no device for this row');
      const limits = { [resource]: '1' };
      const name = await context.start({ script: `[ -c ${path} ] && sleep 300`, container: { resources: { limits } } });
      await context.running(name);
      const second = await context.start({
        script: 'sleep 1',
        container: { resources: { limits } },
        spec: { nodeName: undefined },
      });
      const waiting = await context.until(second, 'unschedulable', ({ status }) => {
        return status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
      });
      same(waiting.status?.phase, 'Pending', 'phase of the second pod');
      await context.ok(['delete', 'pod', name, '--grace-period=0', '--force']);
      same(statusOf(await context.ended(second)).state?.terminated?.exitCode, 0, 'exit code of the second pod');
    },
  },
]);
