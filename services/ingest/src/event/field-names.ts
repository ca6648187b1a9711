/** The fields that ingest recognizes; a field's number is its slot while an event is normalized. */
export const slots = {
  timestamp: 0,
  level: 1,
  message: 2,
  service: 3,
  host: 4,
  correlationId: 5,
  requestId: 6,
  traceId: 7,
  sessionId: 8,
  spanId: 9,
  attributes: 10,
} as const;
export type SlotName = keyof typeof slots;
export const slotCount = 11;

/** The slot of a name that is an attribute. */
export const noSlot = -1;

/** The names of each field, the preferred one first: it wins when an event has several, and the others stay attributes. */
export const fieldNames: Readonly<Record<SlotName, readonly string[]>> = {
  timestamp: [
    'timestamp',
    '@timestamp',
    'time',
    'ts',
    'datetime',
    'dateTime',
    'eventTime',
    'event_time',
    'timeUnixNano',
    'date',
  ],
  level: [
    'level',
    'severity',
    'lvl',
    'log.level',
    'levelname',
    'loglevel',
    'log_level',
    'severity_text',
    'severityText',
    'severityNumber',
    'severity_number',
  ],
  message: ['message', 'msg', 'body', 'log', 'text'],
  service: ['service', 'service.name', 'serviceName', 'service_name', 'app', 'application', 'logger', 'name'],
  host: ['host', 'hostname', 'host.name', 'host.hostname'],
  correlationId: ['correlationId', 'correlation_id', 'correlation.id', 'correlationID', 'x-correlation-id'],
  requestId: [
    'requestId',
    'request_id',
    'request.id',
    'requestID',
    'reqId',
    'req_id',
    'x-request-id',
    'http.request.id',
  ],
  traceId: ['traceId', 'trace_id', 'trace.id', 'traceID', 'dd.trace_id'],
  sessionId: ['sessionId', 'session_id', 'session.id', 'sessionID'],
  spanId: ['spanId', 'span_id', 'span.id', 'spanID', 'dd.span_id'],
  attributes: ['attributes'],
};

/** Objects whose members are recognized by dotted names too: {"log":{"level":"info"}} is log.level. */
const containers = [
  'log',
  'service',
  'host',
  'trace',
  'span',
  'request',
  'session',
  'correlation',
  'dd',
  'http',
  'http.request',
];

/** Names that always mean the field: a value of the wrong type is an error. Under other names it is an attribute. */
const strictNames = new Set([
  'message',
  'msg',
  'service',
  'service.name',
  'serviceName',
  'host',
  'hostname',
  'host.name',
]);

/** The meaning of a name in an event. */
export interface FieldName {
  slot: number;
  /** The lowest rank wins. */
  rank: number;
  name: string;
  /** The name as the beginning of a JSON member: `,"name":`. */
  member: string;
  strict: boolean;
  container: boolean;
}

const maxRemembered = 10_000;

/**
 * Looks names up. It remembers the names of attributes, up to a limit, so that the usual ones are not quoted again for every event.
 */
export class NameTable {
  readonly #names = new Map<string, FieldName>();

  constructor() {
    for (const name of containers) this.#names.set(name, makeName(name, noSlot, 0, true));
    for (const [slot, names] of Object.entries(fieldNames))
      names.forEach((name, rank) => {
        const container = containers.includes(name);
        this.#names.set(name, makeName(name, slots[slot as SlotName], rank, container));
      });
  }

  /** Returns the meaning of a name. */
  find(name: string): FieldName {
    return this.#names.get(name) ?? this.#remember(name);
  }

  #remember(name: string): FieldName {
    const found = makeName(name, noSlot, 0, false);
    if (this.#names.size < maxRemembered && name.length <= 256) this.#names.set(name, found);
    return found;
  }
}

function makeName(name: string, slot: number, rank: number, container: boolean): FieldName {
  return { slot, rank, name, member: `,${JSON.stringify(name)}:`, strict: strictNames.has(name), container };
}
