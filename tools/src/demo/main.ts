import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import {
  ensureBusybox,
  ensureEngine,
  startChain,
  startControlPlane,
  step,
  TestbedError,
  useCluster,
  waitFor,
  type Cluster,
} from '@interlink/testbed';

const manifest = fileURLToPath(new URL('../../../deploy/examples/hello-world.yaml', import.meta.url));
const podName = 'hello-world';
const help = `npm run demo [-- --once]

Starts a Kubernetes control plane (or uses that of $KUBECONFIG), a Docker engine (or uses the running one) and the
three services of Interlink between them, and runs deploy/examples/hello-world.yaml on the virtual node.

  --once   ends after the pod, with exit code 0 if it succeeded and 1 if not; else all stays up until Ctrl-C`;

const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
if (values.help) console.log(help);
else process.exitCode = await demo(values.once ?? false);

async function demo(isOnce: boolean): Promise<number> {
  const stops: (() => Promise<unknown>)[] = [];
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    const result = await Promise.race([run(isOnce, stops, interrupted), interrupted.then(() => 130)]);
    return result;
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    console.error(`demo: ${error.message}`);
    return 1;
  } finally {
    await step('stopping everything', async () => {
      for (const stop of stops.reverse()) await stop();
    });
  }
}

async function run(isOnce: boolean, stops: (() => Promise<unknown>)[], interrupted: Promise<unknown>): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'interlink-demo-'));
  stops.push(() => rm(dir, { recursive: true, force: true }));
  const cluster =
    (await useCluster()) ??
    (await step('starting a Kubernetes control plane', () =>
      startControlPlane({ dir: join(dir, 'cluster'), name: 'demo' }),
    ));
  stops.push(() => cluster.stop());
  const engine = await ensureEngine();
  stops.push(() => engine.stop());
  const busybox = await ensureBusybox(engine.docker);
  if (busybox.made && !engine.started) stops.push(() => engine.docker.getImage(busybox.name).remove());
  const site = `demo-${process.pid}`;
  const chain = await step('starting docker-sidecar, interlink-api and vk-node', () =>
    startChain({ cluster, engine, nodeName: 'interlink-demo', site }),
  );
  stops.push(() => chain.stop());
  stops.push(() => cluster.kubectl(['delete', 'node', chain.nodeName, '--ignore-not-found']));
  stops.push(() => cluster.kubectl(['delete', 'pod', podName, '--ignore-not-found', '--wait', '--timeout=30s']));

  const phase = await step('running deploy/examples/hello-world.yaml', async () => {
    await must(cluster, ['apply', '-f', manifest]);
    return waitFor('the pod to end', () => endPhase(cluster), { timeoutMs: 120_000, intervalMs: 100 });
  });
  await show('node', cluster, ['get', 'node', chain.nodeName, '-o', 'wide']);
  await show('pod', cluster, ['get', 'pod', podName, '-o', 'wide']);
  await show('events', cluster, ['get', 'events', '--field-selector', `involvedObject.name=${podName}`]);
  await show('log', cluster, ['logs', podName]);
  if (isOnce) {
    console.log(`\nThe pod ended: ${phase}.`);
    return phase === 'Succeeded' ? 0 : 1;
  }
  console.log(
    `\nAll is up. Use it in another terminal, and end it here with Ctrl-C:\n\n  kubectl --kubeconfig ${cluster.kubeconfig} get nodes,pods\n`,
  );
  await interrupted;
  return 0;
}

async function endPhase(cluster: Cluster): Promise<string | undefined> {
  const phase = await must(cluster, ['get', 'pod', podName, '-o', 'jsonpath={.status.phase}']);
  return phase === 'Succeeded' || phase === 'Failed' ? phase : undefined;
}

async function show(title: string, cluster: Cluster, args: string[]): Promise<void> {
  console.log(`\n--- ${title}: kubectl ${args.join(' ')}\n${(await must(cluster, args)).trimEnd()}`);
}

async function must(cluster: Cluster, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new TestbedError(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}
