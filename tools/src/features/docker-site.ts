import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeatureTarget } from '@interlink/conformance';
import {
  ensureBusybox,
  ensureEngine,
  ownAddress,
  runOrFail,
  startChain,
  startRegistry,
  step,
  type ControlPlane,
} from '@interlink/testbed';

const nodeName = 'features';
const device = { resource: 'example.com/null', path: '/dev/interlink-features-null' };
const claim = { namespace: 'feature-volumes-claim', name: 'home' };
const secondImage = { repo: 'interlink-features/second', tag: '1' };

/** A Docker site that allows what the rows need, and the chain in front of it. */
export async function startDockerSite(
  cluster: ControlPlane,
  dir: string,
  stops: (() => Promise<unknown>)[],
): Promise<FeatureTarget> {
  const engine = await ensureEngine();
  stops.push(() => engine.stop());
  const { docker } = engine;
  const { name: image } = await ensureBusybox(docker);
  await docker.getImage(image).tag(secondImage);
  stops.push(() => docker.getImage(`${secondImage.repo}:${secondImage.tag}`).remove({ force: true }));

  const [hostPath, home] = [join(dir, 'shared'), join(dir, 'home')];
  for (const folder of [hostPath, home]) await mkdir(folder, { recursive: true, mode: 0o777 });
  // The numbers of /dev/null: as good a device as any to be lent out.
  await runOrFail(['mknod', '-m', '666', device.path, 'c', '1', '3']);
  stops.push(() => runOrFail(['rm', '-f', device.path]));

  const registry = await startRegistry(join(dir, 'registry'));
  stops.push(() => registry.stop());
  const privateImage = await registry.push(docker, image, 'features/private:1');
  const { username, password } = registry.user;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');

  const chain = await step('starting the chain', () =>
    startChain({
      cluster,
      engine,
      nodeName,
      address: ownAddress(),
      site: `features-${process.pid}`,
      sidecar: {
        allow: { privileged: true },
        devices: { [device.resource]: { paths: [device.path] } },
        volumes: { hostPaths: [{ path: hostPath }], claims: [{ ...claim, hostPath: home }] },
      },
    }),
  );
  stops.push(() => chain.stop());
  return {
    kubectl: (args, options) => cluster.kubectl(args, options),
    nodeName,
    image,
    site: {
      hostPath,
      claim: claim.name,
      device: `${device.resource} ${device.path}`,
      otherImage: `${secondImage.repo}:${secondImage.tag}`,
      privateImage,
      privateImageConfig: JSON.stringify({ auths: { [registry.host]: { username, password, auth } } }),
    },
  };
}
