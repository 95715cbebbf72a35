import type { Pod } from '@interlink/contract';
import { base64, createObjects } from './support/cluster-objects.ts';
import { createPod, image, logs, podEnded, startWorld, type World } from './support/world.ts';

const entrypointImage = `interlink-e2e-entrypoint:${process.pid}`;
/** Everything that a shell, a YAML writer or a second expansion could spoil. */
const awkward = ' $(BASE) $$(BASE) $BASE "double" \'single\' `back` \\n\ttab\nsecond line\n日本語 é 🚀\n\n';

/** Container, and what it prints. */
const commands: Record<string, { container: Record<string, unknown>; output: string }> = {
  'command-alone': { container: { image, command: ['echo', 'a', 'b c'] }, output: 'a b c\n' },
  'args-alone': { container: { image, args: ['echo', 'in place of CMD'] }, output: 'in place of CMD\n' },
  'command-and-args': { container: { image, command: ['printf', '%s|'], args: ['a', '', 'b c'] }, output: 'a||b c|' },
  'entrypoint-alone': { container: { image: entrypointImage }, output: 'entrypoint cmd\n' },
  'entrypoint-and-args': { container: { image: entrypointImage, args: ['args'] }, output: 'entrypoint args\n' },
  // Not "mine cmd": a command drops the image's CMD too.
  'entrypoint-replaced': { container: { image: entrypointImage, command: ['echo', 'mine'] }, output: 'mine\n' },
  'working-folder': { container: { image, command: ['pwd'], workingDir: '/tmp' }, output: '/tmp\n' },
  'working-folder-made': { container: { image, command: ['pwd'], workingDir: '/not/yet' }, output: '/not/yet\n' },
  expansion: {
    container: {
      image,
      env: [{ name: 'BASE', value: 'base' }],
      command: ['echo', '$(BASE)/x', '$$(BASE)', '$(UNKNOWN)'],
      args: ['$(BASE)$(BASE)', '$BASE', '$$$(BASE)', '$(BASE'],
    },
    output: 'base/x $(BASE) $(UNKNOWN) basebase $BASE $base $(BASE\n',
  },
};

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const fromConfigMap = (name: string, key: string, configMap = 'settings', optional = false) => ({
  name,
  valueFrom: { configMapKeyRef: { name: configMap, key, optional } },
});
const fromSecret = (name: string, key: string, secret = 'login', optional = false) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key, optional } },
});
const resource = (name: string, path: string, divisor?: string) => ({
  name,
  valueFrom: { resourceFieldRef: { resource: path, ...(divisor === undefined ? {} : { divisor }) } },
});

const env = [
  { name: 'BASE', value: 'base' },
  { name: 'EXPANDED', value: '$(BASE)/$(BASE)' },
  { name: 'ESCAPED', value: '$$(BASE)' },
  { name: 'DOLLARS', value: '$$$$ $ $$x' },
  { name: 'UNKNOWN', value: '$(NOT_THERE)' },
  { name: 'TOO_EARLY', value: '$(LATER)' },
  { name: 'LATER', value: '' },
  { name: 'AWKWARD', value: 'x\n"\' 🚀' },
  { name: 'TWICE', value: 'one' },
  { name: 'TWICE', value: '$(TWICE):two' },
  fromConfigMap('CONFIG', 'reference'),
  fromSecret('SECRET', 'awkward'),
  { name: 'AROUND_SECRET', value: '<$(SECRET)>' },
  { name: 'OVERRIDDEN', value: 'by env' },
  fromConfigMap('NO_CONFIG_MAP', 'x', 'absent', true),
  fromConfigMap('NO_KEY', 'absent', 'settings', true),
  fromSecret('NO_SECRET', 'x', 'absent', true),
];

const metadataEnv = [
  field('POD_NAME', 'metadata.name'),
  field('POD_NAMESPACE', 'metadata.namespace'),
  field('POD_UID', 'metadata.uid'),
  field('LABEL', "metadata.labels['app.kubernetes.io/name']"),
  field('NO_LABEL', "metadata.labels['absent']"),
  field('ANNOTATION', "metadata.annotations['note']"),
  field('NODE', 'spec.nodeName'),
  field('ACCOUNT', 'spec.serviceAccountName'),
  field('POD_IP', 'status.podIP'),
  field('HOST_IP', 'status.hostIP'),
  { name: 'URL', value: 'http://$(POD_IP):80/$(POD_NAME)' },
  resource('MEMORY', 'limits.memory'),
  resource('MEMORY_MIB', 'limits.memory', '1Mi'),
  resource('CPU_MILLI', 'requests.cpu', '1m'),
];

/** Printed by no shell, so in the order and with the bytes that the container was given. */
const printEnvironment = ['cat', '/proc/self/environ'];

function variables(text: string): Map<string, string> {
  const entries = text.split('\0').filter((entry) => entry !== '');
  return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

describe('what a container is started with', () => {
  let world: World;
  let made: Pod[];
  beforeAll(async () => {
    world = await startWorld('content');
    await makeEntrypointImage(world);
    await createObjects(world, {
      configMaps: {
        settings: { data: { reference: '$(BASE) $$', one: '1', 'two.dotted': awkward, OVERRIDDEN: 'by envFrom' } },
      },
      secrets: { login: { awkward: base64(awkward), user: base64('jane') } },
    });
    const environment = { command: printEnvironment, env, envFrom };
    const metadata = { labels: { 'app.kubernetes.io/name': 'content' }, annotations: { note: awkward } };
    made = await Promise.all([
      ...Object.entries(commands).map(([name, { container }]) =>
        createPod(world, { name, script: '', container: { command: undefined, ...container } }),
      ),
      createPod(world, { name: 'environment', script: '', container: environment }),
      createPod(world, {
        name: 'downward',
        script: '',
        metadata,
        container: {
          command: printEnvironment,
          env: metadataEnv,
          resources: { limits: { memory: '64Mi' }, requests: { cpu: '0.25', memory: '32Mi' } },
        },
      }),
    ]);
  });
  afterAll(async () => {
    await world.stop();
    await world.engine.docker.getImage(entrypointImage).remove();
  });

  const envFrom = [
    { configMapRef: { name: 'settings' } },
    { prefix: 'P_', configMapRef: { name: 'settings' } },
    { prefix: 'S_', secretRef: { name: 'login' } },
    { secretRef: { name: 'absent', optional: true } },
    { configMapRef: { name: 'absent', optional: true } },
  ];

  it.each(Object.entries(commands))('%s: command, args, image and working folder', async (name, { output }) => {
    expect((await podEnded(world, name)).status).toMatchObject({ phase: 'Succeeded' });
    expect(await logs(world, name)).toBe(output);
  });

  it('gives literal values with references expanded once, and values of ConfigMaps and Secrets byte for byte', async () => {
    await podEnded(world, 'environment');
    const found = variables(await logs(world, 'environment'));
    const own = [...found].filter(([name]) => !name.startsWith('KUBERNETES_'));
    expect(Object.fromEntries(own)).toEqual({
      PATH: expect.any(String),
      HOSTNAME: 'environment',
      HOME: expect.any(String),
      BASE: 'base',
      EXPANDED: 'base/base',
      ESCAPED: '$(BASE)',
      DOLLARS: '$$ $ $x',
      UNKNOWN: '$(NOT_THERE)',
      TOO_EARLY: '$(LATER)',
      LATER: '',
      AWKWARD: 'x\n"\' 🚀',
      TWICE: 'one:two',
      CONFIG: '$(BASE) $$',
      SECRET: awkward,
      AROUND_SECRET: `<${awkward}>`,
      OVERRIDDEN: 'by env',
      reference: '$(BASE) $$',
      one: '1',
      'two.dotted': awkward,
      P_reference: '$(BASE) $$',
      P_one: '1',
      'P_two.dotted': awkward,
      P_OVERRIDDEN: 'by envFrom',
      S_awkward: awkward,
      S_user: 'jane',
    });
    const order = [...found.keys()];
    expect(order.indexOf('P_one')).toBeLessThan(order.indexOf('BASE'));
    expect(order.filter((name) => ['BASE', 'EXPANDED', 'LATER', 'SECRET', 'AROUND_SECRET'].includes(name))).toEqual([
      'BASE',
      'EXPANDED',
      'LATER',
      'SECRET',
      'AROUND_SECRET',
    ]);
  });

  it('gives metadata, resources, and the addresses that the site has given to the pod', async () => {
    const { status } = await podEnded(world, 'downward');
    const found = Object.fromEntries(variables(await logs(world, 'downward')));
    const uid = made.find(({ metadata }) => metadata.name === 'downward')?.metadata.uid;
    expect(found).toMatchObject({
      POD_NAME: 'downward',
      POD_NAMESPACE: 'default',
      POD_UID: uid,
      LABEL: 'content',
      NO_LABEL: '',
      ANNOTATION: awkward,
      NODE: world.chain.nodeName,
      ACCOUNT: 'default',
      POD_IP: status?.podIP,
      URL: `http://${status?.podIP}:80/downward`,
      MEMORY: String(64 * 1024 * 1024),
      MEMORY_MIB: '64',
      CPU_MILLI: '250',
    });
    expect(found['POD_IP']).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(found['HOST_IP']).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(found['HOST_IP']).not.toBe(found['POD_IP']);
  });
});

/** busybox has a CMD alone. */
async function makeEntrypointImage({ engine }: World): Promise<void> {
  const container = await engine.docker.createContainer({ Image: image });
  const [repo = '', tag = ''] = entrypointImage.split(':');
  await container.commit({ repo, tag, changes: 'ENTRYPOINT ["echo", "entrypoint"]\nCMD ["cmd"]' });
  await container.remove();
}
