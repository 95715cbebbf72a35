import { check, same } from '../../check.ts';
import { featureRows } from '../feature-row.ts';

const serve = 'mkdir -p /www; echo served > /www/index.html; exec httpd -f -p 8080 -h /www';

export const network = featureRows(import.meta.url, 'network', [
  {
    name: 'inside-the-pod',
    title: 'Containers of a pod meet on 127.0.0.1',
    run: async (context) => {
      const client = 'until wget -qO- http://127.0.0.1:8080/; do sleep 0.2; done';
      const name = await context.start({
        spec: { containers: [context.container('client', client), context.container('server', `${serve} & sleep 8`)] },
      });
      await context.ended(name);
      same((await context.logs(name, 'client')).trim().split('\n').at(-1), 'served', 'log of the client');
    },
  },
  {
    name: 'out-of-the-pod',
    title: 'An init container fetches something from outside of its pod',
    run: async (context) => {
      const server = await context.start({ script: serve });
      const pod = await context.running(server);
      const status: Record<string, unknown> = { ...pod.status };
      const address = String(status['podIP']);
      const volumeMounts = [{ name: 'd', mountPath: '/d' }];
      const fetch = `until wget -qO /d/file http://${address}:8080/; do sleep 0.2; done`;
      const log = await context.output({
        script: 'cat /d/file',
        container: { volumeMounts },
        spec: {
          volumes: [{ name: 'd', emptyDir: {} }],
          initContainers: [context.container('fetch', fetch, { volumeMounts })],
        },
      });
      same(log, 'served\n', 'log');
    },
  },
  {
    name: 'names',
    title: 'hostname, subdomain, setHostnameAsFQDN, hostAliases',
    run: async (context) => {
      const spec = { hostname: 'h', subdomain: 'sub', hostAliases: [{ ip: '10.1.2.3', hostnames: ['alias.example'] }] };
      const log = await context.output({ script: 'hostname; hostname -f; grep alias /etc/hosts', spec });
      const [short, full, alias = ''] = log.trim().split('\n');
      same([short, full], ['h', `h.sub.${context.namespace}.svc.cluster.local`], 'names');
      same(alias.split(/\s+/), ['10.1.2.3', 'alias.example'], 'alias');
      const asFqdn = await context.output({ script: 'hostname', spec: { ...spec, setHostnameAsFQDN: true } });
      same(asFqdn.trim(), full, 'hostname as FQDN');
      same((await context.output({ name: 'own-name', script: 'hostname' })).trim(), 'own-name', 'default hostname');
    },
  },
  {
    name: 'dns',
    title: 'dnsPolicy None with dnsConfig: nameservers, searches, options',
    run: async (context) => {
      const dnsConfig = {
        nameservers: ['192.0.2.53'],
        searches: ['a.example'],
        options: [{ name: 'ndots', value: '3' }],
      };
      const log = await context.output({ script: 'cat /etc/resolv.conf', spec: { dnsPolicy: 'None', dnsConfig } });
      for (const line of ['nameserver 192.0.2.53', 'search a.example', 'options ndots:3']) {
        check(log.split('\n').includes(line), `resolv.conf lacks ${line}: ${log}`);
      }
    },
  },
  {
    name: 'shared-processes',
    title: 'shareProcessNamespace: a container sees the processes of the others',
    run: async (context) => {
      const watch = 'until pkill tail; do sleep 0.1; done; echo seen';
      const name = await context.start({
        spec: {
          shareProcessNamespace: true,
          containers: [context.container('watcher', watch), context.container('watched', 'tail -f /dev/null; true')],
        },
      });
      await context.ended(name);
      same(await context.logs(name, 'watcher'), 'seen\n', 'log');
    },
  },
]);
