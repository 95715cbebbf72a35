import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, type CommandResult } from '@interlink/testbed';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a service with this configuration file's text until it ends by itself, as one does that cannot start. */
export async function runService(
  app: string,
  text: string,
  dir: string,
): Promise<CommandResult & { readonly file: string }> {
  const file = join(dir, `${app}.yaml`);
  await writeFile(file, text, { mode: 0o600 });
  const argv = [process.execPath, join(root, 'apps', app, 'src', 'main.ts'), '--config', file];
  return { ...(await runCommand(argv, { timeoutMs: 30_000 })), file };
}
