import { isIP } from 'node:net';
import { z } from 'zod';
import { unboundedIn } from './bounded-pattern.ts';
import { withoutSecrets } from './secrets.ts';
import { SettingsError } from './settings-error.ts';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const millis = (fallback: number, max = 86_400_000) =>
  z.coerce.number().int().min(1).max(max).default(fallback);
const count = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);
const retention = (store: string) =>
  z.coerce
    .number()
    .int()
    .min(60_000)
    .optional()
    .describe(`how long ${store} keeps events, by their own time; unset: for ever`);
const quota = (what: string) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe(`${what}, twice as much at once (docs/limits.md); unset: no limit`);
const noQuota = 'that has no quota of its own; past it 429';
const flag = () =>
  z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true');
const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
const url = (...protocols: string[]) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
      message: `is not a URL with ${protocols.join(' or ')}`,
    })
    .optional();

/** Each costs every event without an id a look at its message. */
const maxIdPatterns = 20;

/** Every setting: its environment variable, what it allows, its default and what it does. The order is that of `--help`. */
const schema = z.object({
  LOGLOOM_DATA: z.string().min(1).default('./data').describe('folder of the embedded store'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  PUBLISHED_ON: z
    .string()
    .min(1)
    .optional()
    .describe('address at which others reach the ports, where a container publishes them; default HOST'),
  ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .refine((names) => names.every((name) => /^[\w.*-]+$/.test(name)), {
      message: 'is not a list of names such as logs.example.com, without ports',
    })
    .describe(
      "names, besides localhost and addresses, that this server is called by, comma-separated; '*' stands for any text; requests by others get 421",
    ),
  INGEST_PORT: port(4318).describe('HTTP port for applications'),
  SYSLOG_PORT: port(5514).describe('syslog port, TCP and UDP; 0: no syslog'),
  LIVE_PORT: port(4380).describe('HTTP port for viewers and operators'),
  HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe("health and metrics of a service on its own; unset: the service's own port, 9101 to 9104"),
  KAFKA_BROKERS: z
    .string()
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .refine((brokers) => brokers.every((broker) => /^[^\s:]+:\d{1,5}$/.test(broker)), {
      message: 'is not a list of host:port',
    })
    .optional()
    .describe('Kafka bootstrap servers, comma-separated; unset: the embedded log'),
  SCHEMA_REGISTRY_URL: url('http:', 'https:').describe(
    'Confluent-compatible schema registry; unset: the built-in schemas',
  ),
  ELASTICSEARCH_URL: url('http:', 'https:').describe('Elasticsearch; unset: the embedded search store'),
  ELASTICSEARCH_INDEX_MODE: z
    .enum(['standard', 'logsdb'])
    .default('standard')
    .describe('how new indices are stored; logsdb takes half the room, and twice the time to write'),
  // Several hosts, which a URL does not know: mongodb://a:27017,b:27017/logs
  MONGODB_URL: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/[^\s/]+/, { message: 'is not a MongoDB connection string' })
    .optional()
    .describe('MongoDB; unset: the embedded archive'),
  REDIS_URL: url('redis:', 'rediss:').describe('Redis for jobs; unset: the embedded queue'),
  LOG_PARTITIONS: count(4, 1024).describe('partitions of each topic; fixed once the topics exist'),
  LOG_RETENTION_MS: z.coerce
    .number()
    .int()
    .min(60_000)
    .optional()
    .describe(
      'how long the log keeps records, and Kafka topics that are made; unset: embedded for ever, Kafka by its default',
    ),
  DEAD_LETTER_RETENTION_MS: z.coerce
    .number()
    .int()
    .min(60_000)
    .default(30 * 86_400_000)
    .describe('how long the embedded log keeps dead letters, where LOG_RETENTION_MS is not shorter'),
  SEARCH_RETENTION_MS: retention('the search store'),
  ARCHIVE_RETENTION_MS: retention('the archive'),
  INGEST_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 30)
    .optional()
    .describe(
      'largest request body, unpacked; unset: 128 MiB, or half of INGEST_MAX_PENDING_BYTES where that is less',
    ),
  INGEST_MAX_REQUEST_EVENTS: count(1_000_000, 100_000_000).describe('events in one request; past it 413'),
  // Four times as much with its index fields is what a MongoDB document holds.
  INGEST_MAX_EVENT_BYTES: count(2 ** 20, 2 ** 22).describe('largest single event'),
  INGEST_MAX_PENDING_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 34)
    .optional()
    .describe(
      'memory that requests in work may need at once before 429; unset: 512 MiB, or a quarter of what the heap or cgroup allows a thread where that is less',
    ),
  INGEST_KEYS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'YAML or JSON file of the keys that senders over HTTP need (docs/security.md), read again when it changes; unset: none',
    ),
  LOGLOOM_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('the key that the commands send with to a Logloom which asks for one, unless --key gives it'),
  INGEST_KEY_EVENTS_PER_SECOND: quota(`events a second of a key of INGEST_KEYS ${noQuota}`),
  INGEST_KEY_BYTES_PER_SECOND: quota(
    `bytes of bodies a second, unpacked, of a key of INGEST_KEYS ${noQuota}`,
  ),
  INGEST_SERVICE_EVENTS_PER_SECOND: quota(
    'events a second of a service that is not in INGEST_SERVICE_QUOTAS; past it 429',
  ),
  INGEST_SERVICE_BYTES_PER_SECOND: quota(
    'bytes a second of such a service, of its events as they are stored',
  ),
  INGEST_SERVICE_QUOTAS: z
    .string()
    .default('')
    .transform((text, context) => serviceQuotas(list(text), context))
    .describe(
      'quotas of single services, the first that fits: service=events a second/bytes a second, comma-separated; * for any text, - for no limit',
    ),
  INGEST_ADDRESS_EVENTS_PER_SECOND: quota(
    'events a second from one address, where no key is asked for: syslog, and HTTP without INGEST_KEYS',
  ),
  INGEST_ADDRESS_BYTES_PER_SECOND: quota('bytes a second from one address, likewise'),
  INGEST_ADDRESS_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('connections from one address, of HTTP and of syslog over TCP each; unset: no limit'),
  INGEST_MAX_CONNECTIONS: count(10_000, 1_000_000).describe('HTTP connections at once; more are refused'),
  INGEST_REQUEST_MS: millis(300_000).describe(
    'a request that has not arrived whole after so long is cut off',
  ),
  INGEST_RECORD_SENDERS: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe(
      "whether the log keeps each event's sender, key and address, in the headers of its record; viewers never get them",
    ),
  INGEST_ALLOW_NO_AUTH: flag().describe(
    'true: events are taken without keys also where HOST is not loopback; no effect with INGEST_KEYS',
  ),
  INGEST_REDACT: z
    .string()
    .default('')
    .transform(list)
    .refine((names) => names.every((name) => ['card', 'token', 'email'].includes(name)), {
      message: 'is not a list of card, token and email',
    })
    .describe(
      'secrets that are taken out of events before they are stored: card,token,email (docs/security.md)',
    ),
  INGEST_REDACT_FIELDS: z
    .string()
    .default('')
    .transform(list)
    .describe('fields whose values are taken out, comma-separated; * for any text without a dot'),
  INGEST_REDACT_PATTERNS: z
    .string()
    .default('')
    .transform((text) => text.split('\n').filter((line) => line !== ''))
    .superRefine((lines, context) => {
      for (const line of lines) {
        const [, name = '', pattern = ''] = /^([a-z][a-z0-9-]{0,31})=(.+)$/s.exec(line) ?? [];
        if (name === '' || !isPattern(pattern))
          context.addIssue('is not a list of name=regular expression, one a line');
        else if (unboundedIn(pattern) !== undefined) context.addIssue(`${name} ${unboundedIn(pattern)}`);
      }
    })
    .describe('what else is taken out: name=regular expression, one a line, of a subset that is never slow'),
  SYSLOG_MAX_CONNECTIONS: count(1000, 10_000).describe(
    'syslog connections over TCP at once; more are refused',
  ),
  SYSLOG_IDLE_MS: millis(3_600_000, 7 * 86_400_000).describe(
    'a syslog connection is closed after so long without a byte',
  ),
  INGEST_ID_PATTERNS: z
    .string()
    .default('\\b(req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\\b')
    .transform((text) => text.split('\n').filter((line) => line !== ''))
    .superRefine((patterns, context) => {
      if (patterns.length > maxIdPatterns) context.addIssue(`has more than ${maxIdPatterns} patterns`);
      for (const pattern of patterns) {
        const reason = isPattern(pattern) ? unboundedIn(pattern) : 'is not a regular expression';
        if (reason !== undefined) context.addIssue(`${pattern} ${reason}`);
      }
    })
    .describe(
      'regular expressions that find a correlation id in the first 16,384 characters of a message, one a line, of a subset that is never slow; group 1 is the id',
    ),
  CORRELATION_IDLE_MS: millis(5_000).describe('a session closes after so long without an event'),
  CORRELATION_MAX_MS: millis(30_000).describe('a session closes at this age'),
  CORRELATION_GRACE_MS: millis(30_000).describe(
    'how long after its first close a late event still revises it',
  ),
  CORRELATION_MAX_EVENTS: count(10_000, 1_000_000).describe('a session closes at so many events'),
  CORRELATION_MAX_GROUPS: count(1_000_000, 100_000_000).describe(
    'open sessions a partition; past it the oldest is closed',
  ),
  CORRELATION_MEMORY_BYTES: z.coerce
    .number()
    .int()
    .min(2 ** 20)
    .max(2 ** 40)
    .optional()
    .describe(
      'what open requests may take in memory, shared evenly by the partitions; past it the oldest are closed; unset: a quarter of what the process has',
    ),
  CORRELATION_RULES: z
    .string()
    .optional()
    .describe(
      'YAML file of correlation rules (docs/rules.md), taken over again whenever it changes; unset: none',
    ),
  LIVE_FLUSH_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(25)
    .describe('longest wait before events go to viewers; none while there is little to do'),
  LIVE_BUFFER_BYTES: count(2 ** 20, 2 ** 30).describe(
    'bytes that may wait for one viewer; from half of it on it gets samples, then counts',
  ),
  LIVE_TOTAL_BUFFER_BYTES: count(512 * 2 ** 20, 2 ** 40).describe(
    'bytes that may wait for all viewers of a process together',
  ),
  LIVE_WORKERS: count(1, 64).describe(
    'processes that serve viewers, sharing LIVE_PORT; more than one needs Linux',
  ),
  LIVE_WORKER_FROZEN_MS: millis(10_000).describe(
    'one of LIVE_WORKERS that has not answered its supervisor for so long is killed and replaced',
  ),
  LIVE_DRAIN_MS: millis(3_000, 600_000).describe(
    'over how long a stopping server sends its viewers away, in waves',
  ),
  LIVE_MAX_VIEWERS: count(20_000, 10_000_000).describe('viewers a process; past it 503'),
  LIVE_MAX_HANDSHAKES: count(1_000, 1_000_000).describe(
    'viewers a process who may wait to be let in; past it 503',
  ),
  API_THREADS: count(2, 16).describe(
    'threads that answer searches in the one-process mode; with two or more, one client never holds all of them',
  ),
  LIVE_DURABLE_NAMES: count(1_000, 1_000_000).describe(
    'durable names of one principal; unused for 7 days, a name is forgotten',
  ),
  LIVE_DURABLE_BYTES: count(64 * 2 ** 20, 2 ** 34).describe(
    'what all durable names take, with their filters; a quarter of it of one principal',
  ),
  LIVE_REQUEST_MS: millis(30_000).describe(
    'a request to viewers, search or health that has not arrived whole after so long is cut off',
  ),
  LIVE_MAX_MESSAGE_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .max(2 ** 20)
    .default(65_536)
    .describe('largest message of a viewer'),
  LIVE_MAX_SUBSCRIPTIONS: count(100, 10_000).describe('subscriptions a connection'),
  LIVE_MESSAGES_PER_SECOND: count(100, 1_000_000).describe(
    'messages of one viewer a second; twice as many at once',
  ),
  LIVE_SUBSCRIBES_PER_SECOND: count(20, 1_000_000).describe(
    'subscribe messages of one viewer a second; twice as many as it may have subscriptions at once',
  ),
  LIVE_ADDRESS_CONNECTIONS: count(1_000, 10_000_000).describe(
    'viewers a process from one address; like the next, not for loopback',
  ),
  LIVE_ADDRESS_MESSAGES_PER_SECOND: count(2_000, 10_000_000).describe('messages a second from one address'),
  LIVE_TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform(list)
    .refine((proxies) => proxies.every(isNetwork), {
      message: 'is not a list of addresses, networks such as 10.0.0.0/8, loopback, linklocal or uniquelocal',
    })
    .describe("proxies whose X-Forwarded-For tells a viewer's address, comma-separated"),
  LIVE_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform(list)
    .refine((origins) => origins.every((origin) => origin === '*' || isOrigin(origin)), {
      message: 'is not a list of origins such as https://logs.example.com',
    })
    .describe("pages of other origins that may connect, comma-separated; '*' for all"),
  LIVE_FILTER_TERMS: count(64, 64).describe("conditions in a viewer's filter"),
  LIVE_FILTER_DEPTH: count(32, 32).describe("nesting of a viewer's filter"),
  LIVE_FILTER_WILDCARDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(4096)
    .default(64)
    .describe("wildcards in a viewer's filter"),
  LIVE_AUTH_JWKS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'keys of the tokens: a JWKS, as a file or an http(s) URL; set, every viewer and search needs a token',
    ),
  LIVE_AUTH_ISSUER: z.string().min(1).optional().describe('the `iss` that a token must have; unset: any'),
  LIVE_AUTH_AUDIENCE: z.string().min(1).optional().describe('the `aud` that a token must have; unset: any'),
  LIVE_AUTH_FILTER_CLAIM: z
    .string()
    .min(1)
    .default('logloom_filter')
    .describe('the claim with the filter that a token imposes'),
  LOGLOOM_TOKEN: z
    .string()
    .min(1)
    .optional()
    .describe('the token that the commands show to a Logloom which asks for one, unless --token gives it'),
  LIVE_AUTH_REQUIRE_FILTER: flag().describe('true: a token that imposes no filter is refused'),
  LIVE_ALLOW_NO_AUTH: flag().describe(
    'true: viewers are served without tokens also where HOST is not loopback; no effect with LIVE_AUTH_JWKS',
  ),
  AUDIT_READS: flag().describe(
    'true: a log line for each API request and live subscription says who read what, from which address',
  ),
  CURSOR_KEY: z
    .string()
    .min(32)
    .optional()
    .describe(
      'secret of at least 32 characters that cursors of searches are sealed with, the same for all processes that serve /api; unset: a key in LOGLOOM_DATA',
    ),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe("level of Logloom's own log"),
});

export type Settings = Readonly<z.infer<typeof schema>>;

/** Reads the settings from environment variables; an empty one counts as unset. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new SettingsError(
    result.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name}=${withoutSecrets(name, given[name] ?? '')}: ${message}`;
    }),
  );
}

/** Each setting's name, default (as text, or undefined) and meaning, for `--help` and the docs. */
export function describeSettings(): { name: string; default: string | undefined; description: string }[] {
  const defaults = schema.parse({});
  return Object.entries(schema.shape).map(([name, field]) => {
    // A list of rules has no default.
    const value = defaults[name as keyof Settings] as string | number | boolean | string[] | undefined;
    return {
      name,
      default: value === undefined ? undefined : String(value),
      description: field.description ?? '',
    };
  });
}

/** What one of INGEST_SERVICE_QUOTAS says; a rate that is not given is not limited. */
export interface ServiceQuota {
  /** A name; `*` stands for any text. */
  service: string;
  eventsPerSecond: number | undefined;
  bytesPerSecond: number | undefined;
}

function serviceQuotas(entries: readonly string[], context: z.RefinementCtx): ServiceQuota[] {
  const rate = (text: string | undefined): number | undefined =>
    text === undefined || text === '-' ? undefined : Number(text);
  return entries.flatMap((entry) => {
    const match = /^(.+)=(-|[1-9]\d{0,11})(?:\/(-|[1-9]\d{0,11}))?$/.exec(entry);
    if (match === null) {
      context.addIssue(`${entry} is not service=events/bytes, such as checkout-*=5000/2000000 or audit=-`);
      return [];
    }
    const [, service = '', events, bytes] = match;
    return [{ service, eventsPerSecond: rate(events), bytesPerSecond: rate(bytes) }];
  });
}

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.toLowerCase();
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
