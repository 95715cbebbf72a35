import type { Pod } from '@interlink/contract';
import { createWebSocketStream } from 'ws';
import type { KubeletProvider } from '../provider.ts';
import type { Forwarder } from './port-forward.ts';
import { forwardOverSpdy, spdyForwardProtocol } from './spdy-port-forward.ts';
import type { Upgrade } from './upgrade.ts';
import { channelForwardProtocols, forwardOverChannels, portsOf, tunnelProtocol } from './websocket/ws-port-forward.ts';

/** Port-forward, in any of its protocols. @throws InterlinkError while the answer is still HTTP */
export async function servePortForward(
  upgrade: Upgrade,
  { metadata: { namespace, name: podName, uid: podUID } }: Pod,
  provider: KubeletProvider,
  stop: AbortSignal,
): Promise<void> {
  const { session } = upgrade;
  const forwarder: Forwarder = {
    open: (port, signal) => provider.portForward({ podUID, namespace, podName, port, session }, signal),
    target: `pod ${podName}, uid ${podUID}`,
  };
  if (upgrade.kind === 'spdy') {
    const transport = upgrade.toSpdy(upgrade.choose([spdyForwardProtocol]));
    return forwardOverSpdy(transport, forwarder, stop);
  }
  const protocol = upgrade.choose([tunnelProtocol, ...channelForwardProtocols]);
  if (protocol === tunnelProtocol) {
    const ws = await upgrade.toWebSocket(protocol);
    return forwardOverSpdy(createWebSocketStream(ws), forwarder, stop);
  }
  const ports = portsOf(upgrade.query);
  return forwardOverChannels(await upgrade.toWebSocket(protocol), protocol, ports, forwarder, stop);
}
