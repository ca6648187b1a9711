/** What the other side's certificate is refused for, by the codes of Node.js and OpenSSL. */
const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
]);
const outdated = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
/** What the other side says about ours, as it is in the codes of OpenSSL's alerts. */
const refusedAlert =
  /ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(?:UNKNOWN|EXPIRED|REVOKED)|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|HANDSHAKE_FAILURE)/;

export interface TlsFaultNames {
  /** Of the settings with the certificates, such as `KAFKA_SSL`. */
  prefix: string;
  /** The setting that says where the engine is. */
  address: string;
  /** What turns TLS on, in words, such as `KAFKA_SSL=true`. */
  on: string;
}

/**
 * Why a connection failed in TLS, with the setting that says otherwise; undefined where it failed for another reason. Looks through the
 * causes of an error.
 */
export function tlsFault(error: unknown, { prefix, address, on }: TlsFaultNames): string | undefined {
  for (const { code, message } of chain(error)) {
    // Kafka's protocol errors have a number.
    if (typeof code !== 'string') continue;
    if (untrusted.has(code))
      return `its certificate is not signed by one that is trusted: ${prefix}_CA (${code})`;
    if (outdated.has(code)) return `its certificate is not valid now: ${code}`;
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return `its certificate is for other names than the one in ${address}: ${altNames(message)}`;
    if (refusedAlert.test(code))
      return `it refuses the client certificate, or wants one: ${prefix}_CERT, ${prefix}_KEY (${code})`;
    if (/^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|TLSV1_ALERT_RECORD_OVERFLOW)$/.test(code))
      return `it does not speak TLS, but ${on}`;
    if (code.startsWith('ERR_SSL_')) return `TLS failed: ${code} (${prefix}_CA, ${prefix}_CERT)`;
  }
  return undefined;
}

function altNames(message: string): string {
  return message.replace(/^.*?altnames: /s, '').slice(0, 300);
}

/** The error and what caused it; kafkajs and others keep the code at any depth. */
export function* chain(error: unknown): Generator<Error & { code?: unknown }> {
  const waiting: unknown[] = [error];
  for (let depth = 0; waiting.length > 0 && depth < 16; depth++) {
    const at = waiting.shift();
    if (!(at instanceof Error)) continue;
    const { cause, errors, originalError, meta } = at as {
      cause?: unknown;
      errors?: unknown[];
      originalError?: unknown;
      meta?: { meta?: unknown };
    };
    yield at;
    waiting.push(cause, originalError, meta, ...(Array.isArray(errors) ? errors : []));
  }
}
