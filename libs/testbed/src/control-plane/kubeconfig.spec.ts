import { kubeconfigText } from './kubeconfig.ts';

describe('kubeconfigText', () => {
  it('holds everything itself and names its user and cluster consistently', () => {
    const text = kubeconfigText({ server: 'https://127.0.0.1:1', authority: 'CA', certificate: 'CERT', key: 'KEY' });
    const base64 = (content: string) => Buffer.from(content).toString('base64');
    expect(JSON.parse(text)).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'testbed', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': base64('CA') } },
      ],
      users: [{ name: 'user', user: { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') } }],
      contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: 'user' } }],
      'current-context': 'testbed',
    });
  });
});
