import { fieldOf, setField, type LayoutSource, type TextEvent } from './layout.ts';
import { addMembers, takeTrailingObject, useLinesBelow } from './refine.ts';

const androidLevels = { V: 'trace', D: 'debug', I: 'info', W: 'warn', E: 'error', F: 'fatal', A: 'fatal' };
const glogLevels = { I: 'info', W: 'warn', E: 'error', F: 'fatal', D: 'debug', V: 'debug' };
const dotnetLevels = {
  trce: 'trace',
  dbug: 'debug',
  info: 'info',
  warn: 'warn',
  fail: 'error',
  crit: 'fatal',
};

/** `[orders] [nio-8080-exec-1] [trace-span] c.e.OrderController`, of which each bracket may be missing. */
function refineSpring(event: TextEvent): boolean {
  const { header, sleuth } = event;
  delete event['header'];
  delete event['sleuth'];
  const groups: string[] = [];
  let rest = String(header).trim();
  while (rest.startsWith('[')) {
    const end = rest.indexOf(']');
    if (end === -1) return false;
    groups.push(rest.slice(1, end).trim());
    rest = rest.slice(end + 1).trimStart();
  }
  // Where it was logged may stand behind the logger.
  rest = rest.replace(/\s+\[[^\]]*\]$/, '');
  if (/\s/.test(rest)) return false;
  setField(event, ['log', 'logger'], rest);
  if (typeof sleuth === 'string') {
    const [service, trace, span] = sleuth.split(',');
    setField(event, ['service'], service);
    setField(event, ['traceId'], trace);
    setField(event, ['spanId'], span);
  }
  const ids = /^(?:([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16}))?$/.exec(groups.at(-1) ?? 'none');
  if (ids !== null && groups.length > 1) {
    groups.pop();
    setField(event, ['traceId'], ids[1]);
    setField(event, ['spanId'], ids[2]);
  }
  if (groups.length > 1) setField(event, ['service'], groups[0]);
  setField(event, ['thread', 'name'], groups.at(-1));
  return true;
}

/** What frameworks and loggers of many languages write by default. */
export const appLayouts: readonly LayoutSource[] = [
  {
    name: 'spring-boot',
    title: 'Spring Boot 2 and 3, with tracing',
    pattern:
      '%{TIME} %{LEVEL:level}( [%{DATA:sleuth}])? %{INT:process.pid} --- %{DATA:header} : %{GREEDYDATA:message}',
    time: 'iso8601',
    refine: refineSpring,
    examples: [
      [
        '2025-03-14T09:26:53.589+01:00 ERROR 7 --- [shop] [main] [0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331] c.e.Pay : failed',
        {
          timestamp: '2025-03-14T08:26:53.589000Z',
          level: 'ERROR',
          service: 'shop',
          traceId: '0af7651916cd43dd8448eb211c80319c',
          spanId: 'b7ad6b7169203331',
          message: 'failed',
          thread: { name: 'main' },
          log: { logger: 'c.e.Pay' },
        },
      ],
      [
        '2025-03-14 09:26:53.589  INFO [shop,0af7651916cd43dd,b7ad6b7169203331] 7 --- [  main] c.e.Pay    : up',
        { service: 'shop', traceId: '0af7651916cd43dd', thread: { name: 'main' } },
      ],
    ],
  },
  {
    name: 'jul',
    title: 'java.util.logging, two lines',
    pattern: '%{TIME} %{LOGGER:log.logger} %{NOTSPACE:log.method}',
    time: ['%b %e, %Y %I:%M:%S %p', '%b %e, %Y, %I:%M:%S %p'],
    refine: (event, text) => {
      const second = /^[^\n]*\n([A-Z]{4,7}): ?/.exec(text);
      if (second === null) return false;
      event['level'] = second[1];
      event['message'] = text.slice(second[0].length);
      return true;
    },
    examples: [
      [
        'Mar 14, 2025 9:26:53 PM org.example.Main run\nWARNING: slow',
        {
          timestamp: '2025-03-14T21:26:53.000000Z',
          level: 'WARNING',
          message: 'slow',
          log: { logger: 'org.example.Main' },
        },
      ],
    ],
  },
  {
    name: 'jvm-unified',
    title: 'JVM, unified logging (-Xlog)',
    pattern:
      '[%{TIME}]([%{NUMBER:jvm.uptime_s}s])?[%{LEVEL:level}%{SPACE}][%{DATA:log.logger}] %{GREEDYDATA:message}',
    time: 'iso8601',
    refine: (_, text) => /^\[[^\]]*\](?:\[[\d.]+s\])?\[[a-z]+ *\]/.test(text),
    examples: [
      [
        '[2025-03-14T09:26:53.589+0000][info][gc,heap   ] GC(7) Pause Young',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'info',
          message: 'GC(7) Pause Young',
          log: { logger: 'gc,heap' },
        },
      ],
    ],
  },
  {
    name: 'jvm-uptime',
    title: 'JVM, unified logging without a time',
    pattern: '[%{NUMBER:jvm.uptime_s}s][%{LEVEL:level}%{SPACE}][%{DATA:log.logger}] %{GREEDYDATA:message}',
    examples: [['[0.589s][warning][gc] Using legacy GC', { level: 'warning', message: 'Using legacy GC' }]],
  },
  {
    name: 'minecraft',
    title: 'Minecraft and its like: [clock] [thread/LEVEL]',
    pattern: '[%{TIME}] [%{DATA:thread.name}/%{LEVEL:level}]( [%{DATA:log.logger}])?: %{GREEDYDATA:message}',
    examples: [
      [
        "[09:26:53] [Server thread/WARN]: Can't keep up!",
        { level: 'WARN', message: "Can't keep up!", thread: { name: 'Server thread' } },
      ],
    ],
  },
  {
    name: 'dotnet-console',
    title: '.NET, console logger',
    pattern: '(%{TIME} )?%{WORD:level}: %{LOGGER:log.logger}[%{INT:event.id}]%{GREEDYDATA:message}',
    levels: dotnetLevels,
    refine: (event, text) => {
      if (!Object.values<string>(dotnetLevels).includes(String(event['level']))) return false;
      event['message'] = String(event['message']).split('\n', 1)[0]!.trim();
      useLinesBelow(event, text);
      return true;
    },
    examples: [
      [
        'fail: Shop.Pay[13]\n      card refused\n      again',
        { level: 'error', message: 'card refused\nagain', log: { logger: 'Shop.Pay' }, event: { id: 13 } },
      ],
    ],
  },
  {
    name: 'nlog',
    title: 'NLog',
    pattern: '%{TIME}|%{LEVEL:level}|%{DATA:log.logger}|%{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '2025-03-14 09:26:53.5897|FATAL|Shop.Pay|gone',
        {
          timestamp: '2025-03-14T09:26:53.589700Z',
          level: 'FATAL',
          message: 'gone',
          log: { logger: 'Shop.Pay' },
        },
      ],
    ],
  },
  {
    name: 'monolog',
    title: 'Monolog, Laravel, Symfony',
    pattern: '[%{TIME}] %{DATA:log.logger}.%{LEVEL:level}: %{GREEDYDATA:message}',
    time: 'iso8601',
    refine: (event) => {
      const extra = takeTrailingObject(event);
      const context = takeTrailingObject(event);
      if (extra !== undefined) event[context === undefined ? 'context' : 'extra'] = extra;
      if (context !== undefined) event['context'] = context;
    },
    examples: [
      [
        '[2025-03-14 09:26:53] local.NOTICE: slow {"order":5} []',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'NOTICE',
          message: 'slow',
          log: { logger: 'local' },
          context: { order: 5 },
        },
      ],
    ],
  },
  {
    name: 'zap-console',
    title: 'zap, console encoder',
    pattern: '%{TIME}\t%{LEVEL:level}\t%{GREEDYDATA:message}',
    time: ['iso8601', 'epoch'],
    refine: (event) => {
      const [line, ...more] = String(event['message']).split('\n');
      const columns = line!.split('\t');
      const isPlace = (text: string | undefined): boolean => /^[\w./@-]+:\d+$/.test(text ?? '');
      if (columns.length > 2 && !isPlace(columns[0]) && isPlace(columns[1]))
        setField(event, ['log', 'logger'], columns.shift());
      if (columns.length > 1 && isPlace(columns[0])) setField(event, ['log', 'origin'], columns.shift());
      event['message'] = columns.join('\t');
      addMembers(event, takeTrailingObject(event) ?? {});
      event['message'] = [event['message'], ...more].join('\n');
    },
    examples: [
      [
        '2025-03-14T09:26:53.589Z\tWARN\tpay\tpay/card.go:12\tslow\t{"order": 5, "request_id": "r-1"}',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'WARN',
          message: 'slow',
          order: 5,
          request_id: 'r-1',
          log: { logger: 'pay', origin: 'pay/card.go:12' },
        },
      ],
    ],
  },
  {
    name: 'klog',
    title: 'klog and glog: Kubernetes, C++',
    pattern: '%{LETTER:level}%{TIME} %{INT:process.pid} %{DATA:log.origin}] %{GREEDYDATA:message}',
    time: ['%m%d %H:%M:%S', '%Y%m%d %H:%M:%S'],
    levels: glogLevels,
    refine: (event) => !/\s/.test(String(fieldOf(event, 'log.origin'))),
    examples: [
      [
        'W0314 09:26:53.589793       7 reflector.go:42] watch ended',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'warn',
          message: 'watch ended',
          process: { pid: 7 },
          log: { origin: 'reflector.go:42' },
        },
      ],
    ],
  },
  {
    name: 'cockroachdb',
    title: 'CockroachDB',
    pattern: '%{LETTER:level}%{TIME} %{INT:thread.id} %{GREEDYDATA:message}',
    time: '%y%m%d %H:%M:%S',
    levels: glogLevels,
    examples: [
      [
        'I250314 09:26:53.589793 7 server/node.go:12  [n1] started',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'info' },
      ],
    ],
  },
  {
    name: 'chromium',
    title: 'Chromium, Electron, CEF',
    pattern:
      '[(%{INT:process.pid}:%{INT:thread.id}:)?%{TIME}:%{LEVEL:level}:%{DATA:log.origin}] %{GREEDYDATA:message}',
    time: '%m%d/%H%M%S',
    levels: { VERBOSE1: 'debug', VERBOSE2: 'debug' },
    examples: [
      [
        '[7:12:0314/092653.589793:ERROR:browser.cc(12)] failed',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'ERROR',
          message: 'failed',
          log: { origin: 'browser.cc(12)' },
        },
      ],
    ],
  },
  {
    name: 'tornado',
    title: 'Tornado, Jupyter',
    pattern: '[%{LETTER:level} %{TIME} %{DATA:log.logger}] %{GREEDYDATA:message}',
    time: ['iso8601', '%y%m%d %H:%M:%S', '%H:%M:%S'],
    levels: { D: 'debug', I: 'info', W: 'warn', E: 'error', C: 'fatal' },
    examples: [
      [
        '[W 2025-03-14 09:26:53.589 ServerApp] slow',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'warn',
          message: 'slow',
          log: { logger: 'ServerApp' },
        },
      ],
      ['[E 250314 09:26:53 web:12] failed', { timestamp: '2025-03-14T09:26:53.000000Z', level: 'error' }],
    ],
  },
  {
    name: 'logrus-terminal',
    title: 'logrus on a terminal',
    pattern: [
      '%{WORD:level}[%{DIGITS:logrus.seconds}] %{GREEDYDATA:message}',
      '%{WORD:level}[%{TIME}] %{GREEDYDATA:message}',
    ],
    time: 'iso8601',
    levels: { PANI: 'fatal', FATA: 'fatal', ERRO: 'error', DEBU: 'debug', TRAC: 'trace' },
    refine: (_, text) => /^[A-Z]{4}\[/.test(text),
    examples: [
      [
        'ERRO[0012] failed                   order=5',
        { level: 'error', message: 'failed                   order=5' },
      ],
    ],
  },
  {
    name: 'ruby-logger',
    title: "Ruby's Logger, Ruby on Rails",
    pattern:
      '%{LETTER}, [%{TIME} #%{INT:process.pid}] %{WORD:level} -- %{DATA:service}:%{GREEDYDATA:message}',
    time: 'iso8601',
    levels: { ANY: 'info' },
    refine: (event) => {
      const tagged = /^\s*\[([0-9a-f]{8}-[0-9a-f-]{27})\] ?/.exec(String(event['message']));
      if (tagged !== null) event['requestId'] = tagged[1];
      event['message'] = String(event['message'])
        .slice(tagged?.[0].length ?? 0)
        .trimStart();
    },
    examples: [
      [
        'W, [2025-03-14T09:26:53.589793 #7]  WARN -- shop: slow',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'WARN',
          service: 'shop',
          message: 'slow',
          process: { pid: 7 },
        },
      ],
    ],
  },
  {
    name: 'sidekiq',
    title: 'Sidekiq',
    pattern:
      '%{TIME} pid=%{INT:process.pid} tid=%{NAME:thread.id}( class=%{NOTSPACE:sidekiq.class})?( jid=%{NAME:sidekiq.jid})?( elapsed=%{NUMBER:sidekiq.elapsed_s})? %{LEVEL:level}: %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'sidekiq',
    examples: [
      [
        '2025-03-14T09:26:53.589Z pid=7 tid=ox1 class=PayJob jid=a1b2 elapsed=0.5 INFO: done',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'INFO',
          message: 'done',
          sidekiq: { class: 'PayJob', jid: 'a1b2', elapsed_s: 0.5 },
        },
      ],
    ],
  },
  {
    name: 'rails-tagged',
    title: "Ruby on Rails: a request's id in front",
    pattern: '[%{UUID:requestId}] %{GREEDYDATA:message}',
    examples: [
      [
        '[0ad23ba5-7f0e-4f8a-9c3f-3b5d9a1e2c11] Completed 500 Internal Server Error in 7ms',
        { requestId: '0ad23ba5-7f0e-4f8a-9c3f-3b5d9a1e2c11' },
      ],
    ],
  },
  {
    name: 'python-basic',
    title: "Python's logging.basicConfig",
    pattern: '%{METHOD:level}:%{NAME:log.logger}:%{GREEDYDATA:message}',
    examples: [
      ['CRITICAL:shop.pay:gone', { level: 'CRITICAL', message: 'gone', log: { logger: 'shop.pay' } }],
    ],
  },
  {
    name: 'uvicorn',
    title: 'uvicorn',
    pattern: '%{METHOD:level}:     %{GREEDYDATA:message}',
    refine: (event, text) => /^[A-Z]+: {3,}\S/.test(text) && event['message'] !== '',
    examples: [
      [
        'INFO:     Application startup complete.',
        { level: 'INFO', message: 'Application startup complete.' },
      ],
    ],
  },
  {
    name: 'celery',
    title: 'Celery',
    pattern: '[%{TIME}: %{LEVEL:level}/%{NAME:process.name}] %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '[2025-03-14 09:26:53,589: ERROR/ForkPoolWorker-1] Task pay failed',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'ERROR',
          message: 'Task pay failed',
          process: { name: 'ForkPoolWorker-1' },
        },
      ],
    ],
  },
  {
    name: 'airflow',
    title: 'Apache Airflow',
    pattern: '[%{TIME}] {%{NOTSPACE:log.origin} %{LEVEL:level} - %{GREEDYDATA:message}',
    time: 'iso8601',
    refine: (event) => {
      const origin = String(fieldOf(event, 'log.origin'));
      if (!origin.endsWith('}')) return false;
      event['log'] = { origin: origin.slice(0, -1) };
      return true;
    },
    examples: [
      [
        '[2025-03-14T09:26:53.589+0000] {taskinstance.py:1138} WARNING - retry',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'WARNING',
          message: 'retry',
          log: { origin: 'taskinstance.py:1138' },
        },
      ],
    ],
  },
  {
    name: 'odoo',
    title: 'Odoo',
    pattern:
      '%{TIME} %{INT:process.pid} %{LEVEL:level} %{NOTSPACE:odoo.database} %{LOGGER:log.logger}: %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '2025-03-14 09:26:53,589 7 INFO shop odoo.modules.loading: Modules loaded.',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'INFO',
          message: 'Modules loaded.',
          odoo: { database: 'shop' },
        },
      ],
    ],
  },
  {
    name: 'nest',
    title: 'NestJS',
    pattern:
      '[Nest] %{INT:process.pid} - %{TIME} %{LEVEL:level}( [%{DATA:log.logger}])? %{GREEDYDATA:message}',
    levels: { LOG: 'info', VERBOSE: 'trace' },
    examples: [
      [
        '[Nest] 7  - 03/14/2025, 9:26:53 AM    WARN [PayService] slow',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'WARN',
          message: 'slow',
          log: { logger: 'PayService' },
        },
      ],
    ],
  },
  {
    name: 'android',
    title: 'Android logcat, threadtime',
    pattern:
      '%{TIME} %{INT:process.pid} %{INT:thread.id} %{LETTER:level} %{DATA:log.logger}:%{GREEDYDATA:message}',
    time: ['%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S'],
    levels: androidLevels,
    refine: (event) => void (event['message'] = String(event['message']).trimStart()),
    examples: [
      [
        '03-14 09:26:53.589  1702  2395 V WindowManager: Skipping AppWindowToken',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'trace',
          message: 'Skipping AppWindowToken',
          log: { logger: 'WindowManager' },
        },
      ],
    ],
  },
  {
    name: 'android-brief',
    title: 'Android logcat, brief and time',
    pattern:
      '(%{TIME} )?%{LETTER:level}/%{DATA:log.logger}\\(%{SPACE}%{INT:process.pid}\\): %{GREEDYDATA:message}',
    time: ['%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S'],
    levels: androidLevels,
    examples: [
      [
        '03-14 09:26:53.589 E/ActivityManager( 1702): ANR in com.example',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'error',
          message: 'ANR in com.example',
          process: { pid: 1702 },
        },
      ],
    ],
  },
  {
    name: 'healthapp',
    title: 'HealthApp: time|component|pid|text',
    pattern: '%{TIME}|%{NAME:log.logger}|%{INT:process.pid}|%{GREEDYDATA:message}',
    time: '%Y%m%d-%H:%M:%S:%L',
    examples: [
      [
        '20171224-0:0:3:84|Step_StandReportReceiver|30002312|REPORT : 7007',
        {
          timestamp: '2017-12-24T00:00:03.084000Z',
          message: 'REPORT : 7007',
          log: { logger: 'Step_StandReportReceiver' },
        },
      ],
    ],
  },
  {
    name: 'unreal',
    title: 'Unreal Engine',
    pattern:
      '[%{TIME}][%{SPACE}%{INT:unreal.frame}]%{WORD:log.logger}: (%{LEVEL:level}: )?%{GREEDYDATA:message}',
    time: '%Y.%m.%d-%H.%M.%S:%L',
    examples: [
      [
        '[2025.03.14-09.26.53:589][  7]LogNet: Warning: Connection timed out',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'Warning',
          message: 'Connection timed out',
          log: { logger: 'LogNet' },
        },
      ],
    ],
  },
  {
    name: 'github-actions',
    title: 'GitHub Actions',
    pattern: '%{TIME} ##[%{WORD:level}]%{GREEDYDATA:message}',
    time: 'iso8601',
    levels: { group: 'info', endgroup: 'info', section: 'info', command: 'info' },
    examples: [
      [
        '2025-03-14T09:26:53.5897932Z ##[error]Process completed with exit code 1.',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'error',
          message: 'Process completed with exit code 1.',
        },
      ],
    ],
  },
];
