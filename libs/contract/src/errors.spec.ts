import { errorCatalogue, InterlinkError, isCode, type ErrorCode } from './errors.ts';

const codes = Object.keys(errorCatalogue) as ErrorCode[];

describe('InterlinkError', () => {
  it.each(codes)('%s crosses a hop unchanged, whatever the status around it', (code) => {
    const sent = new InterlinkError(code, 'spec.hostNetwork is not supported', { field: 'spec.hostNetwork' });
    for (const status of [sent.status, 500]) {
      const received = InterlinkError.fromResponse(status, JSON.stringify(sent.toBody()), 'sidecar');
      expect({ ...received.toBody(), status: received.status }).toEqual({ ...sent.toBody(), status: sent.status });
    }
  });

  it.each<[number, string, ErrorCode, boolean]>([
    [400, 'invalid request body\n', 'Malformed', false],
    [401, '', 'Unauthenticated', true],
    [403, '<html>oauth2-proxy</html>', 'Denied', true],
    [404, '404 page not found', 'NotFound', false],
    [410, '{"code":410}', 'Gone', false],
    [413, '', 'TooLarge', false],
    [422, '', 'Invalid', false],
    // What a classic plugin or a proxy means by these is not known: trying again is the safe reading.
    [500, 'HTTP InterLink session x: call exit status: 500', 'Unavailable', true],
    [502, '', 'Unavailable', true],
    [503, '', 'Unavailable', true],
    [599, '', 'Unavailable', true],
    [429, 'slow down', 'Unavailable', true],
    [418, '', 'Unavailable', true],
    [301, '', 'Unavailable', true],
    [204, '', 'Unavailable', true],
    [201, '[{"PodUID":"u"}]', 'Unavailable', true],
  ])('sorts a classic %i "%s" as %s', (status, body, code, retryable) => {
    const error = InterlinkError.fromResponse(status, body, 'sidecar');
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toBe(`sidecar answered ${status}: ${body.trim() || 'no text'}`);
  });

  it.each([
    ['a code that nobody knows', '{"code":"Teapot","message":"m"}'],
    ['no message', '{"code":"Invalid"}'],
    ['not an object', '"Invalid"'],
  ])('does not take a body for ours that has %s', (_, body) => {
    expect(InterlinkError.fromResponse(500, body, 'p').code).toBe('Unavailable');
  });

  it('keeps the text of a long answer short', () => {
    expect(InterlinkError.fromResponse(500, 'x'.repeat(1e6), 'p').message.length).toBeLessThan(600);
  });

  it('wraps any thrown value once', () => {
    const own = new InterlinkError('Gone', 'g');
    expect(InterlinkError.from(own, 'Unavailable')).toBe(own);
    const cause = new TypeError('t');
    expect(InterlinkError.from(cause)).toMatchObject({ code: 'Internal', message: 't', cause });
    expect(InterlinkError.from('text', 'Unavailable')).toMatchObject({ code: 'Unavailable', message: 'text' });
  });

  it('is told apart by code', () => {
    expect(isCode(new InterlinkError('Gone', ''), 'NotFound', 'Gone')).toBe(true);
    expect(isCode(new InterlinkError('Gone', ''), 'NotFound')).toBe(false);
    expect(isCode(Object.assign(new Error(), { code: 'Gone' }), 'Gone')).toBe(false);
  });
});
