import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ensureEngine, ensureKubeAll, step } from '@interlink/testbed';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const help = `npm test [-- STAGE...]
npm run test:all [-- STAGE...]

Runs the stages lint, types, unit, sandbox, e2e and timing, or those that are named; test:all also the stage slow. What the end-to-end stage needs (a
Kubernetes control plane, a Docker engine, images) is built, installed and started first, and stopped afterwards.`;

interface Stage {
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** Runs jest, which counts. */
  readonly isJest?: boolean;
  /** Needs the engine and the control plane. */
  readonly isEndToEnd?: boolean;
  /** Too slow for every commit. */
  readonly isSlow?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

const jest = ['jest', '--config'];
const e2e = [...jest, 'jest.e2e.config.mjs'];
const stages: readonly Stage[] = [
  { name: 'lint', argv: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', argv: ['npm', 'run', '--silent', 'typecheck'] },
  { name: 'unit', argv: [...jest, 'jest.config.mjs'], isJest: true },
  { name: 'sandbox', argv: ['go', 'test', './...'], cwd: 'apps/docker-sidecar/sandbox' },
  { name: 'e2e', argv: e2e, isJest: true, isEndToEnd: true },
  { name: 'timing', argv: e2e, isJest: true, isEndToEnd: true, env: { INTERLINK_E2E: 'timing' } },
  { name: 'slow', argv: e2e, isJest: true, isEndToEnd: true, isSlow: true, env: { INTERLINK_E2E: 'slow' } },
];

const resultSchema = z.looseObject({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
});

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !stages.some((stage) => stage.name === name));
if (values.help) console.log(help);
else if (unknown.length > 0) {
  console.error(`npm test: there is no stage ${unknown.join(', ')}\n\n${help}`);
  process.exitCode = 2;
} else {
  const named = (name: string) => positionals.includes(name);
  const wanted = stages.filter(({ name, isSlow }) => (positionals.length > 0 ? named(name) : !isSlow || values.all));
  process.exitCode = await test(wanted);
}

async function test(wanted: readonly Stage[]): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'interlink-test-'));
  // One engine for all suites: each would otherwise start and stop its own.
  let stopEngine: (() => Promise<void>) | undefined;
  const total = { passed: 0, failed: 0 };
  try {
    for (const stage of wanted) {
      if (stage.isEndToEnd && !stopEngine) {
        await step('building the Kubernetes control plane (minutes the first time, then cached)', () =>
          ensureKubeAll(),
        );
        const engine = await ensureEngine();
        stopEngine = () => engine.stop();
      }
      const { passed, failed } = await runStage(stage, join(dir, `${stage.name}.json`));
      total.passed += passed;
      total.failed += failed;
    }
  } finally {
    await stopEngine?.();
    await rm(dir, { recursive: true, force: true });
  }
  const left = stages.filter((stage) => stage.isSlow && !wanted.includes(stage)).map(({ name }) => name);
  if (left.length > 0) console.log(`\nleft to npm run test:all: ${left.join(', ')} (the suites in e2e/slow)`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** A stage that does not count its tests counts as one. */
async function runStage(stage: Stage, report: string): Promise<{ passed: number; failed: number }> {
  console.log(`\n=== ${stage.name}`);
  const started = performance.now();
  const argv = stage.isJest ? [...stage.argv, '--json', `--outputFile=${report}`] : stage.argv;
  const code = await run(argv, join(root, stage.cwd ?? '.'), stage);
  console.log(
    `=== ${stage.name}: ${code === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  const counts = stage.isJest ? await readCounts(report) : undefined;
  if (counts === undefined) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

async function readCounts(report: string): Promise<{ passed: number; failed: number } | undefined> {
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = resultSchema.parse(JSON.parse(text));
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}

async function run(argv: readonly string[], cwd: string, { isJest = false, env: more = {} }: Stage): Promise<number> {
  const [command = '', ...args] = argv;
  const env = {
    ...process.env,
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
    ...more,
    ...(isJest ? { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' } : {}),
  };
  // jest's JSON goes to its file; what people read goes to stderr already.
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', isJest ? 'ignore' : 'inherit', 'inherit'] });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward);
  }
}
