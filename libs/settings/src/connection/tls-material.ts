import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { UnusableValue, type Texts } from './live-values.ts';

export type TlsKey = 'ca' | 'cert' | 'key' | 'passphrase';

/** What a TLS client works with: the texts, for libraries that want these, and the context made of them. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  passphrase?: string;
  secureContext: SecureContext;
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The material of the settings with this prefix (`KAFKA_SSL`). Throws UnusableValue, with the setting that is wrong. */
export function makeTlsMaterial(prefix: string, texts: Texts<TlsKey>): TlsMaterial {
  const { ca, cert, key, passphrase } = texts;
  if (ca !== undefined) checkCertificates(`${prefix}_CA`, ca);
  if (cert !== undefined) checkCertificates(`${prefix}_CERT`, cert);
  if (key !== undefined) {
    try {
      createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
    } catch {
      throw new UnusableValue(
        passphrase === undefined ? `${prefix}_KEY` : `${prefix}_KEY, ${prefix}_KEY_PASSPHRASE`,
        'is not a private key in PEM that can be read so',
      );
    }
  }
  const given = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  };
  try {
    return { ...given, secureContext: createSecureContext(given) };
  } catch (error) {
    throw new UnusableValue(`${prefix}_CERT, ${prefix}_KEY`, (error as Error).message);
  }
}

function checkCertificates(setting: string, text: string): void {
  const blocks = text.match(certificate) ?? [];
  if (blocks.length === 0) throw new UnusableValue(setting, 'is not a certificate in PEM');
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    throw new UnusableValue(setting, 'has a certificate that cannot be read');
  }
}
