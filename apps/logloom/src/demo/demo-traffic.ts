/** A source of numbers in [0, 1), such as seededRandom returns. */
export type Random = () => number;

/** Equal seeds give equal traffic. mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A log event of the demo shop; `atMs` is when it happens, in ms after its request began. */
export interface DemoEvent {
  atMs: number;
  level: string;
  service: string;
  host: string;
  message: string;
  traceId: string;
  spanId: string;
  attributes: Record<string, unknown>;
}

interface Call {
  service: string;
  operation: string;
  /** The typical duration of its own work, in ms. */
  ms: number;
  calls: Call[];
  /** How often it fails, after how many ms, and with which message. */
  failure?: { rate: number; ms: number; message: string; status?: number };
}

const db = (table: string, ms: number): Call => ({
  service: 'db',
  operation: `SELECT ${table}`,
  ms,
  calls: [],
});

const payment: Call = {
  service: 'payment',
  operation: 'authorize card',
  ms: 120,
  calls: [],
  failure: {
    rate: 0.12,
    ms: 800,
    message: 'time out waiting for the card network after 800 ms',
    status: 504,
  },
};

/** What the shop's customers do, how often, and which services take part. */
const requests: { weight: number; method: string; path: string; call: Call }[] = [
  {
    weight: 55,
    method: 'GET',
    path: '/products',
    call: { service: 'catalog', operation: 'list products', ms: 12, calls: [db('products', 6)] },
  },
  {
    weight: 20,
    method: 'GET',
    path: '/search',
    call: {
      service: 'search',
      operation: 'search products',
      ms: 35,
      calls: [{ service: 'catalog', operation: 'load products', ms: 8, calls: [db('products', 5)] }],
    },
  },
  {
    weight: 15,
    method: 'POST',
    path: '/cart/items',
    call: {
      service: 'cart',
      operation: 'add item',
      ms: 9,
      calls: [
        {
          service: 'inventory',
          operation: 'reserve stock',
          ms: 11,
          calls: [db('stock', 7)],
          failure: { rate: 0.04, ms: 40, message: 'stock row is locked by another transaction' },
        },
      ],
    },
  },
  {
    weight: 10,
    method: 'POST',
    path: '/checkout',
    call: {
      service: 'checkout',
      operation: 'place order',
      ms: 25,
      calls: [
        { service: 'inventory', operation: 'commit stock', ms: 10, calls: [db('stock', 8)] },
        payment,
        { service: 'shipping', operation: 'create label', ms: 30, calls: [] },
      ],
    },
  },
];

const maxTries = 3;

/** One request through the shop: the gateway, the services behind it and retries of failed calls, in order of time. */
export function makeRequest(random: Random): DemoEvent[] {
  const traceId = hexDigits(random, 32);
  const userId = `user-${Math.floor(random() * 500)}`;
  const { method, path, call } = pick(random);
  // One request in twenty meets a slow service; all of that service's work takes longer.
  const slowness = random() < 0.05 ? 8 + random() * 12 : 1;
  const events: DemoEvent[] = [];

  const log = (
    atMs: number,
    service: string,
    spanId: string,
    level: string,
    message: string,
    attributes: object = {},
  ): void => {
    const host = `${service}-${1 + (parseInt(traceId.slice(0, 2), 16) % 3)}`;
    events.push({ atMs, level, service, host, message, traceId, spanId, attributes: { ...attributes } });
  };

  /** Runs a call from `start` on; returns when it ended and whether it went well. */
  const run = (current: Call, start: number, parentSpanId: string): { end: number; ok: boolean } => {
    const spanId = hexDigits(random, 16);
    const work = current.ms * slowness * (0.5 + random());
    log(start, current.service, spanId, 'debug', `${current.operation} started`, { parentSpanId });
    let at = start + work / 2;
    for (const next of current.calls) {
      for (let attempt = 1; ; attempt++) {
        const result = run(next, at, spanId);
        at = result.end + 1;
        if (result.ok) break;
        if (attempt === maxTries) {
          log(
            at,
            current.service,
            spanId,
            'error',
            `${current.operation} failed: ${next.service} gave up after ${maxTries} tries`,
          );
          return { end: at, ok: false };
        }
        log(
          at,
          current.service,
          spanId,
          'warn',
          `${next.service} failed, retrying (${attempt} of ${maxTries})`,
          { attempt },
        );
        at += 50 * 2 ** attempt;
      }
    }
    at += work / 2;
    if (current.failure !== undefined && random() < current.failure.rate) {
      at = Math.max(at, start + current.failure.ms);
      log(at, current.service, spanId, 'error', `${current.operation}: ${current.failure.message}`, {
        operation: current.operation,
        ...(current.failure.status === undefined ? {} : { http: { status: current.failure.status } }),
      });
      return { end: at, ok: false };
    }
    const durationMs = Math.round((at - start) * 10) / 10;
    log(
      at,
      current.service,
      spanId,
      durationMs > 500 ? 'warn' : 'info',
      `${current.operation} done in ${durationMs} ms`,
      { durationMs },
    );
    return { end: at, ok: true };
  };

  const spanId = hexDigits(random, 16);
  log(0, 'gateway', spanId, 'info', `${method} ${path}`, { http: { method, path }, user: { id: userId } });
  const { end, ok } = run(call, 1, spanId);
  const status = ok ? 200 : 503;
  log(
    end + 1,
    'gateway',
    spanId,
    ok ? 'info' : 'error',
    `${method} ${path} → ${status} in ${Math.round(end + 1)} ms`,
    {
      http: { method, path, status },
      durationMs: Math.round(end + 1),
    },
  );
  return events.sort((a, b) => a.atMs - b.atMs);
}

function pick(random: Random): (typeof requests)[number] {
  let at = random() * requests.reduce((sum, request) => sum + request.weight, 0);
  return requests.find((request) => (at -= request.weight) < 0) ?? requests[0]!;
}

/** So many random hexadecimal digits. */
export function hexDigits(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0');
  return text;
}
