const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '5');
const at = (n: number): Date => new Date(Date.now() - 60_000 + (n % 60_000));

/** A line of each format, by its number. */
const formats: Readonly<Record<string, (n: number) => object>> = {
  pino: (n) => ({
    level: 30,
    time: at(n).getTime(),
    pid: 1,
    hostname: 'web-1',
    reqId: `r-${n}`,
    msg: 'done',
  }),
  'Serilog CLEF': (n) => ({
    '@t': at(n).toISOString(),
    '@mt': 'Order {Id} done',
    '@l': 'Warning',
    '@tr': hex(n, 32),
    '@sp': hex(n, 16),
    Id: n,
  }),
  ECS: (n) => ({
    '@timestamp': at(n).toISOString(),
    log: { level: 'info', logger: 'a.B' },
    message: 'done',
    service: { name: 'pay' },
    host: { name: 'web-1' },
    trace: { id: hex(n, 32) },
  }),
  'log4j2 JsonLayout': (n) => ({
    instant: { epochSecond: Math.floor(at(n).getTime() / 1000), nanoOfSecond: 589_793_238 },
    thread: 'main',
    level: 'INFO',
    loggerName: 'com.example.Orders',
    message: 'done',
    contextMap: { traceId: hex(n, 32), spanId: hex(n, 16) },
  }),
  Monolog: (n) => ({
    message: 'done',
    context: { order: n },
    level: 200,
    level_name: 'INFO',
    channel: 'shop',
    datetime: at(n).toISOString().replace('Z', '+00:00'),
    extra: {},
  }),
  journald: (n) => ({
    __REALTIME_TIMESTAMP: String(at(n).getTime() * 1000),
    _HOSTNAME: 'node-1',
    PRIORITY: '6',
    SYSLOG_IDENTIFIER: 'app',
    _PID: '12',
    MESSAGE: 'done',
  }),
  'Kubernetes, JSON inside': (n) => ({
    '@timestamp': at(n).toISOString(),
    stream: 'stdout',
    log: `${JSON.stringify({ level: 'info', msg: 'done', trace_id: hex(n, 32) })}\n`,
    kubernetes: { pod_name: 'web-1', namespace_name: 'prod', host: 'node-7', labels: { app: 'web' } },
  }),
  'Google Cloud': (n) => ({
    insertId: 'a',
    logName: 'projects/p/logs/stdout',
    jsonPayload: { message: 'done', order: n },
    timestamp: at(n).toISOString(),
    severity: 'INFO',
    trace: `projects/p/traces/${hex(n, 32)}`,
  }),
  'nginx, no message': (n) => ({
    time_iso8601: at(n).toISOString(),
    remote_addr: '192.0.2.7',
    request: `GET /orders/${n} HTTP/1.1`,
    status: '200',
    request_time: '0.012',
  }),
  'a zone by name': (n) => ({
    timestamp: at(n).toISOString().replace('T', ' ').replace('Z', ' CET'),
    level: 'INFO',
    message: 'done',
  }),
};

/** Lines of each format, with its name. */
export function sampleLines(count: number): [format: string, lines: string[]][] {
  return Object.entries(formats).map(([format, make]) => [
    format,
    Array.from({ length: count }, (_, n) => JSON.stringify(make(n))),
  ]);
}
