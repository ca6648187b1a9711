import { isFileValue } from '@logloom/settings/connection';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Registry } from 'prom-client';
import { telemetryMetrics } from './own-metrics.ts';

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Registers when the certificates expire that settings hold, in files or as they are. A file is read when metrics are asked for, as it is
 * then. What is no certificate, such as a key, is left out.
 */
export function registerCertificateExpiry(
  { registry }: { registry: Registry },
  settings: Readonly<Record<string, unknown>>,
): void {
  const values = Object.values(settings).filter((value) => isFileValue(value));
  if (values.length === 0) return;
  telemetryMetrics.certificateExpiry.observe(registry, (set) => {
    for (const { setting, text, file } of values) {
      const expiresAtMs = firstExpiry(file === undefined ? text : readNow(file));
      if (expiresAtMs !== undefined) set(expiresAtMs / 1000, { setting });
    }
  });
}

/** Empty while the file cannot be read, which its user reports. */
function readNow(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Returns when the first of the certificates expires, ms since 1970; undefined where there is none. */
export function firstExpiry(text: string): number | undefined {
  const ends = (text.match(pem) ?? []).flatMap((one) => {
    try {
      return [Date.parse(new X509Certificate(one).validTo)];
    } catch {
      return [];
    }
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}
