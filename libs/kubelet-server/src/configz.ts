import type { RequestHandler } from 'express';

export const configzPath = '/configz';

/** What of a KubeletConfiguration means something here, with the values that hold. */
export function configz(address: string, port: () => number): RequestHandler {
  return (_request, response) => {
    response.json({
      kubeletconfig: {
        address,
        port: port(),
        authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: {} },
        authorization: { mode: 'Webhook', webhook: {} },
        enableServer: true,
        enableDebuggingHandlers: true,
        streamingConnectionIdleTimeout: '4h0m0s',
      },
    });
  };
}
