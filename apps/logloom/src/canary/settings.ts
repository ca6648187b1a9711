import { customSetting, declareSettings, InvalidValue, numberSetting, urlSetting } from '@logloom/settings';

const http = ['http:', 'https:'] as const;

/** The settings of the canary alone. CANARY and CANARY_SECRET, which every service reads, are in libs/auth. */
export const canarySettings = declareSettings(
  { owner: 'apps/logloom', prefixes: ['CANARY_'] },
  {
    CANARY_INTERVAL_MS: numberSetting({
      unit: 'ms',
      min: 100,
      max: 3_600_000,
      default: 10_000,
      description: 'how often the canary sends two events to each receiver',
    }),
    CANARY_LOST_AFTER_MS: numberSetting({
      unit: 'ms',
      min: 1_000,
      max: 300_000,
      default: 60_000,
      description:
        'an event of the canary that has not arrived after this long counts as lost; for documents CORRELATION_IDLE_MS is added',
    }),
    CANARY_INGEST_URL: urlSetting(http, 'where the canary sends over HTTP; unset: HOST and INGEST_PORT'),
    CANARY_SYSLOG: customSetting({
      bounds: 'host:port',
      read: readHostAndPort,
      description: 'where the canary sends syslog, over TCP and UDP; unset: HOST and SYSLOG_PORT',
    }),
    CANARY_SEARCH_URL: urlSetting(http, 'where the canary searches; unset: CANARY_VIEWERS_URL'),
    CANARY_VIEWERS_URL: urlSetting(http, 'where the canary watches as a viewer; unset: HOST and LIVE_PORT'),
  },
);

function readHostAndPort(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new InvalidValue('must be host:port');
  return { host, port: Number(port) };
}
