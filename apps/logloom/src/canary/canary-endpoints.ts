import { isIP } from 'node:net';
import type { Settings } from '../settings.ts';

/** Where the canary sends and watches. */
export interface CanaryEndpoints {
  ingest: string;
  /** Undefined: syslog is off. */
  syslog: { host: string; port: number } | undefined;
  search: string;
  viewers: string;
}

/** The endpoints that the settings name; by default those of the same machine. */
export function canaryEndpoints(settings: Settings): CanaryEndpoints {
  const { CANARY_INGEST_URL, CANARY_VIEWERS_URL, CANARY_SEARCH_URL, CANARY_SYSLOG } = settings;
  const { HOST, INGEST_PORT, LIVE_PORT, SYSLOG_PORT } = settings;
  const host = reachable(HOST);
  const viewers = CANARY_VIEWERS_URL ?? urlOf(host, LIVE_PORT);
  return {
    ingest: CANARY_INGEST_URL ?? urlOf(host, INGEST_PORT),
    viewers,
    search: CANARY_SEARCH_URL ?? viewers,
    syslog: CANARY_SYSLOG ?? (SYSLOG_PORT === 0 ? undefined : { host, port: SYSLOG_PORT }),
  };
}

function urlOf(host: string, port: number): string {
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** What listens on every address is reachable on loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
