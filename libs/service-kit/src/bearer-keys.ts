import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import type { Caller } from './caller.ts';
import { grantOf, type KeyConfig } from './listen.ts';
import { fileStamp, readPrivateFile } from './private-file.ts';
import { StartError } from './start-error.ts';

const minKeyLength = 16;

/** Finds whose key a bearer token is. Key files are read again when they change; a removed one stops working. */
export interface BearerKeys {
  callerWith(authorization: string | undefined): Promise<Caller | undefined>;
}

/** @throws StartError for a key file that is missing, readable by others or too short. */
export async function openBearerKeys(configs: readonly KeyConfig[], log: Logger): Promise<BearerKeys> {
  const keys = await Promise.all(configs.map((config) => openKey(config, log)));
  return {
    callerWith: async (authorization) => {
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) return undefined;
      const offered = sha256(token);
      const matches = await Promise.all(
        keys.map(async ({ caller, digest }) => {
          const wanted = await digest();
          return wanted !== undefined && timingSafeEqual(wanted, offered) ? caller : undefined;
        }),
      );
      return matches.find((caller) => caller !== undefined);
    },
  };
}

interface Key {
  readonly caller: Caller;
  /** The key's digest; undefined while the file is not usable. */
  readonly digest: () => Promise<Buffer | undefined>;
}

async function openKey(config: KeyConfig, log: Logger): Promise<Key> {
  const { name, keyFile } = config;
  let stamp = await fileStamp(keyFile);
  let current: Buffer | undefined = await readDigest(keyFile);
  return {
    caller: { name, ...grantOf(config) },
    digest: async () => {
      const now = await fileStamp(keyFile);
      if (now === stamp) return current;
      stamp = now;
      try {
        current = await readDigest(keyFile);
        log.info({ key: name, keyFile }, 'key file read again');
      } catch (err) {
        current = undefined;
        log.error({ err, key: name, keyFile }, 'key file not usable: calls with this key are refused');
      }
      return current;
    },
  };
}

async function readDigest(keyFile: string): Promise<Buffer> {
  const text = (await readPrivateFile(keyFile)).trim();
  if (text.length < minKeyLength || /\s/.test(text)) {
    throw new StartError(
      `${keyFile} must hold one line of at least ${minKeyLength} characters, such as openssl rand -hex 32 makes`,
    );
  }
  return sha256(text);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
