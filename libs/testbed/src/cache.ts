import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what is slow to make is kept between runs: $INTERLINK_CACHE, else `interlink` in the user's cache folder. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.INTERLINK_CACHE) return env.INTERLINK_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'interlink');
}
