import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of one test, with files of the given modes. */
export interface Scratch {
  readonly folder: string;
  write(name: string, text: string, mode?: number): string;
  remove(): void;
}

export function createScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'il-'));
  return {
    folder,
    write: (name, text, mode = 0o600) => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode });
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
