import { InterlinkError } from '@interlink/contract';

/**
 * A file's path below its volume's root, without empty and `.` components. The path comes from users and is joined to
 * a directory of the site, so whatever could leave that directory is refused (`Invalid`, naming `field`). A first
 * component that begins with `..` is refused too: Kubernetes reserves those names for the atomic swap of contents.
 */
export function volumePath(path: string, field: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const leaves = path.startsWith('/') || parts.includes('..') || path.includes('\0') || path.includes('\\');
  if (leaves || parts.length === 0 || parts[0]?.startsWith('..')) {
    throw new InterlinkError('Invalid', `"${path}" is not a relative path inside the volume`, { field });
  }
  return parts.join('/');
}
