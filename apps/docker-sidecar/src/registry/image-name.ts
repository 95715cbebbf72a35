import { InterlinkError } from '@interlink/contract';

/** The grammar of image references (the distribution project's). */
const alphaNumeric = '[a-z0-9]+';
const separator = '(?:[._]|__|[-]+)';
const component = `${alphaNumeric}(?:${separator}${alphaNumeric})*`;
const domainPart = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = new RegExp(`^(?:${domainPart}(?:\\.${domainPart})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`);
const path = new RegExp(`^${component}(?:/${component})*$`);
const tagShape = /^\w[\w.-]{0,127}$/;
const digestShape = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const maxRepository = 255;

export interface ImageName {
  /** With tag or digest, as the engine is asked for it: without either it would pull every tag. */
  readonly reference: string;
  /** `host[:port]/path`, with Docker Hub's short names filled in. */
  readonly repository: string;
}

/** An image name that can never be pulled; in the kubelet's words. */
export class InvalidImageName extends InterlinkError {
  constructor(image: string, why: string) {
    super('Invalid', `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`);
  }
}

/** @throws InvalidImageName */
export function parseImageName(image: string): ImageName {
  if (/^[0-9a-f]{64}$/.test(image)) {
    throw new InvalidImageName(image, `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  }
  const at = image.indexOf('@');
  const digest = at < 0 ? undefined : image.slice(at + 1);
  const named = at < 0 ? image : image.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const repository = fullRepository(hasTag ? named.slice(0, colon) : named);
  const [host = '', ...rest] = repository.split('/');
  const remote = rest.join('/');
  if (remote.toLowerCase() !== remote) {
    throw new InvalidImageName(image, `invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const wellFormed =
    domain.test(host) &&
    path.test(remote) &&
    (tag === undefined || tagShape.test(tag)) &&
    (digest === undefined || digestShape.test(digest));
  if (!wellFormed) throw new InvalidImageName(image, 'invalid reference format');
  if (repository.length > maxRepository)
    throw new InvalidImageName(image, `repository name must not be more than ${maxRepository} characters`);
  return { reference: tag === undefined && digest === undefined ? `${image}:latest` : image, repository };
}

/** `busybox` is docker.io/library/busybox; `host[:port]/...` names a registry, anything else is Docker Hub's. */
function fullRepository(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (slash < 0 || (!/[.:]/.test(first) && first !== 'localhost' && first.toLowerCase() === first)) {
    return `docker.io/${slash < 0 ? `library/${name}` : name}`;
  }
  if (first !== 'index.docker.io' && first !== 'docker.io') return name;
  const rest = name.slice(slash + 1);
  return `docker.io/${rest.includes('/') ? rest : `library/${rest}`}`;
}
