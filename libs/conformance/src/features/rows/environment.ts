import { check, same } from '../../check.ts';
import { featureRows } from '../feature-row.ts';

const odd = `a'b"c\\d\n\ttab $HOME \`x\` 🚀 ü`;

export const environment = featureRows(import.meta.url, 'env', [
  {
    name: 'values',
    title: 'Values with quotes, newlines, unicode, and an empty one arrive byte for byte',
    run: async (context) => {
      const env = [
        { name: 'ODD', value: odd },
        { name: 'EMPTY', value: '' },
      ];
      const script = 'printf "%s|%s|%s" "$ODD" "${EMPTY-unset}" "${NONE-unset}"';
      same(await context.output({ script, container: { env } }), `${odd.replaceAll('$', '$')}||unset`, 'values');
    },
  },
  {
    name: 'config-map-and-secret',
    title: 'Values and whole sets from a ConfigMap and a Secret, with prefix; optional ones may be missing',
    run: async (context) => {
      await context.create(context.configMap('c', { a: '1', b: 'two' }), context.secret('s', { k: 'hidden' }));
      const key = (kind: string, name: string, key: string, optional = false) => ({
        valueFrom: { [kind]: { name, key, optional } },
      });
      const container = {
        env: [
          { name: 'A', ...key('configMapKeyRef', 'c', 'a') },
          { name: 'K', ...key('secretKeyRef', 's', 'k') },
          { name: 'NO', ...key('secretKeyRef', 'none', 'k', true) },
        ],
        envFrom: [{ prefix: 'C_', configMapRef: { name: 'c' } }, { secretRef: { name: 'none', optional: true } }],
      };
      const script = 'echo "$A $K ${NO-unset} $C_a $C_b"';
      same(await context.output({ script, container }), '1 hidden unset 1 two\n', 'values');
    },
  },
  {
    name: 'missing-reference',
    title: 'A missing ConfigMap holds the pod up with CreateContainerConfigError until it is there',
    run: async (context) => {
      const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'late', key: 'a' } } }];
      const name = await context.start({ script: 'echo $A', container: { env } });
      await context.until(name, 'waiting with CreateContainerConfigError', ({ status }) => {
        return status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError';
      });
      await context.create(context.configMap('late', { a: 'came late' }));
      await context.ended(name);
      same(await context.logs(name), 'came late\n', 'log');
    },
  },
  {
    name: 'expansion',
    title: '$(VAR) is expanded in values, command and args; $$(VAR) and what is unknown stay',
    run: async (context) => {
      const env = [
        { name: 'A', value: 'a' },
        { name: 'B', value: '$(A)b $$(A) $(LATER) $(NONE)' },
        { name: 'LATER', value: 'x' },
      ];
      const container = { command: ['printf', '%s\n'], args: ['$(B)', '$(A) $$(A) $(NONE)'], env };
      same(await context.output({ container }), 'ab $(A) $(LATER) $(NONE)\na $(A) $(NONE)\n', 'values');
    },
  },
  {
    name: 'field-refs',
    title: 'fieldRef: name, namespace, uid, labels, annotations, node, service account, addresses',
    run: async (context) => {
      const fields = {
        NAME: 'metadata.name',
        NS: 'metadata.namespace',
        LABEL: "metadata.labels['tier']",
        NOTE: "metadata.annotations['note']",
        NODE: 'spec.nodeName',
        SA: 'spec.serviceAccountName',
      };
      const late = { UID: 'metadata.uid', IP: 'status.podIP', IPS: 'status.podIPs', HOST: 'status.hostIP' };
      const env = Object.entries({ ...fields, ...late }).map(([name, fieldPath]) => ({
        name,
        valueFrom: { fieldRef: { fieldPath } },
      }));
      const log = await context.output({
        name: 'refs',
        metadata: { labels: { tier: 'x' }, annotations: { note: 'y z' } },
        script: 'echo "$NAME,$NS,$LABEL,$NOTE,$NODE,$SA"; echo "$UID,$IP,$IPS,$HOST"; hostname -i',
        container: { env },
      });
      const [cluster, own = '', address] = log.trim().split('\n');
      same(cluster, `refs,${context.namespace},x,y z,${context.target.nodeName},default`, 'fields');
      const [uid, ip, ips, host] = own.split(',');
      check(/^[0-9a-f-]{36}$/.test(uid ?? ''), `metadata.uid: ${uid}`);
      same([ip, ips], [address, address], 'status.podIP and podIPs');
      check(/^[0-9.]+$/.test(host ?? ''), `status.hostIP: ${host}`);
    },
  },
  {
    name: 'resource-refs',
    title: 'resourceFieldRef: limits and requests with divisor; an unset limit is what the node has',
    run: async (context) => {
      const ref = (resource: string, divisor: string) => ({ valueFrom: { resourceFieldRef: { resource, divisor } } });
      const env = [
        { name: 'MEM', ...ref('limits.memory', '1Mi') },
        { name: 'REQ', ...ref('requests.cpu', '1m') },
        { name: 'UNSET', ...ref('limits.cpu', '1') },
      ];
      const resources = { limits: { memory: '64Mi' }, requests: { cpu: '250m' } };
      const log = await context.output({ script: 'echo "$MEM $REQ $UNSET"', container: { env, resources } });
      const [memory, cpu, unset] = log.trim().split(' ');
      same([memory, cpu], ['64', '250'], 'limits.memory and requests.cpu');
      check(Number(unset) >= 1, `limits.cpu, which is unset: expected the node's, got ${unset}`);
    },
  },
  {
    name: 'services',
    title:
      'Variables of the services of the namespace, and of the cluster itself; enableServiceLinks: false leaves them out',
    run: async (context) => {
      await context.create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'my-db' },
        spec: { ports: [{ name: 'sql', port: 5432 }], selector: { app: 'db' } },
      });
      const script = 'echo "${MY_DB_SERVICE_PORT-none} ${MY_DB_SERVICE_PORT_SQL-none} ${KUBERNETES_SERVICE_PORT-none}"';
      // A node learns of a new service a moment later.
      const name = 'linked';
      for (let attempt = 0; ; attempt++) {
        const log = await context.output({ script, name: `${name}-${attempt}` });
        if (log === '5432 5432 443\n') break;
        check(attempt < 5, `with links: ${log}`);
      }
      same(await context.output({ script, spec: { enableServiceLinks: false } }), 'none none 443\n', 'without links');
    },
  },
]);
