import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOrFail } from '../command.ts';

export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

export interface CertificateRequest {
  commonName: string;
  /** Kubernetes reads a client's groups here. */
  organizations?: readonly string[];
  usages: readonly ('clientAuth' | 'serverAuth')[];
  dnsNames?: readonly string[];
  ips?: readonly string[];
}

export interface CertificateAuthority extends CertificateFiles {
  /** Makes `name`.crt and `name`.key (0600) beside the authority's own. */
  issue(name: string, request: CertificateRequest): Promise<CertificateFiles>;
}

/** Makes a new authority in `dir`, good for a year. */
export async function createCertificateAuthority(dir: string, commonName: string): Promise<CertificateAuthority> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const make = async (name: string, config: string, signer: readonly string[]): Promise<CertificateFiles> => {
    if (!/^[A-Za-z0-9][\w.:-]*$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is no file name`);
    const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
    const configFile = join(dir, `${name}.cnf`);
    await writeFile(configFile, config);
    await runOrFail(
      ['openssl', 'req', '-x509', '-config', configFile, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
        .concat(['-nodes', '-days', '365', '-keyout', files.keyFile, '-out', files.certFile])
        .concat(signer),
    );
    return files;
  };
  const root = await make('ca', opensslConfig({ commonName }, authorityExtensions), []);
  const signer = ['-CA', root.certFile, '-CAkey', root.keyFile];
  return {
    ...root,
    issue: async (name, request) => make(name, opensslConfig(request, leafExtensions(request)), signer),
  };
}

const authorityExtensions = ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign'];

function leafExtensions({ usages, dnsNames = [], ips = [] }: CertificateRequest): string[] {
  const names = [...dnsNames.map((name) => `DNS:${name}`), ...ips.map((ip) => `IP:${ip}`)];
  return [
    'basicConstraints = critical, CA:FALSE',
    'keyUsage = critical, digitalSignature',
    `extendedKeyUsage = ${usages.join(', ')}`,
    ...(names.length > 0 ? [`subjectAltName = ${names.map(checked).join(', ')}`] : []),
  ];
}

/** A whole configuration of our own, for the machine's one adds extensions that make every certificate an authority. */
function opensslConfig(
  subject: Pick<CertificateRequest, 'commonName' | 'organizations'>,
  extensions: readonly string[],
): string {
  const { commonName, organizations = [] } = subject;
  return [
    '[req]',
    'prompt = no',
    'distinguished_name = subject',
    'x509_extensions = extensions',
    '[subject]',
    // The number in front tells several of one kind apart.
    ...organizations.map((name, i) => `${i}.O = ${checked(name)}`),
    `CN = ${checked(commonName)}`,
    '[extensions]',
    ...extensions,
    '',
  ].join('\n');
}

/** Names become lines of a configuration with its own meaning of $, \, #, quotes and commas. */
function checked(name: string): string {
  if (!/^[\w.:@/*-]+$/.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot be put into a certificate`);
  return name;
}
