/** SPDY/3.1 on the wire. Every frame has a head of 8 bytes: what it is, 8 bits of flags, 24 bits of length. */
export const controlType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const rstStatus = {
  protocolError: 1,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
} as const;

export const goAwayStatus = { ok: 0, protocolError: 1, internalError: 2 } as const;

export const finFlag = 1;
export const headBytes = 8;
export const initialWindowSetting = 7;
/** Of a stream, in each direction, until somebody says otherwise. */
export const defaultWindow = 64 * 1024;
export const maxWindow = 2 ** 31 - 1;

const version = 3;
const controlBit = 0x8000;

export interface ControlFrame {
  readonly kind: 'control';
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** A piece of a DATA frame, as it came; `fin` only on the last piece of a frame that ends its stream. */
export interface DataPiece {
  readonly kind: 'data';
  readonly streamId: number;
  readonly data: Buffer;
  readonly fin: boolean;
}

export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

export function isControlHead(head: Buffer): boolean {
  return (head.readUInt16BE(0) & controlBit) !== 0;
}

/** @throws SpdyError for another version of SPDY, or for what is no SPDY at all */
export function controlHead(head: Buffer): { type: number; flags: number; length: number } {
  const found = head.readUInt16BE(0) & ~controlBit;
  if (found !== version) throw new SpdyError(`a frame of SPDY version ${found}, not ${version}`);
  return { type: head.readUInt16BE(2), flags: head.readUInt8(4), length: head.readUIntBE(5, 3) };
}

export function dataHead(head: Buffer): { streamId: number; fin: boolean; length: number } {
  return {
    streamId: head.readUInt32BE(0),
    fin: (head.readUInt8(4) & finFlag) !== 0,
    length: head.readUIntBE(5, 3),
  };
}

/** The head of a DATA frame; the data is written behind it, not copied. */
export function dataFrameHead(streamId: number, length: number, fin: boolean): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(fin ? finFlag : 0, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt16BE(controlBit | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

/** The control frames that are nothing but 32-bit numbers. */
export function numbersFrame(type: number, ...numbers: number[]): Buffer {
  const payload = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, index) => payload.writeUInt32BE(number, 4 * index));
  return controlFrame(type, 0, payload);
}

/** The `index`th 32-bit number of a control frame. @throws SpdyError when the frame is too short for it */
export function numberAt({ type, payload }: ControlFrame, index: number): number {
  if (payload.length < 4 * index + 4) throw new SpdyError(`a frame of type ${type} is cut short`);
  return payload.readUInt32BE(4 * index);
}

/** The 31 bits of a stream id or a window. */
export const bits31 = (number: number): number => number & 0x7fffffff;

/** The initial window that a SETTINGS frame asks for; undefined when it does not speak of it. */
export function initialWindowOf(frame: ControlFrame): number | undefined {
  const count = numberAt(frame, 0);
  if (frame.payload.length !== 4 + 8 * count) throw new SpdyError('a SETTINGS frame of the wrong length');
  for (let index = 0; index < count; index++) {
    if ((numberAt(frame, 1 + 2 * index) & 0xffffff) === initialWindowSetting) return numberAt(frame, 2 + 2 * index);
  }
  return undefined;
}
