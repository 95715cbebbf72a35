import { request } from 'node:https';

export interface HttpsGet {
  readonly port: number;
  readonly path: string;
  /** PEM: who may have signed the server's certificate. */
  readonly ca: string;
  readonly token?: string;
}

/** One GET to a server on loopback, on a connection of its own. */
export async function httpsGet({ port, path, ca, token }: HttpsGet): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const call = request({ host: '127.0.0.1', port, path, ca, headers, agent: false, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.once('timeout', () => call.destroy(new Error(`${path}: no answer`)));
    call.once('error', reject);
    call.end();
  });
}
