import type Docker from 'dockerode';

/** Removes all containers and volumes of a site, as after a test that killed its sidecar for good. @returns how many. */
export async function removeSite(docker: Docker, site: string): Promise<number> {
  const filters = { label: [`interlink.eu/site=${site}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  await Promise.all(volumes.map(({ Name }) => docker.getVolume(Name).remove({ force: true })));
  return containers.length + volumes.length;
}
