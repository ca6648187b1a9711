import { createHash } from 'node:crypto';

/**
 * Identifies an alert: 16 hexadecimal digits of the SHA-256 over the rule's name and the key, sorted by field. The same rule and key always
 * have the same fingerprint.
 */
export function alertFingerprint(rule: string, key: Readonly<Record<string, string>> = {}): string {
  const sorted = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([rule, ...sorted]))
    .digest('hex')
    .slice(0, 16);
}
