import { setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { Pod } from '@interlink/contract';
import { dialer, podHost, type PodReach } from '../probes/check.ts';
import { httpGet } from '../probes/check-http.ts';
import { careFor, portOf, type Handler } from '../probes/settings.ts';

/** @returns why the hook failed, in the kubelet's words; undefined when it is done. Never throws. */
export async function runHandler(
  pod: Pod,
  reach: PodReach,
  handler: Handler,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name, namespace, uid } = pod.metadata;
  const whose = `for Container "${reach.container.name}" in Pod "${name}_${namespace}(${uid})" failed - error:`;
  const { exec, httpGet: http, sleep: pause } = handler;
  if (exec) {
    const command = (exec.command ?? []).map(reach.text);
    const failed = `Exec lifecycle hook ([${command.join(' ')}]) ${whose}`;
    try {
      const { exitCode, stdout, stderr } = await reach.engine.run(reach.fact.id, command, signal);
      if (exitCode === 0) return undefined;
      const output = JSON.stringify(stdout + stderr);
      return `${failed} command '${command.join(' ')}' exited with ${exitCode}: , message: ${output}`;
    } catch (error) {
      return `${failed} ${messageOf(error)}, message: ""`;
    }
  }
  if (http) {
    const failed = `HTTP lifecycle hook (${http.path ?? ''}) ${whose}`;
    const port = portOf(http.port, careFor(reach.container).ports);
    if (port === undefined) return `${failed} no port "${http.port}"`;
    const target = (scheme: string | null | undefined) => ({
      ...{ action: { ...http, scheme }, host: podHost(reach), port, purpose: 'lifecycle' },
    });
    const dial = dialer(reach, signal);
    try {
      // Any answer will do.
      await httpGet(target(http.scheme), dial, signal).catch((error: unknown) => {
        if (!isPlainHttp(error)) throw error;
        // As the kubelet: a server that speaks no TLS is asked again without.
        return httpGet(target('HTTP'), dial, signal);
      });
      return undefined;
    } catch (error) {
      return `${failed} ${messageOf(error)}`;
    }
  }
  if (pause) {
    const done = await sleep(pause.seconds * 1000, true, { signal }).catch(() => false);
    const failed = `Sleep lifecycle hook (${pause.seconds}) ${whose}`;
    return done ? undefined : `${failed} container terminated before sleep hook finished`;
  }
  // tcpSocket was never more than a name; the kubelet fails on it too.
  return `Cannot run handler: invalid handler: ${JSON.stringify(handler)}`;
}

function isPlainHttp(error: unknown): boolean {
  const code: unknown = isNativeError(error) && 'code' in error ? error.code : undefined;
  return code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
}

function messageOf(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}
