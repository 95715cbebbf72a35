import { InterlinkError } from '@interlink/contract';
import { createLogger } from './log.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  let line = '';
  write(
    createLogger({ name: 'spec', version: '1', level: 'info', destination: { write: (text) => void (line = text) } }),
  );
  return JSON.parse(line) as Record<string, unknown>;
}

it('writes service, level by name and ISO time', () => {
  expect(logged((log) => log.info({ pod: 'ns/p', uid: 'u' }, 'hello'))).toMatchObject({
    level: 'info',
    service: 'spec',
    pod: 'ns/p',
    uid: 'u',
    msg: 'hello',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
  });
});

it('masks credentials at any depth', () => {
  const text = JSON.stringify(
    logged((log) =>
      log.info({
        headers: { Authorization: 'Bearer s3cret', cookie: 's3cret', accept: 'shown' },
        a: { b: { c: { accessToken: 's3cret', password: 's3cret' } } },
        pod: { spec: { containers: [{ name: 'shown', env: [{ name: 'SHOWN', value: 's3cret' }] }] } },
        request: {
          secrets: [{ metadata: { name: 'shown' }, data: { k: 's3cret' } }],
          projectedvolumesmaps: [{ data: { token: 's3cret' } }],
        },
        object: { kind: 'Secret', stringData: { k: 's3cret' } },
        note: 'sent Bearer s3cret to it',
      }),
    ),
  );
  expect(text).not.toContain('s3cret');
  expect(text.match(/shown/gi)).toHaveLength(4);
});

it('keeps code, message and causes of an error, but nothing of its request', () => {
  const axios = Object.assign(new Error('refused with Bearer s3cret'), {
    code: 'ECONNREFUSED',
    config: { headers: { authorization: 's3cret' } },
    request: { s3cret: 1 },
  });
  const err = new InterlinkError('Unavailable', 'sidecar does not answer', { cause: axios });
  const line = logged((log) => log.warn({ err }, 'create failed'));
  expect(line['err']).toEqual({
    type: 'InterlinkError',
    code: 'Unavailable',
    message: 'sidecar does not answer',
    cause: { type: 'Error', code: 'ECONNREFUSED', message: 'refused with Bearer [masked]' },
  });
});
