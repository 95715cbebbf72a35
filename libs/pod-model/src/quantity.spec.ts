import { InterlinkError } from '@interlink/contract';
import {
  addQuantity,
  compareQuantity,
  divideQuantity,
  formatQuantity,
  parseQuantity,
  subtractQuantity,
  toInteger,
  toMilli,
} from './quantity.ts';

describe('quantities', () => {
  it.each([
    ['0', '0'],
    ['1', '1'],
    [2, '2'],
    [0.5, '500m'],
    ['1.5', '1500m'],
    ['1500m', '1500m'],
    ['1000m', '1'],
    ['100', '100'],
    ['1000', '1k'],
    ['1000k', '1M'],
    ['.25', '250m'],
    ['5.', '5'],
    ['+7', '7'],
    ['-1.5', '-1500m'],
    ['1n', '1n'],
    ['1000u', '1m'],
    ['12E', '9223372036854775807'],
    ['2Gi', '2Gi'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['512Ki', '512Ki'],
    ['0.5Ki', '512'],
    ['1000Ki', '1000Ki'],
    ['0.1Gi', '107374182400m'],
    ['1e3', '1e3'],
    ['12E6', '12e6'],
    ['1500e-3', '1500e-3'],
    ['1e-12', '1e-9'],
    ['0.0000000001', '1n'],
    ['1e999999999', '9223372036854775807'],
  ])('writes %s canonically as %s', (text, canonical) => {
    expect(formatQuantity(parseQuantity(text))).toBe(canonical);
  });

  it.each(['', ' 1', '1 Gi', '1gi', '1Gib', 'abc', '1e', '1.2.3', '--1', '1K', NaN, Infinity])('refuses %p', (text) => {
    expect(() => parseQuantity(text)).toThrow(InterlinkError);
  });

  it('refuses a text that is only there to cost time', () => {
    expect(() => parseQuantity('1'.repeat(100_000))).toThrow(InterlinkError);
  });

  it.each([
    ['1', '1', 1n],
    ['1500m', '1', 2n],
    ['1500m', '1m', 1500n],
    ['1m', '1', 1n],
    ['64Mi', '1Mi', 64n],
    ['100M', '1Mi', 96n],
    ['1Gi', '1', 1073741824n],
    ['3', '0', 3n],
    ['0', '1Mi', 0n],
  ])('divides %s by %s, rounding up, into %s', (amount, divisor, expected) => {
    expect(divideQuantity(parseQuantity(amount), parseQuantity(divisor))).toBe(expected);
  });

  it('rounds to whole units away from zero', () => {
    expect(toInteger(parseQuantity('1001m'))).toBe(2n);
    expect(toInteger(parseQuantity('-1001m'))).toBe(-2n);
    expect(toMilli(parseQuantity('0.0001'))).toBe(1n);
  });

  it('adds, subtracts and compares exactly and keeps the first format', () => {
    const sum = addQuantity(parseQuantity('1Gi'), parseQuantity('1G'));
    expect(sum).toEqual({ nano: 2_073_741_824n * 10n ** 9n, format: 'BinarySI' });
    expect(formatQuantity(addQuantity(parseQuantity('0'), parseQuantity('2Gi')))).toBe('2Gi');
    expect(formatQuantity(subtractQuantity(parseQuantity('1'), parseQuantity('100m')))).toBe('900m');
    expect(compareQuantity(parseQuantity('1Ki'), parseQuantity('1k'))).toBe(1);
    expect(compareQuantity(parseQuantity('1000m'), parseQuantity('1'))).toBe(0);
  });
});
