import { makePod } from '../testing/jobs.ts';
import { nonRootProblem, securitySpec } from './security.ts';

function podWith(ofPod: object, ofContainer: object) {
  const pod = makePod({
    securityContext: ofPod,
    containers: [{ name: 'main', image: 'i', securityContext: ofContainer }],
  });
  const [container] = pod.spec.containers;
  if (container === undefined) throw new Error('no container');
  return { pod, container };
}

function specOf(ofPod: object, ofContainer: object, imageUser = '') {
  const { pod, container } = podWith(ofPod, ofContainer);
  return securitySpec(pod, container, imageUser);
}

describe('user and groups', () => {
  it.each<[string, object, object, string, string | undefined]>([
    ['the image decides', {}, {}, 'app:staff', undefined],
    ['the pod decides', { runAsUser: 7, runAsGroup: 8 }, {}, 'app', '7:8'],
    ['the container decides', { runAsUser: 7, runAsGroup: 8 }, { runAsUser: 0 }, '', '0:8'],
    ['the group of a user is the image’s', { runAsUser: 7 }, {}, '5:6', '7'],
    ['a group alone goes with the image’s user', { runAsGroup: 8 }, {}, 'app:staff', 'app:8'],
    ['a group alone goes with root', { runAsGroup: 8 }, {}, '', '0:8'],
  ])('%s', (_, ofPod, ofContainer, imageUser, user) => {
    expect(specOf(ofPod, ofContainer, imageUser).User).toBe(user);
  });

  it('every container is in the groups of the pod', () => {
    expect(specOf({ fsGroup: 5, supplementalGroups: [6, 5, 0] }, {}).HostConfig.GroupAdd).toEqual(['5', '6', '0']);
  });
});

describe('rights', () => {
  it.each<[object, object, object]>([
    [{}, {}, {}],
    [{}, { privileged: false, readOnlyRootFilesystem: false, allowPrivilegeEscalation: true }, {}],
    [{}, { privileged: true, readOnlyRootFilesystem: true }, { Privileged: true, ReadonlyRootfs: true }],
    [{}, { allowPrivilegeEscalation: false }, { SecurityOpt: ['no-new-privileges'] }],
    [{}, { capabilities: { add: ['SYS_TIME'], drop: ['ALL'] } }, { CapAdd: ['SYS_TIME'], CapDrop: ['ALL'] }],
    [{ seccompProfile: { type: 'Unconfined' } }, {}, { SecurityOpt: ['seccomp=unconfined'] }],
    [{ seccompProfile: { type: 'Unconfined' } }, { seccompProfile: { type: 'RuntimeDefault' } }, {}],
    [{ appArmorProfile: { type: 'Unconfined' } }, {}, { SecurityOpt: ['apparmor=unconfined'] }],
    [{ seLinuxOptions: { level: 's0:c1', type: 't' } }, {}, { SecurityOpt: ['label=type:t', 'label=level:s0:c1'] }],
  ])('pod %j, container %j', (ofPod, ofContainer, expected) => {
    expect(specOf(ofPod, ofContainer).HostConfig).toEqual(expected);
  });
});

describe('runAsNonRoot', () => {
  const where = '(pod: "pod_ns(u)", container: main)';
  const root = `container has runAsNonRoot and image will run as root ${where}`;

  it.each<[object, object, string, string | undefined]>([
    [{}, {}, '', undefined],
    [{ runAsNonRoot: false }, {}, '', undefined],
    [{ runAsNonRoot: true }, { runAsNonRoot: false }, '', undefined],
    [{ runAsNonRoot: true }, {}, '', root],
    [{}, { runAsNonRoot: true }, '0', root],
    [{}, { runAsNonRoot: true }, '0:7', root],
    [{ runAsNonRoot: true }, {}, '7:0', undefined],
    [{ runAsNonRoot: true, runAsUser: 7 }, {}, 'root', undefined],
    [
      { runAsNonRoot: true, runAsUser: 7 },
      { runAsUser: 0 },
      '7',
      `container's runAsUser breaks non-root policy ${where}`,
    ],
    [
      { runAsNonRoot: true },
      {},
      'app',
      `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${where}`,
    ],
  ])('pod %j, container %j, image user "%s"', (ofPod, ofContainer, imageUser, expected) => {
    const { pod, container } = podWith(ofPod, ofContainer);
    expect(nonRootProblem(pod, container, imageUser)).toBe(expected);
  });
});
