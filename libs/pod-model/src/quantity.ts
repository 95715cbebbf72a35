import { InterlinkError } from '@interlink/contract';

/** How a quantity is written: `1500m`, `2Gi` or `12e6`. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** A Kubernetes quantity, exact: the finest step Kubernetes knows is one nano unit. */
export interface Quantity {
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const nanoPerUnit = 1_000_000_000n;
const nanoPerMilli = 1_000_000n;
/** Kubernetes caps at the largest int64. */
const maxNano = (2n ** 63n - 1n) * nanoPerUnit;
/** Beyond these no quantity is meant, only a costly power of ten. */
const maxTextLength = 256;
const maxExponent = 512;

const pattern = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+)|([KMGTPE]i)|([numkMGTPE]))?$/;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** By thousands, from 10^-9 to 10^18. */
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

export const zeroQuantity: Quantity = { nano: 0n, format: 'DecimalSI' };

/** Throws `Invalid` for what is not a quantity. Anything finer than nano is rounded away from zero, as Kubernetes does. */
export function parseQuantity(text: string | number): Quantity {
  const match = String(text).length > maxTextLength ? null : pattern.exec(String(text));
  if (match === null) {
    throw new InterlinkError('Invalid', `"${String(text).slice(0, 64)}" is not a quantity such as 500m, 2 or 1.5Gi`);
  }
  const [, sign = '', number = '', exponent, binary, decimal = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  let dividend = BigInt(whole + fraction) * nanoPerUnit;
  let divisor = 10n ** BigInt(fraction.length);
  let format: QuantityFormat = 'DecimalSI';
  if (binary !== undefined) {
    format = 'BinarySI';
    dividend *= 1024n ** BigInt(binarySuffixes.indexOf(binary));
  } else {
    const wanted = exponent === undefined ? 3 * (decimalSuffixes.indexOf(decimal) - 3) : Number(exponent);
    if (exponent !== undefined) format = 'DecimalExponent';
    const power = Math.max(-maxExponent, Math.min(maxExponent, wanted));
    if (power >= 0) dividend *= 10n ** BigInt(power);
    else divisor *= 10n ** BigInt(-power);
  }
  const nano = divideAwayFromZero(sign === '-' ? -dividend : dividend, divisor);
  return { nano: nano > maxNano ? maxNano : nano < -maxNano ? -maxNano : nano, format };
}

/** The sum is written in the first quantity's format, unless that is zero. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

export function subtractQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** Negative, zero or positive, for sorting. */
export function compareQuantity(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** Whole units, rounded away from zero: bytes of memory, or cores that are enough. */
export function toInteger(quantity: Quantity): bigint {
  return divideAwayFromZero(quantity.nano, nanoPerUnit);
}

/** Thousandths, rounded away from zero: the usual unit of CPU. */
export function toMilli(quantity: Quantity): bigint {
  return divideAwayFromZero(quantity.nano, nanoPerMilli);
}

/** How many divisors the quantity takes, rounded up (resourceFieldRef). A divisor of zero stands for one. */
export function divideQuantity(quantity: Quantity, divisor: Quantity): bigint {
  return divideAwayFromZero(quantity.nano, divisor.nano === 0n ? nanoPerUnit : divisor.nano);
}

/** The canonical text, as the kube-apiserver writes it: no fraction, the largest suffix that loses nothing. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  // Kubernetes falls back to decimal where a binary suffix could only confuse or would lose precision.
  const small = nano > -1024n * nanoPerUnit && nano < 1024n * nanoPerUnit;
  if (format === 'BinarySI' && !small && nano % nanoPerUnit === 0n) {
    const [number, power] = strip(nano / nanoPerUnit, 1024n, binarySuffixes.length - 1);
    return `${number}${binarySuffixes[power] ?? ''}`;
  }
  const [number, power] = strip(nano, 1000n, decimalSuffixes.length - 1);
  if (format !== 'DecimalExponent') return `${number}${decimalSuffixes[power] ?? ''}`;
  return power === 3 ? `${number}` : `${number}e${3 * (power - 3)}`;
}

function strip(value: bigint, base: bigint, most: number): [bigint, number] {
  let number = value;
  let power = 0;
  while (power < most && number % base === 0n) {
    number /= base;
    power += 1;
  }
  return [number, power];
}

function divideAwayFromZero(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  if (dividend % divisor === 0n) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}
