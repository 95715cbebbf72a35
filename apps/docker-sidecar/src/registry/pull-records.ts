import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InterlinkError } from '@interlink/contract';
import { z } from 'zod';
import type { Credentials } from './keyring.ts';

const grantsSchema = z.object({
  /** The registry gave it to somebody without credentials. */
  anyone: z.boolean(),
  /** Credentials that the registry took for it, newest last. */
  hashes: z.array(z.string()),
});
const fileSchema = z.object({
  salt: z.string(),
  /** By image id, then by repository. */
  images: z.record(z.string(), z.record(z.string(), grantsSchema)),
  /** Repositories of pulls with credentials that have begun and not been recorded: how many. */
  intents: z.record(z.string(), z.number()),
});

/** For whoever only asks and tells. */
export type Grants = Pick<PullRecords, 'allows' | 'begin' | 'fail' | 'pulled'>;

type Content = z.infer<typeof fileSchema>;

const maxHashes = 100;

/**
 * Who may use which local image: an image that came with credentials is for those only whose credentials the registry
 * has taken for the same image. One that never did (also: that was here before) is everybody's. Kept in a file (0600),
 * credentials only as salted hashes.
 */
export class PullRecords {
  readonly #folder: string;
  readonly #content: Content;
  #saving: Promise<void> = Promise.resolve();

  private constructor(folder: string, content: Content) {
    this.#folder = folder;
    this.#content = content;
  }

  /** @throws InterlinkError Internal for a file that cannot be read: without it private images would be everybody's. */
  static async open(folder: string): Promise<PullRecords> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, fileName);
    try {
      return new PullRecords(folder, fileSchema.parse(JSON.parse(await readFile(path, 'utf8'))));
    } catch (cause) {
      if (!isAbsent(cause)) {
        const advice = 'restore it, or remove it together with all private images of the engine';
        throw new InterlinkError('Internal', `${path} cannot be read: ${advice}`, { cause });
      }
      return new PullRecords(folder, { salt: randomBytes(32).toString('hex'), images: {}, intents: {} });
    }
  }

  /** Whether the image may be used as it is, without asking the registry. */
  allows(imageId: string, repository: string, credentials: readonly Credentials[]): boolean {
    const records = this.#content.images[imageId];
    // A pull that has just ended, or whose end a crash has hidden, may have brought it.
    if (records === undefined) return this.#content.intents[repository] === undefined;
    const grants = records[repository];
    if (grants === undefined) return false;
    return grants.anyone || credentials.some((one) => grants.hashes.includes(this.#hash(one)));
  }

  /** Before a pull with credentials: from here on what it may bring is not everybody's, whatever happens. */
  async begin(repository: string): Promise<void> {
    this.#content.intents[repository] = (this.#content.intents[repository] ?? 0) + 1;
    await this.#save();
  }

  /** A pull with credentials that {@link begin} announced has brought nothing. */
  async fail(repository: string): Promise<void> {
    this.#end(repository);
    await this.#save();
  }

  /**
   * The registry has given the image; `credentials` undefined: to somebody without any. `repositories` are all under
   * which the engine has it.
   */
  async pulled(
    imageId: string,
    repository: string,
    credentials: Credentials | undefined,
    repositories: readonly string[] = [],
  ): Promise<void> {
    // Nobody was kept out before, and nobody is now.
    if (credentials === undefined && this.#content.images[imageId] === undefined) return;
    const known = this.#content.images[imageId] ?? this.#everybodys(repositories, repository);
    const grants = known[repository] ?? { anyone: false, hashes: [] };
    const hash = credentials === undefined ? undefined : this.#hash(credentials);
    const hashes = [...grants.hashes.filter((other) => other !== hash), ...(hash === undefined ? [] : [hash])];
    this.#content.images[imageId] = {
      ...known,
      [repository]: { anyone: grants.anyone || credentials === undefined, hashes: hashes.slice(-maxHashes) },
    };
    if (credentials !== undefined) this.#end(repository);
    await this.#save();
  }

  /** What the engine had under other names without a record was, and stays, everybody's under those. */
  #everybodys(repositories: readonly string[], pulled: string): Content['images'][string] {
    const before = repositories.filter((name) => name !== pulled && this.#content.intents[name] === undefined);
    return Object.fromEntries(before.map((name) => [name, { anyone: true, hashes: [] }]));
  }

  #end(repository: string): void {
    const left = (this.#content.intents[repository] ?? 1) - 1;
    if (left > 0) this.#content.intents[repository] = left;
    else delete this.#content.intents[repository];
  }

  #hash({ username, password }: Credentials): string {
    return createHmac('sha256', this.#content.salt)
      .update(JSON.stringify([username, password]))
      .digest('hex');
  }

  /** One after the other; each writes the state of its own turn. */
  #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    const path = join(this.#folder, fileName);
    const temporary = `${path}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(this.#content));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

const fileName = 'pulled-images.json';

function isAbsent(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT';
}
