import type { Setting } from '../setting.ts';
import { fileSetting } from './file-setting.ts';
import type { FileValue } from './file-value.ts';

type TlsName = 'CA' | 'CERT' | 'KEY' | 'KEY_PASSPHRASE';
type TlsSettings<Prefix extends string> = {
  readonly [Name in `${Prefix}_${TlsName}`]: Setting<FileValue | undefined>;
};

/** The certificates for an engine, PEM: whom the client trusts, and what it shows itself. */
export function tlsSettings<Prefix extends string>(prefix: Prefix, engine: string): TlsSettings<Prefix> {
  const declare = (name: TlsName, bounds: string | undefined, description: string) => [
    `${prefix}_${name}`,
    fileSetting(`${prefix}_${name}`, {
      ...(bounds !== undefined && { bounds, isValid: isPem }),
      description,
    }),
  ];
  return Object.fromEntries([
    declare(
      'CA',
      'PEM',
      `certificates that the one of ${engine} must be signed by; unset: those that Node.js trusts`,
    ),
    declare('CERT', 'PEM', `client certificate for ${engine}, followed by its intermediate ones`),
    declare('KEY', 'PEM', `private key of ${prefix}_CERT`),
    declare('KEY_PASSPHRASE', undefined, `passphrase of ${prefix}_KEY`),
  ]) as TlsSettings<Prefix>;
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

/** The values of tlsSettings(). Plain data. */
export interface TlsValues {
  ca?: FileValue | undefined;
  cert?: FileValue | undefined;
  key?: FileValue | undefined;
  passphrase?: FileValue | undefined;
}

/** The values of the settings with this prefix. */
export function tlsValues<Prefix extends string>(
  prefix: Prefix,
  values: { readonly [Name in `${Prefix}_${TlsName}`]: FileValue | undefined },
): TlsValues {
  const of = (name: TlsName): FileValue | undefined => values[`${prefix}_${name}`];
  return { ca: of('CA'), cert: of('CERT'), key: of('KEY'), passphrase: of('KEY_PASSPHRASE') };
}

/** The name of one of the settings that is given; undefined: none is. */
export function givenTls({ ca, cert, key, passphrase }: TlsValues): string | undefined {
  return (ca ?? cert ?? key ?? passphrase)?.setting;
}

/** What is wrong with the values of the settings with this prefix taken together. */
export function tlsProblems(prefix: string, { cert, key, passphrase }: TlsValues): string[] {
  if ((cert === undefined) !== (key === undefined))
    return [`${prefix}_CERT and ${prefix}_KEY belong together: give both`];
  return passphrase !== undefined && key === undefined
    ? [`${prefix}_KEY_PASSPHRASE: there is no ${prefix}_KEY`]
    : [];
}
