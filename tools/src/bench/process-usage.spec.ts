import { parsePeak, parseStat, usageOf } from './process-usage.ts';

const rest = '1000 1000 34816 1000 4194560 3054 0 1 0 1234 66 0 0 20 0 11 0 2911 11891680';

describe('/proc/PID/stat', () => {
  it('gives the parent, and user and system time in seconds', () => {
    expect(parseStat(`4711 (node) S 17 ${rest}`)).toEqual({ parent: 17, cpuSeconds: 13 });
  });
  it('is not misled by the name of the command', () => {
    expect(parseStat(`4711 (a) S 1 (b 2)) R 17 ${rest}`)).toEqual({ parent: 17, cpuSeconds: 13 });
  });
});

describe('/proc/PID/status', () => {
  it('gives the peak in bytes', () => {
    expect(parsePeak('Name:\tnode\nVmPeak:\t  999999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n')).toBe(2_097_152);
  });
  it('of a kernel thread is no number', () => {
    expect(parsePeak('Name:\tkthreadd\n')).toBeNaN();
  });
});

it('tells what this process has used, and nothing of one that is not there', async () => {
  const usage = await usageOf(process.pid);
  expect(usage?.cpuSeconds).toBeGreaterThan(0);
  expect(usage?.peakBytes).toBeGreaterThan(10_000_000);
  expect(await usageOf(2 ** 22 + 1)).toBeUndefined();
});
