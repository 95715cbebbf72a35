export type { AccessAttributes } from './access-attributes.ts';
export type { AttachCall, ExecCall, KubeletProvider, LogsCall, PortForwardCall } from './provider.ts';
export { startKubeletServer, type KubeletServer, type KubeletServerOptions } from './server.ts';
export type { KubeletTls } from './tls-listener.ts';
export type { User } from './user.ts';
