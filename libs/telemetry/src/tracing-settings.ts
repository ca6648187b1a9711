/** Tracing as the standard variables configure it; plain data, so that it can be passed to a thread. */
export interface TracingSettings {
  exporters: readonly ExporterSettings[];
  sampler: { parentBased: boolean; root: 'on' | 'off' | 'ratio'; ratio: number };
  batch: { delayMs: number; timeoutMs: number; maxQueue: number; maxBatch: number };
  /** From OTEL_SERVICE_NAME, or service.name in OTEL_RESOURCE_ATTRIBUTES. */
  serviceName: string | undefined;
  resourceAttributes: Readonly<Record<string, string>>;
}

export type ExporterSettings =
  | {
      type: 'otlp';
      url: string;
      headers: Readonly<Record<string, string>>;
      timeoutMs: number;
      compression: 'gzip' | 'none';
    }
  | { type: 'zipkin'; url: string }
  | { type: 'console' };

type Env = Readonly<Record<string, string | undefined>>;

export interface TracingRequest {
  /** Undefined: tracing is off. */
  settings: TracingSettings | undefined;
  /** Values that were not understood. As the specification demands, they do not stop the start: the default is used. */
  warnings: string[];
}

/** The specification's default is 10 s; but a drain waits for an export, and may take only 2 s. */
const exportTimeoutMs = 2_000;

/**
 * Reads the OTEL_ variables for traces. They enable tracing by naming an exporter (OTEL_TRACES_EXPORTER) or an OTLP endpoint. OTLP has no
 * default endpoint here: it would be port 4318 of this machine, which is Logloom's own.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readTracingSettings(env: Env): TracingRequest {
  const warnings: string[] = [];
  const read = new Reader(env, warnings);
  const settings = read.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' ? undefined : readSettings(read);
  return { settings, warnings };
}

function readSettings(read: Reader): TracingSettings | undefined {
  const exporters = readExporters(read);
  if (exporters.length === 0) return undefined;
  const resourceAttributes = read.pairs('OTEL_RESOURCE_ATTRIBUTES');
  return {
    exporters,
    sampler: readSampler(read),
    batch: {
      delayMs: read.count('OTEL_BSP_SCHEDULE_DELAY', 5_000),
      timeoutMs: read.count('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
      maxQueue: read.count('OTEL_BSP_MAX_QUEUE_SIZE', 2_048),
      maxBatch: read.count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512),
    },
    serviceName: read.text('OTEL_SERVICE_NAME') ?? resourceAttributes['service.name'],
    resourceAttributes,
  };
}

function readExporters(read: Reader): ExporterSettings[] {
  const named = read.text('OTEL_TRACES_EXPORTER');
  const endpoint = otlpEndpoint(read);
  const names = named === undefined ? (endpoint === undefined ? [] : ['otlp']) : named.split(',');
  const exporters: ExporterSettings[] = [];
  for (const name of new Set(names.map((text) => text.trim().toLowerCase()))) {
    if (name === 'console') exporters.push({ type: 'console' });
    else if (name === 'zipkin') {
      const url = read.url('OTEL_EXPORTER_ZIPKIN_ENDPOINT') ?? 'http://localhost:9411/api/v2/spans';
      exporters.push({ type: 'zipkin', url });
    } else if (name === 'otlp' && endpoint !== undefined) exporters.push(readOtlp(read, endpoint));
    else if (name === 'otlp')
      read.warnings.push(
        'OTEL_TRACES_EXPORTER=otlp needs OTEL_EXPORTER_OTLP_ENDPOINT, or no traces are sent',
      );
    else if (name !== 'none')
      read.warnings.push(
        `OTEL_TRACES_EXPORTER: '${name}' is not one of otlp, zipkin, console, none; it is ignored`,
      );
  }
  return exporters;
}

/** The endpoint for traces is used unchanged; the one for all signals is a base URL. */
function otlpEndpoint(read: Reader): string | undefined {
  const own = read.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (own !== undefined) return own;
  const base = read.url('OTEL_EXPORTER_OTLP_ENDPOINT');
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`;
}

function readOtlp(read: Reader, url: string): ExporterSettings {
  const protocol = read.otlp('PROTOCOL');
  if (protocol !== undefined && protocol !== 'http/protobuf')
    read.warnings.push(`OTEL_EXPORTER_OTLP_PROTOCOL: '${protocol}' is not supported; http/protobuf is used`);
  return {
    type: 'otlp',
    url,
    headers: {
      ...read.pairs('OTEL_EXPORTER_OTLP_HEADERS'),
      ...read.pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
    },
    timeoutMs: read.count(
      'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
      read.count('OTEL_EXPORTER_OTLP_TIMEOUT', exportTimeoutMs),
    ),
    compression: read.otlp('COMPRESSION') === 'gzip' ? 'gzip' : 'none',
  };
}

const samplers: Readonly<Record<string, Pick<TracingSettings['sampler'], 'parentBased' | 'root'>>> = {
  always_on: { parentBased: false, root: 'on' },
  always_off: { parentBased: false, root: 'off' },
  traceidratio: { parentBased: false, root: 'ratio' },
  parentbased_always_on: { parentBased: true, root: 'on' },
  parentbased_always_off: { parentBased: true, root: 'off' },
  parentbased_traceidratio: { parentBased: true, root: 'ratio' },
};

function readSampler(read: Reader): TracingSettings['sampler'] {
  const fallback = 'parentbased_traceidratio';
  const name = read.text('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? fallback;
  const sampler = samplers[name];
  if (sampler === undefined)
    read.warnings.push(`OTEL_TRACES_SAMPLER: '${name}' is not supported; ${fallback} is used`);
  return { ...(sampler ?? samplers[fallback]!), ratio: read.ratio('OTEL_TRACES_SAMPLER_ARG', 1) };
}

/** Reads variables; an empty one counts as unset. */
class Reader {
  readonly warnings: string[];
  readonly #env: Env;

  constructor(env: Env, warnings: string[]) {
    this.#env = env;
    this.warnings = warnings;
  }

  text(name: string): string | undefined {
    const text = this.#env[name]?.trim();
    return text === '' ? undefined : text;
  }

  /** A setting of OTLP: the one for traces before the one for all signals. */
  otlp(name: string): string | undefined {
    const text = this.text(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? this.text(`OTEL_EXPORTER_OTLP_${name}`);
    return text?.toLowerCase();
  }

  url(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined || /^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
    this.warnings.push(`${name}: '${text}' is not an http URL; it is ignored`);
    return undefined;
  }

  count(name: string, fallback: number): number {
    return this.#number(name, fallback, /^\d{1,9}$/, (value) => value > 0, 'a positive whole number');
  }

  ratio(name: string, fallback: number): number {
    return this.#number(name, fallback, /^[\d.]+(e-?\d+)?$/i, (value) => value <= 1, 'a number from 0 to 1');
  }

  #number(
    name: string,
    fallback: number,
    form: RegExp,
    allows: (value: number) => boolean,
    what: string,
  ): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (form.test(text) && allows(Number(text))) return Number(text);
    this.warnings.push(`${name}: '${text}' is not ${what}; ${fallback} is used`);
    return fallback;
  }

  /** `a=1,b=2`, percent-encoded as in W3C Baggage. */
  pairs(name: string): Record<string, string> {
    const pairs: Record<string, string> = {};
    for (const pair of this.text(name)?.split(',') ?? []) {
      const [key = '', ...value] = pair.split('=');
      try {
        if (key.trim() === '' || value.length === 0) throw new Error('no pair');
        pairs[decodeURIComponent(key.trim())] = decodeURIComponent(value.join('=').trim());
      } catch {
        // It may contain a credential, so it is not repeated.
        this.warnings.push(`${name} is not a list of name=value; invalid items are ignored`);
      }
    }
    return pairs;
  }
}
