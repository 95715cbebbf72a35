import type { X509Certificate } from 'node:crypto';

/** Who calls, in the terms of TokenReview and SubjectAccessReview. */
export interface User {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** The API server puts every user that it has authenticated into this group; so does the kubelet. */
const authenticated = 'system:authenticated';

/**
 * The user that a client certificate stands for: the common name, and as groups the organizations. Undefined for one
 * without a name, and for one that has expired since its connection was opened.
 */
export function userOf(certificate: X509Certificate, now: number): User | undefined {
  if (now < certificate.validFromDate.getTime() || now > certificate.validToDate.getTime()) return undefined;
  // Not the `subject` text: there a line break inside a value looks like one more organization.
  const { CN, O } = certificate.toLegacyObject().subject;
  const name = valuesOf(CN).at(-1);
  return name ? { name, groups: [...valuesOf(O), authenticated] } : undefined;
}

function valuesOf(field: string | string[] | undefined): string[] {
  return field === undefined ? [] : [field].flat();
}
