import { z } from 'zod';
import { InterlinkError } from '../errors.ts';

/** The WebSocket subprotocol of each stream. Commands have Kubernetes' own framing. */
export const streamProtocols = {
  exec: 'v5.channel.k8s.io',
  attach: 'v5.channel.k8s.io',
  portForward: 'v1.portforward.interlink',
} as const;

export type StreamRoute = keyof typeof streamProtocols;

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');
const name = z.string().min(1).max(253);
const pod = { podUID: z.string().min(1).max(253), namespace: name, podName: name };
const outputs = { containerName: name, stdin: flag, stdout: flag, stderr: flag, tty: flag };
const maxArguments = 4096;

/** What is asked for in the query of a stream's request. */
export const streamQueries = {
  exec: z.object({ ...pod, ...outputs, command: z.array(z.string()).min(1).max(maxArguments) }),
  attach: z.object({ ...pod, ...outputs }),
  portForward: z.object({
    ...pod,
    port: z
      .string()
      .regex(/^[1-9]\d{0,4}$/)
      .transform(Number)
      .refine((port) => port <= 65_535, 'must be a port, 1 to 65535'),
  }),
} as const;

export type ExecRequest = z.infer<typeof streamQueries.exec>;
export type AttachRequest = z.infer<typeof streamQueries.attach>;
export type PortForwardRequest = z.infer<typeof streamQueries.portForward>;

/** With room for the other headers in what our servers accept of them. */
const maxQueryBytes = 48 * 1024;

/** @throws InterlinkError TooLarge for a command that no server would accept. */
export function streamQuery(request: ExecRequest | AttachRequest | PortForwardRequest): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(request)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one));
  }
  const text = query.toString();
  if (text.length <= maxQueryBytes) return text;
  throw new InterlinkError(
    'TooLarge',
    `the command is longer than ${maxQueryBytes} bytes once encoded: put it into a file of the pod, or send it on stdin`,
  );
}

/** @throws InterlinkError Malformed that names the parameter. */
export function parseStreamQuery<Route extends StreamRoute>(
  route: Route,
  url: string,
): z.infer<(typeof streamQueries)[Route]>;
export function parseStreamQuery(route: StreamRoute, url: string): ExecRequest | AttachRequest | PortForwardRequest {
  const given = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length));
  const raw = Object.fromEntries(
    [...given.keys()].map((key) => [key, key === 'command' ? given.getAll(key) : given.get(key)]),
  );
  const parsed = streamQueries[route].safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.map(String).join('.') ?? '';
    throw new InterlinkError('Malformed', `the query parameter ${field} is wrong: ${issue?.message ?? 'invalid'}`, {
      field,
    });
  }
  const request = parsed.data;
  if ('stdin' in request && !request.stdin && !request.stdout && !request.stderr) {
    throw new InterlinkError('Malformed', 'you must specify at least one of stdin, stdout, stderr', { field: 'stdin' });
  }
  return request;
}
