import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly pods: number;
  readonly backend: 'stub' | 'docker';
  readonly runs: number;
  readonly delayMs: number;
  readonly idleSeconds: number;
  readonly json: string | undefined;
  readonly compare: string | undefined;
  readonly svg: string | undefined;
}

export const help = `npm run bench -- [OPTION...]

Measures the chain vk-node, interlink-api, sidecar on a Kubernetes control plane of its own (or that of $KUBECONFIG),
and beside it what the kube-apiserver itself can take. What the figures mean: tools/src/bench/README.md.

  --pods N          pods of one batch, 1 to 20000 (default 100)
  --backend NAME    stub (default): a sidecar without a site; docker: docker-sidecar on a real engine
  --delay MS        stub only: from submit to Running (default 0)
  --idle SECONDS    how long requests are counted while all pods idle (default 30)
  --runs R          repeat all of it, 1 to 20 times, and report medians (default 1)
  --json FILE       write the report
  --compare FILE    print the ratio of each figure to that of an earlier report
  --svg FILE        plot the pods over time
  --help`;

/** What the command line asks for; 'help' when that is all. @throws Error that says which option is wrong. */
export function parseOptions(args: string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      pods: { type: 'string', default: '100' },
      backend: { type: 'string', default: 'stub' },
      delay: { type: 'string', default: '0' },
      idle: { type: 'string', default: '30' },
      runs: { type: 'string', default: '1' },
      json: { type: 'string' },
      compare: { type: 'string' },
      svg: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const { backend, json, compare, svg } = values;
  if (backend !== 'stub' && backend !== 'docker') throw new Error(`--backend ${backend}: must be stub or docker`);
  const delayMs = whole('delay', values.delay, 0, 600_000);
  if (delayMs > 0 && backend !== 'stub') throw new Error('--delay: only the stub can wait');
  return {
    pods: whole('pods', values.pods, 1, 20_000),
    backend,
    runs: whole('runs', values.runs, 1, 20),
    delayMs,
    idleSeconds: whole('idle', values.idle, 0, 3_600),
    json,
    compare,
    svg,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name} ${text}: must be a whole number from ${least} to ${most}`);
  }
  return value;
}
