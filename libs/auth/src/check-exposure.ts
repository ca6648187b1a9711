import type { Settings } from './settings.ts';
import { SettingsError } from '@logloom/settings/settings-error';
import { isIP } from 'node:net';

/**
 * Throws SettingsError if everybody who reaches the machine could read the log: viewers are served on an address that is not loopback,
 * tokens are not required, and no setting says that this is intended.
 */
export function checkExposure({
  HOST,
  PUBLISHED_ON = HOST,
  LIVE_AUTH_JWKS,
  LIVE_ALLOW_NO_AUTH,
}: Pick<Settings, 'HOST' | 'PUBLISHED_ON' | 'LIVE_AUTH_JWKS' | 'LIVE_ALLOW_NO_AUTH'>): void {
  if (LIVE_AUTH_JWKS !== undefined || LIVE_ALLOW_NO_AUTH || isLoopback(PUBLISHED_ON)) return;
  throw new SettingsError([
    `${nameOf(HOST, PUBLISHED_ON)}: whoever reaches this address could read every event. Set LIVE_AUTH_JWKS to require tokens (docs/security.md), or LIVE_ALLOW_NO_AUTH=true if something else protects the port`,
  ]);
}

/** Throws SettingsError if everybody who reaches the machine could add events and no setting says that this is intended. */
export function checkIngestExposure({
  HOST,
  PUBLISHED_ON = HOST,
  INGEST_KEYS,
  INGEST_ALLOW_NO_AUTH,
}: Pick<Settings, 'HOST' | 'PUBLISHED_ON' | 'INGEST_KEYS' | 'INGEST_ALLOW_NO_AUTH'>): void {
  if (INGEST_KEYS !== undefined || INGEST_ALLOW_NO_AUTH || isLoopback(PUBLISHED_ON)) return;
  throw new SettingsError([
    `${nameOf(HOST, PUBLISHED_ON)}: whoever reaches this address could add events. Set INGEST_KEYS to require keys (docs/security.md), or INGEST_ALLOW_NO_AUTH=true if something else protects the ports`,
  ]);
}

function nameOf(host: string, publishedOn: string): string {
  return publishedOn === host ? `HOST=${host}` : `PUBLISHED_ON=${publishedOn}`;
}

export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === 'localhost' || host === '::1' || host.startsWith('::ffff:127.');
}
