import { X509Certificate } from 'node:crypto';
import type { Registry } from 'prom-client';
import { telemetryMetrics } from './own-metrics.ts';

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Registers when certificates expire. `certificates` returns the PEM texts that are in use at present by the names of their settings;
 * it is called when metrics are asked for. What is no certificate, such as a key in the same file, is left out.
 */
export function registerCertificateExpiry(
  { registry }: { registry: Registry },
  certificates: () => Readonly<Record<string, string>>,
): void {
  telemetryMetrics.certificateExpiry.observe(registry, (set) => {
    for (const [setting, text] of Object.entries(certificates())) {
      const expiresAtMs = firstExpiry(text);
      if (expiresAtMs !== undefined) set(expiresAtMs / 1000, { setting });
    }
  });
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
