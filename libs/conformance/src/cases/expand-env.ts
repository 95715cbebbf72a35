import { isIP } from 'node:net';
import type { CaseContext } from '../case-context.ts';
import { check, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { hasEnded } from '../container-state.ts';
import type { JsonObject } from '../test-pod.ts';

async function printed(context: CaseContext, env: JsonObject[], args: string[]): Promise<string[]> {
  const command = ['sh', '-c', 'printf "%s\\n" "$@"', 'sh'];
  const pod = await context.start({ script: '', container: { command, args, env }, expandEnv: true });
  await context.until(pod, 'the end of the pod', hasEnded);
  return (await context.logs(pod)).split('\n').slice(0, -1);
}

export const expandEnvCases = section('expand-env', 'extensions', [
  {
    name: 'references',
    title: '$(VAR) is expanded in env, command and args; $$(VAR) stays literal, and so does the unknown',
    needs: 'expandEnv',
    async run(context) {
      const env = [
        { name: 'A', value: 'one' },
        { name: 'B', value: '$(A)-two' },
        { name: 'EARLY', value: '$(LATE)' },
        { name: 'LATE', value: 'x' },
        { name: 'ESCAPED', value: '$$(A)' },
      ];
      const args = ['$(B)', '$$(B)', '$(NOBODY)', '$(EARLY)', '$(ESCAPED)', '$A', '$$A'];
      same(await printed(context, env, args), ['one-two', '$(B)', '$(NOBODY)', '$(LATE)', '$(A)', '$A', '$A'], 'args');
    },
  },
  {
    name: 'addresses',
    title: 'status.podIP and status.hostIP are addresses when the container starts',
    needs: 'expandEnv',
    async run(context) {
      const reference = (name: string, fieldPath: string) => ({
        name,
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
      });
      const env = [
        reference('IP', 'status.podIP'),
        reference('IPS', 'status.podIPs'),
        reference('HOST', 'status.hostIP'),
      ];
      const values = await printed(
        context,
        [...env, { name: 'URL', value: 'http://$(IP)/' }],
        ['$(IP)', '$(IPS)', '$(HOST)', '$(URL)'],
      );
      const [ip = '', ips = '', host = '', url] = values;
      check(isIP(ip) > 0 && isIP(host) > 0, `no addresses: ${show(values)}`);
      check(ips.split(',').includes(ip), `podIPs ${ips} without podIP ${ip}`);
      same(url, `http://${ip}/`, 'a reference to it');
    },
  },
]);
