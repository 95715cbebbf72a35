import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { parseJson } from '../first-bytes.ts';
import type { TerminalSize } from './command-streams.ts';

/** The first byte of each message. `close` ends one direction of the channel that the second byte names. */
export const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;

/** Port-forward: bytes, an error as the contract's JSON, and the end of this direction. */
export const forwardChannel = { data: 0, error: 3, close: 255 } as const;

/** Of one message; what is longer is cut into several. */
const maxContentBytes = 64 * 1024;
/** A peer that sends more in one message is cut off. */
export const maxMessageBytes = 1024 * 1024;

export interface Frame {
  readonly channel: number;
  readonly content: Buffer;
}

export function parseFrame(data: RawData): Frame {
  const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
  return { channel: bytes[0] ?? -1, content: bytes.subarray(1) };
}

/** `done` is called once the bytes have left this process: whoever waits for it holds no more than one chunk. */
export function sendFrame(
  socket: WebSocket,
  to: number,
  content: Uint8Array,
  done: (error?: Error | null) => void,
): void {
  for (let at = 0; ; at += maxContentBytes) {
    const part = content.subarray(at, at + maxContentBytes);
    const message = Buffer.allocUnsafe(part.length + 1);
    message[0] = to;
    message.set(part, 1);
    if (at + maxContentBytes >= content.length) {
      socket.send(message, done);
      return;
    }
    socket.send(message);
  }
}

export function sendClose(socket: WebSocket, which: number, done: (error?: Error | null) => void): void {
  sendFrame(socket, channel.close, Uint8Array.of(which), done);
}

const sizeSchema = z.object({ Width: z.int().min(1).max(65_535), Height: z.int().min(1).max(65_535) });

/** Kubernetes' own form. */
export function formatSize({ width, height }: TerminalSize): Buffer {
  return Buffer.from(JSON.stringify({ Width: width, Height: height }));
}

/** @returns undefined for what is no size, or none that a terminal can have. */
export function parseSize(content: Buffer): TerminalSize | undefined {
  const parsed = sizeSchema.safeParse(parseJson(content.toString('utf8')));
  return parsed.success ? { width: parsed.data.Width, height: parsed.data.Height } : undefined;
}
