import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';

/** Removes all containers and volumes of a site, as after a test that killed its sidecar for good. @returns how many. */
export async function removeSite(docker: Docker, site: string): Promise<number> {
  const filters = { label: [`interlink.eu/site=${site}`] };
  let removed = 0;
  // Some may be on their way out already; they are seen until they are gone.
  for (let rounds = 0; rounds < 100; rounds++) {
    const containers = await docker.listContainers({ all: true, filters });
    if (containers.length === 0) break;
    const removals = containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }));
    removed += (await Promise.allSettled(removals)).filter(({ status }) => status === 'fulfilled').length;
    await sleep(50);
  }
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  await Promise.all(volumes.map(({ Name }) => docker.getVolume(Name).remove({ force: true })));
  return removed + volumes.length;
}
