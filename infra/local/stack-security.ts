import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { hasCommand, runCommand } from './run-command.ts';

/** A certificate and its private key, PEM. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** What the engines of a secured stack have in common: an authority of their own, and a user with a password. */
export interface StackSecurity {
  dir: string;
  /** The authority's certificate. */
  ca: string;
  user: string;
  /** Holds the password. */
  passwordFile: string;
  password: string;
  /** Of every server: for localhost and 127.0.0.1. */
  server: CertificateFiles;
  /** Of the user: its common name. */
  client: CertificateFiles;
  /** Makes another certificate. */
  issue: (name: string, options?: IssueOptions) => Promise<CertificateFiles>;
}

export interface IssueOptions {
  /** Default that of the name. */
  subject?: string;
  /** Names and addresses, as openssl has them. */
  altNames?: string;
  /** Negative: it expired. Default 30. */
  days?: number;
}

const user = 'logloom';

/** Makes an authority, certificates and a password in the folder, or takes up those of an earlier run. */
export async function createStackSecurity(dir: string, signal: AbortSignal): Promise<StackSecurity> {
  if (!(await hasCommand('openssl', ['version'])))
    throw new MissingPrerequisite('security', 'openssl', 'apt-get install openssl');
  await mkdir(dir, { recursive: true });
  const passwordFile = join(dir, 'password');
  if (!existsSync(passwordFile))
    await writeFile(passwordFile, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 });
  const ca = join(dir, 'ca.pem');
  const caKey = join(dir, 'ca.key');
  if (!existsSync(ca))
    await openssl(
      signal,
      '-subj',
      '/CN=Logloom local authority',
      '-days',
      '30',
      '-keyout',
      caKey,
      '-out',
      ca,
    );
  const issue: StackSecurity['issue'] = async (name, { subject, altNames, days = 30 } = {}) => {
    const files = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
    if (existsSync(files.cert)) return files;
    const extensions = altNames === undefined ? [] : ['-addext', `subjectAltName=${altNames}`];
    const authority = ['-CA', ca, '-CAkey', caKey, '-addext', 'basicConstraints=critical,CA:FALSE'];
    const out = ['-days', String(days), '-keyout', files.key, '-out', files.cert];
    await openssl(signal, '-subj', subject ?? `/CN=${name}`, ...authority, ...extensions, ...out);
    await chmod(files.key, 0o600);
    return files;
  };
  return {
    dir,
    ca,
    user,
    passwordFile,
    password: (await readFile(passwordFile, 'utf8')).trim(),
    server: await issue('server', { altNames: 'DNS:localhost,IP:127.0.0.1' }),
    client: await issue(user),
    issue,
  };
}

/** A new key of an elliptic curve and a certificate for it. */
async function openssl(signal: AbortSignal, ...args: string[]): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await runCommand('openssl', ['req', '-x509', ...key, ...args], signal);
}
