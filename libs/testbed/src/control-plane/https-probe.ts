import { request } from 'node:https';

export interface HttpsProbe {
  url: string;
  /** PEM. */
  authority: string;
  token?: string;
  signal: AbortSignal;
}

const answerTimeoutMs = 5_000;

/** Whether a GET answers 200. Fails where there is no answer. */
export async function answersOk({ url, authority, token, signal }: HttpsProbe): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    // No agent: a probe must not leave a connection behind that the next one finds half dead.
    const sent = request(
      url,
      { ca: authority, headers, signal, timeout: answerTimeoutMs, agent: false },
      (response) => {
        response.resume();
        response.once('error', reject);
        response.once('end', () => resolve(response.statusCode === 200));
      },
    );
    sent.once('timeout', () => sent.destroy(new Error(`${url}: no answer within ${answerTimeoutMs / 1000} s`)));
    sent.once('error', reject);
    sent.end();
  });
}
