import { absolutePath, byteSize, endpoint, listenSchema, logSchema } from '@interlink/service-kit';
import { z } from 'zod';

const sidecarSchema = z
  .strictObject({
    /** The site's name in events, statuses and pod annotations. */
    site: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'must be a name of small letters, digits, - and .'),
    endpoint,
    tls: z
      .strictObject({ caFile: absolutePath, certFile: absolutePath.optional(), keyFile: absolutePath.optional() })
      .optional(),
    /** Holds the bearer key that the sidecar demands. */
    keyFile: absolutePath.optional(),
  })
  .superRefine(({ endpoint: address, tls }, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (tls !== undefined && !address.startsWith('https:')) refuse('tls', 'needs an https:// endpoint');
    if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined)) {
      refuse('tls', 'needs both certFile and keyFile for a client certificate, or neither');
    }
  });

export const configSchema = z.strictObject({
  listen: listenSchema,
  log: logSchema,
  sidecar: sidecarSchema,
  /** Of one request; a pod with all its ConfigMaps and Secrets must fit. */
  bodyLimit: byteSize.prefault('16Mi'),
});

export type Config = z.infer<typeof configSchema>;
export type SidecarConfig = Config['sidecar'];
