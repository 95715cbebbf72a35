import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Translate } from './config-aliases.ts';
import { ConfigError, loadConfig } from './config.ts';
import { createLogger, type LogConfig } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { startFailure } from './start-error.ts';

export interface ServiceContext {
  readonly name: string;
  readonly version: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Aborts when the service is told to stop; `stop()` is called right after. */
  readonly signal: AbortSignal;
}

export interface RunningService {
  /** Rejects when the service cannot go on: the process ends with exit code 1, and says why. */
  readonly work?: Promise<void>;
  stop(): Promise<void>;
}

export interface Service<Config extends { log: LogConfig }> {
  readonly name: string;
  readonly version: string;
  /** One sentence for `--help`. */
  readonly description: string;
  readonly schema: z.ZodType<Config>;
  /** Environment variable -> key path that it replaces. */
  readonly envAliases?: Readonly<Record<string, string>>;
  /** Understands another program's file and variables; each use is warned of on standard error. */
  readonly translate?: Translate;
  /** Environment variables that may name the file, beside ours. */
  readonly configVariables?: readonly string[];
  /** How long `stop()` may take, in ms; default 20 s. */
  readonly drainMs?: number;
  start(config: Config, context: ServiceContext): Promise<RunningService>;
}

const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;
const defaultDrainMs = 20_000;
const configVariable = 'INTERLINK_CONFIG';

/** The whole life of a service process: arguments, config, start, signals, stop, exit code. */
export async function runService<Config extends { log: LogConfig }>(service: Service<Config>): Promise<void> {
  const config = readConfig(service, process.argv.slice(2), process.env);
  if (config !== undefined) await live(service, config);
}

/** Undefined when the process has nothing more to do: its exit code is set. */
function readConfig<Config extends { log: LogConfig }>(
  service: Service<Config>,
  args: string[],
  env: NodeJS.ProcessEnv,
): Config | undefined {
  const { name, version, schema, envAliases = {}, translate, configVariables = [] } = service;
  try {
    const { values } = parseArgs({ args, options });
    if (values.help) return say(helpText(service));
    if (values.version) return say(`${name} ${version}`);
    if (values['print-config-schema']) {
      return say(JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), null, 2));
    }
    const file = values.config ?? [configVariable, ...configVariables].map((variable) => env[variable]).find(Boolean);
    if (file === undefined || file === '') {
      return refuse(`${name}: no configuration named: use --config FILE or ${configVariable} (see ${name} --help)`);
    }
    const onWarning = (line: string) => process.stderr.write(`warning: ${line}\n`);
    const config = loadConfig({ file, schema, env, envAliases, translate, onWarning });
    return values.check ? say(`${file}: ok`) : config;
  } catch (thrown) {
    if (thrown instanceof ConfigError) return refuse(thrown.message);
    return refuse(`${name}: ${startFailure(thrown)} (see ${name} --help)`);
  }
}

const options = {
  config: { type: 'string', short: 'c' },
  check: { type: 'boolean' },
  'print-config-schema': { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function helpText(service: Pick<Service<{ log: LogConfig }>, 'name' | 'description' | 'envAliases'>): string {
  const { name, description, envAliases = {} } = service;
  const aliases = Object.entries(envAliases).map(([variable, path]) => `  ${variable.padEnd(24)} replaces ${path}`);
  return [
    description,
    '',
    `Usage: ${name} --config FILE [--check]`,
    '',
    `  -c, --config FILE        the configuration, YAML (or ${configVariable}=FILE)`,
    '      --check              only check the configuration',
    '      --print-config-schema  its JSON schema, with defaults',
    '      --version',
    '  -h, --help',
    ...(aliases.length > 0 ? ['', 'Environment:', ...aliases] : []),
    '',
    'Exit codes: 0 stopped in order, 1 failed to start or to run, 2 wrong usage or configuration.',
  ].join('\n');
}

function say(text: string): undefined {
  process.stdout.write(`${text}\n`);
}

function refuse(text: string): undefined {
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCodes.usage;
}

async function live<Config extends { log: LogConfig }>(service: Service<Config>, config: Config): Promise<void> {
  const { name, version, drainMs = defaultDrainMs } = service;
  const log = createLogger({ name, version, level: config.log.level });
  dieOnStrayErrors(log);
  const stopping = stopSignal(log);
  const stopped = once(stopping, 'abort');

  let running: RunningService;
  try {
    const metrics = createMetrics({ processMetrics: true });
    running = await service.start(config, { name, version, log, metrics, signal: stopping });
  } catch (thrown) {
    if (stopping.aborted) return process.exit(exitCodes.ok);
    log.debug({ err: thrown }, 'start failed');
    process.stderr.write(`${name}: cannot start: ${startFailure(thrown)}\n`);
    return process.exit(thrown instanceof ConfigError ? exitCodes.usage : exitCodes.failed);
  }
  if (!stopping.aborted) {
    log.info('started');
    try {
      await Promise.race([stopped, running.work?.then(() => stopped) ?? stopped]);
    } catch (thrown) {
      log.fatal({ err: thrown }, 'cannot go on');
      process.stderr.write(`${name}: cannot go on: ${startFailure(thrown)}\n`);
      return process.exit(exitCodes.failed);
    }
  }
  const code = await drain(running, drainMs, log);
  log.info('stopped');
  process.exit(code);
}

/** Aborts at the first SIGTERM or SIGINT; the second ends the process where it stands. */
function stopSignal(log: Logger): AbortSignal {
  const stopping = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stopping.signal.aborted) {
      log.warn({ signal: name }, 'second signal: leaving at once');
      process.exit(exitCodes.failed);
    }
    log.info({ signal: name }, 'stopping');
    stopping.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stopping.signal;
}

async function drain(running: RunningService, boundMs: number, log: Logger): Promise<number> {
  const done = running.stop().then(
    () => exitCodes.ok,
    (err: unknown) => {
      log.error({ err }, 'stop failed');
      return exitCodes.failed;
    },
  );
  const late = delay(boundMs).then(() => {
    log.warn({ seconds: boundMs / 1000 }, 'stop takes too long: leaving');
    return exitCodes.failed;
  });
  return Promise.race([done, late]);
}

/** A state that nobody planned for: the supervisor's restart is safer than going on. */
function dieOnStrayErrors(log: Logger): void {
  const die = (kind: string) => (err: unknown) => {
    log.fatal({ err }, kind);
    process.exit(exitCodes.failed);
  };
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
}
