import { setTimeout as sleep } from 'node:timers/promises';
import { podSchema, type ContainerStatus, type Pod } from '@interlink/contract';
import { z } from 'zod';
import { check, Failure, same, show } from '../check.ts';
import type { JsonObject } from '../test-pod.ts';

export interface KubectlAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The cluster, as its users have it. */
export interface FeatureTarget {
  readonly kubectl: (
    args: readonly string[],
    options?: { input?: string; timeoutMs?: number },
  ) => Promise<KubectlAnswer>;
  /** Pods land here. */
  readonly nodeName: string;
  /** A runnable image with `sh` and the usual small tools. */
  readonly image: string;
  /** What the site's administrator has set up for the rows, by name; a row that needs what is not there fails. */
  readonly site: Readonly<Record<string, string>>;
}

export interface FeaturePod {
  /** Run by `sh -c` in the container `main`; default: none. */
  readonly script?: string;
  readonly container?: JsonObject;
  readonly spec?: JsonObject;
  readonly metadata?: JsonObject;
  readonly name?: string;
}

/** The site says that it does not do this. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

const eventsSchema = z.looseObject({
  items: z.array(z.looseObject({ reason: z.string(), message: z.string(), type: z.string() })),
});
const pollMs = 150;

/** What one row is given: a namespace of its own, and what it takes to say what a pod shall be and what became of it. */
export class FeatureContext {
  readonly target: FeatureTarget;
  readonly namespace: string;
  readonly signal: AbortSignal;
  #pods = 0;

  constructor(target: FeatureTarget, namespace: string, signal: AbortSignal) {
    this.target = target;
    this.namespace = namespace;
    this.signal = signal;
  }

  async kubectl(args: readonly string[], options: { input?: string; timeoutMs?: number } = {}): Promise<KubectlAnswer> {
    return this.target.kubectl(['-n', this.namespace, ...args], { timeoutMs: 60_000, ...options });
  }

  /** Standard output of a command that must succeed. */
  async ok(args: readonly string[], options?: { input?: string; timeoutMs?: number }): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args, options);
    check(code === 0, `kubectl ${args.slice(0, 3).join(' ')}: exit code ${code}: ${stderr.trim().slice(0, 500)}`);
    return stdout;
  }

  async create(...objects: JsonObject[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.ok(['create', '-f', '-'], { input });
  }

  configMap(name: string, data: Record<string, string>, rest: JsonObject = {}): JsonObject {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, ...rest };
  }

  secret(name: string, stringData: Record<string, string>, rest: JsonObject = {}): JsonObject {
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData, ...rest };
  }

  container(name: string, script: string, rest: JsonObject = {}): JsonObject {
    return { name, image: this.target.image, command: ['sh', '-c', script], ...rest };
  }

  /** Creates a pod with the container `main`. @returns its name */
  async start({ script, container = {}, spec = {}, metadata = {}, name = `pod-${++this.#pods}` }: FeaturePod) {
    const command = script === undefined ? {} : { command: ['sh', '-c', script] };
    await this.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, ...metadata },
      spec: {
        nodeName: this.target.nodeName,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 2,
        containers: [{ name: 'main', image: this.target.image, ...command, ...container }],
        ...spec,
      },
    });
    return name;
  }

  async pod(name: string): Promise<Pod> {
    return podSchema.parse(JSON.parse(await this.ok(['get', 'pod', name, '-o', 'json'])));
  }

  /** Asks until the pod is as wanted. @throws Refused when the site refuses it and `holds` is not about that */
  async until(name: string, what: string, holds: (pod: Pod) => boolean, may: 'fail' | 'be refused' = 'fail') {
    for (;;) {
      const last = await this.pod(name);
      if (holds(last)) return last;
      const refusal = refusalOf(last);
      if (refusal !== undefined && may === 'fail') throw new Refused(refusal);
      try {
        await sleep(pollMs, undefined, { signal: this.signal });
      } catch (cause) {
        throw new Failure(`${what}: not so at the deadline; the last status was ${show(last.status)}`, { cause });
      }
    }
  }

  running(name: string): Promise<Pod> {
    return this.until(name, 'Running', ({ status }) => {
      check(!isEnded(status?.phase), `the pod ended instead of running: ${show(status)}`);
      return status?.phase === 'Running';
    });
  }

  ready(name: string): Promise<Pod> {
    return this.until(name, 'Ready', (pod) => conditionOf(pod, 'Ready') === 'True');
  }

  ended(name: string): Promise<Pod> {
    return this.until(name, 'ended', ({ status }) => isEnded(status?.phase));
  }

  /** Starts a pod, waits for its end, which must be a success, and gives its log. */
  async output(options: FeaturePod): Promise<string> {
    const name = await this.start(options);
    const { status } = await this.ended(name);
    const log = await this.logs(name);
    check(status?.phase === 'Succeeded', `expected Succeeded, got ${show(status)}; the log was ${show(log)}`);
    return log;
  }

  logs(name: string, container = 'main', ...args: string[]): Promise<string> {
    return this.ok(['logs', name, '-c', container, ...args]);
  }

  /** Standard output of a command in a running container; it must exit with 0. */
  exec(name: string, command: readonly string[], container = 'main'): Promise<string> {
    return this.ok(['exec', name, '-c', container, '--', ...command]);
  }

  /** Asks in the container until its answer is as wanted. */
  async execUntil(name: string, command: readonly string[], wanted: string, container = 'main'): Promise<void> {
    for (;;) {
      const { stdout: last } = await this.kubectl(['exec', name, '-c', container, '--', ...command]);
      if (last.trim() === wanted) return;
      try {
        await sleep(pollMs * 2, undefined, { signal: this.signal });
      } catch (cause) {
        throw new Failure(`${command.join(' ')}: expected ${show(wanted)}, got ${show(last)} at the deadline`, {
          cause,
        });
      }
    }
  }

  async events(name: string): Promise<z.infer<typeof eventsSchema>['items']> {
    const selector = `involvedObject.name=${name}`;
    const text = await this.ok(['get', 'events', '--field-selector', selector, '-o', 'json']);
    return eventsSchema.parse(JSON.parse(text)).items;
  }
}

export function statusOf({ status }: Pod, container = 'main'): ContainerStatus {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find(({ name }) => name === container);
  if (found === undefined) throw new Failure(`there is no status of container ${container}: ${show(status)}`);
  return found;
}

export function conditionOf({ status }: Pod, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.status ?? undefined;
}

/** How often a container was started again; 0 as long as nothing is known of it. */
export function restartsOf({ status }: Pod, container = 'main'): number {
  return status?.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0;
}

/** That a container has ended, and how. */
export function endedWith(pod: Pod, exitCode: number, reason: string, container = 'main'): void {
  const { terminated } = statusOf(pod, container).state ?? {};
  same({ exitCode: terminated?.exitCode, reason: terminated?.reason }, { exitCode, reason }, `end of ${container}`);
}

function isEnded(phase: string | null | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function refusalOf({ status }: Pod): string | undefined {
  if (status?.reason === 'Unsupported') return status.message ?? 'Unsupported';
  const waiting = status?.containerStatuses?.find(({ state }) => state?.waiting?.reason === 'Unsupported');
  return waiting?.state?.waiting?.message ?? undefined;
}
