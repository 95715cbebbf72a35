import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

export const composeDir = fileURLToPath(new URL('../../deploy/compose/', import.meta.url));

/** Strict: a key that is not carried over to the containers of the test would be a key that is not tested. */
const serviceSchema = z.strictObject({
  image: z.string(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  tmpfs: z.array(z.string()),
  group_add: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  // What compose itself does when a service ends or is ended.
  restart: z.literal('unless-stopped'),
  stop_grace_period: z.literal('30s'),
});

const composeSchema = z.strictObject({
  name: z.string(),
  'x-service': z.unknown(),
  services: z.strictObject({ 'docker-sidecar': serviceSchema, 'interlink-api': serviceSchema }),
  volumes: z.record(z.string(), z.null()),
});

export type ComposeService = z.infer<typeof serviceSchema>;

/** deploy/compose/compose.yaml as `docker compose` reads it: merged, and with variables from `env`. */
export async function readCompose(env: Record<string, string>): Promise<z.infer<typeof composeSchema>> {
  const text = await readFile(join(composeDir, 'compose.yaml'), 'utf8');
  const filled = text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name: string, kind?: string, rest?: string) => {
    const value = env[name];
    if (value) return value;
    if (kind === '-') return rest ?? '';
    throw new Error(`compose.yaml needs ${name}: ${rest ?? 'not set'}`);
  });
  return composeSchema.parse(parse(filled, { merge: true }));
}

/** The block of the README that makes keys and certificates, so that what people copy is what runs here. */
export async function secretsScript(): Promise<string> {
  const text = await readFile(join(composeDir, 'README.md'), 'utf8');
  const block = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, script = '']) => script);
  const found = block.find((script) => script.includes('openssl req'));
  if (found === undefined) throw new Error('deploy/compose/README.md has no block with openssl req');
  return found;
}
