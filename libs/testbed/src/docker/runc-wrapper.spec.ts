import { lacksSysResource } from './runc-wrapper.ts';

describe('lacksSysResource', () => {
  it.each([
    ['000001ffffffffff', false],
    ['000001fffeffffff', true],
    ['0000000001000000', false],
  ])('of CapBnd %s is %s', (bounding, lacks) => {
    expect(lacksSysResource(`Name:\tnode\nCapEff:\t0000000000000000\nCapBnd:\t${bounding}\n`)).toBe(lacks);
  });
});
