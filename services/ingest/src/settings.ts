import { serviceSettings } from '@logloom/runtime/settings';
import {
  customSetting,
  declareSettings,
  flagSetting,
  listSetting,
  numberSetting,
  optionalPortSetting,
  portSetting,
  textSetting,
  type ValuesOf,
} from '@logloom/settings';
import { fileSetting } from '@logloom/settings/connection';
import { idKinds } from '@logloom/schemas';
import { defaultPorts, type ReceiverPort } from './default-ports.ts';
import { readIdOrder, readJoins } from './event/id-order.ts';
import { readIdPatterns, readRedactPatterns } from './pattern-settings.ts';
import { httpReceiverNames } from './http/http-receiver-names.ts';
import { readFieldNames } from './event/read-field-names.ts';
import { readTimeZone } from './event/read-time-zone.ts';
import { readServiceQuotas } from './quotas/read-service-quotas.ts';

const noQuota = 'that has no quota of its own; more is refused with 429';
const quota = (unit: string, what: string) =>
  numberSetting({ unit, description: `${what}; bursts of twice as much (docs/limits.md); unset: no limit` });
/** A receiver that is on by itself, but not where it would let everybody in. */
const ownPort = (name: ReceiverPort, what: string, protection: string) =>
  optionalPortSetting(
    `${what}; 0: off; unset: ${defaultPorts[name]} if it is free, and off where INGEST_KEYS is set${protection}`,
  );
const streamConnections = (what: string) =>
  numberSetting({
    unit: 'connections',
    max: 10_000,
    default: 1000,
    description: `${what} at once; more are refused`,
  });
const streamIdle = (what: string) =>
  numberSetting({
    unit: 'ms',
    max: 7 * 86_400_000,
    default: 3_600_000,
    description: `${what} is closed after this long without a byte`,
  });
const events = 'events/s';
const bytes = 'bytes/s';

/** The settings of ingest alone. */
export const ingestSettings = declareSettings(
  { owner: 'services/ingest', prefixes: ['INGEST_', 'SYSLOG_', 'FORWARD_', 'GELF_'] },
  {
    INGEST_PORT: portSetting(4318, 'HTTP port for applications'),
    SYSLOG_PORT: portSetting(5514, 'syslog port, TCP and UDP; 0: no syslog'),
    OTLP_GRPC_PORT: optionalPortSetting(
      `port of OTLP/gRPC; 0: off; unset: ${defaultPorts.OTLP_GRPC_PORT} if it is free`,
    ),
    FORWARD_PORT: ownPort('FORWARD_PORT', 'port of Fluent Forward', ' without FORWARD_SHARED_KEY'),
    FORWARD_SHARED_KEY: fileSetting('FORWARD_SHARED_KEY', {
      description: 'what senders of Fluent Forward have to know; unset: nothing',
    }),
    FORWARD_MAX_CONNECTIONS: streamConnections('Fluent Forward connections'),
    FORWARD_IDLE_MS: streamIdle('a Fluent Forward connection'),
    GELF_PORT: ownPort('GELF_PORT', 'port of GELF, TCP and UDP', ''),
    GELF_MAX_CONNECTIONS: streamConnections('GELF connections over TCP'),
    GELF_IDLE_MS: streamIdle('a GELF connection'),
    SYSLOG_TLS_PORT: ownPort(
      'SYSLOG_TLS_PORT',
      'port of syslog over TLS, which needs SYSLOG_TLS_CERT and SYSLOG_TLS_KEY',
      ' without SYSLOG_TLS_CA',
    ),
    SYSLOG_TLS_CERT: fileSetting('SYSLOG_TLS_CERT', {
      bounds: 'PEM',
      description:
        'certificate of syslog over TLS, followed by its intermediate ones; unset: no syslog over TLS',
    }),
    SYSLOG_TLS_KEY: fileSetting('SYSLOG_TLS_KEY', {
      bounds: 'PEM',
      description: 'private key of SYSLOG_TLS_CERT',
    }),
    SYSLOG_TLS_CA: fileSetting('SYSLOG_TLS_CA', {
      bounds: 'PEM',
      description: 'certificates that those of senders must be signed by; unset: senders need none',
    }),
    INGEST_HTTP_RECEIVERS: listSetting({
      isItem: (name) => httpReceiverNames.includes(name),
      bounds: `${httpReceiverNames.join(', ')}, comma-separated`,
      description: 'protocols that are taken on INGEST_PORT; unset: all of them',
    }),
    INGEST_LOADTEST: flagSetting(
      true,
      'false: nobody may mark events as those of a load test; true: with INGEST_KEYS the keys that have `loadtest: true` may, without keys everybody',
    ),
    INGEST_MAX_BODY_BYTES: numberSetting({
      unit: 'bytes',
      max: 2 ** 30,
      description:
        'largest request body, unpacked; unset: 128 MiB, or half of INGEST_MAX_PENDING_BYTES if that is less',
    }),
    INGEST_MAX_REQUEST_EVENTS: numberSetting({
      unit: 'events',
      max: 100_000_000,
      default: 1_000_000,
      description: 'events in one request; more are refused with 413',
    }),
    // Four times as much with its index fields is what a MongoDB document holds.
    INGEST_MAX_EVENT_BYTES: numberSetting({
      unit: 'bytes',
      max: 2 ** 22,
      default: 2 ** 20,
      description: 'largest single event',
    }),
    INGEST_MAX_PENDING_BYTES: numberSetting({
      unit: 'bytes',
      max: 2 ** 34,
      description:
        'memory for all requests in progress; more are refused with 429; unset: 512 MiB, or a quarter of what the heap or cgroup allows a thread if that is less',
    }),
    INGEST_KEY_EVENTS_PER_SECOND: quota(events, `events per second of a key of INGEST_KEYS ${noQuota}`),
    INGEST_KEY_BYTES_PER_SECOND: quota(
      bytes,
      `bytes of unpacked bodies per second of a key of INGEST_KEYS ${noQuota}`,
    ),
    INGEST_SERVICE_EVENTS_PER_SECOND: quota(
      events,
      'events per second of a service that is not in INGEST_SERVICE_QUOTAS; more are refused with 429',
    ),
    INGEST_SERVICE_BYTES_PER_SECOND: quota(
      bytes,
      'bytes per second of a service that is not in INGEST_SERVICE_QUOTAS, of its events as they are stored',
    ),
    INGEST_SERVICE_QUOTAS: customSetting({
      default: '',
      bounds: 'service=events per second/bytes per second, comma-separated; * for any text, - for no limit',
      read: readServiceQuotas,
      description: 'quotas of single services; the first that matches applies',
    }),
    INGEST_ADDRESS_EVENTS_PER_SECOND: quota(
      events,
      'events per second from one address where no key is required: syslog, and HTTP without INGEST_KEYS',
    ),
    INGEST_ADDRESS_BYTES_PER_SECOND: quota(
      bytes,
      'bytes per second from one address where no key is required',
    ),
    INGEST_ADDRESS_CONNECTIONS: numberSetting({
      unit: 'connections',
      description:
        'connections from one address, for HTTP and for syslog over TCP separately; unset: no limit',
    }),
    INGEST_MAX_CONNECTIONS: numberSetting({
      unit: 'connections',
      max: 1_000_000,
      default: 10_000,
      description: 'HTTP connections at once; more are refused',
    }),
    INGEST_REQUEST_MS: numberSetting({
      unit: 'ms',
      max: 86_400_000,
      default: 300_000,
      description: 'a request that has not arrived completely after this long is cut off',
    }),
    INGEST_RECORD_SENDERS: flagSetting(
      true,
      "whether the log keeps each event's sender, key and address, in the headers of its record; viewers never get them",
    ),
    INGEST_REDACT: listSetting({
      isItem: (name) => ['card', 'token', 'email'].includes(name),
      bounds: 'card, token, email, comma-separated',
      description: 'secrets that are removed from events before they are stored (docs/security.md)',
    }),
    INGEST_REDACT_FIELDS: listSetting({
      description: 'fields whose values are removed; * for any text without a dot',
    }),
    INGEST_REDACT_PATTERNS: customSetting({
      default: '',
      bounds: 'name=regular expression, one per line, of a subset that is never slow',
      read: readRedactPatterns,
      description: 'other text that is removed from events before they are stored',
    }),
    SYSLOG_MAX_CONNECTIONS: streamConnections('syslog connections over TCP'),
    SYSLOG_IDLE_MS: streamIdle('a syslog connection'),
    FORMATS: textSetting({
      bounds: 'YAML file',
      description: 'formats of plain text of your own (docs/formats.md); unset: none',
    }),
    CORRELATION_ID_ORDER: customSetting({
      default: idKinds.join(','),
      bounds: `${idKinds.join(', ')}, comma-separated`,
      read: readIdOrder,
      description: 'the first of these ids that an event has is its correlation id',
    }),
    CORRELATION_JOINS: customSetting({
      default: 'correlationId,traceId,requestId',
      bounds: `${idKinds.join(', ')}, comma-separated; or none`,
      read: readJoins,
      description:
        'ids that join requests: an event that has two of them makes both one request (docs/ids.md)',
    }),
    INGEST_FIELD_NAMES: customSetting({
      default: '',
      bounds: 'field=name,name, one field per line; a dotted name is a nested one too',
      read: readFieldNames,
      description: 'names of fields in structured events that come before the known ones (docs/fields.md)',
    }),
    INGEST_TIME_ZONE: customSetting({
      default: 'UTC',
      bounds: 'a name such as Europe/Berlin or CET, or an offset such as +02:00',
      read: readTimeZone,
      description:
        'zone of times in structured events and syslog that name none; a sender over HTTP says another one with the header Logloom-Time-Zone (docs/fields.md); UTC: in syslog that of the process (TZ)',
    }),
    INGEST_ID_PATTERNS: customSetting({
      default:
        '\\b(req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\\b\n\\b(blk_-?\\d{1,20})\\b',
      bounds: 'regular expressions, one per line, of a subset that is never slow; group 1 is the id',
      read: readIdPatterns,
      description: 'patterns that find a correlation id in the first 16,384 characters of a message',
    }),
  },
);

/** The settings of ingest and of what it uses. */
export const settings = serviceSettings.with(ingestSettings);
export type Settings = ValuesOf<typeof settings>;

/** Reads them from variables. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return settings.parse(env);
}
