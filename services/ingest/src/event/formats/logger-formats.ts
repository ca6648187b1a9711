import { innerFields } from '../field-names.ts';
import type { EventFormat } from './event-format.ts';

/** The formats of libraries that write logs. */
export const loggerFormats: readonly EventFormat[] = [
  {
    name: 'Serilog CLEF',
    source: 'https://clef-json.org',
    has: [['@t']],
    fields: {
      timestamp: ['@t'],
      level: ['@l'],
      message: ['@m', '@mt'],
      traceId: ['@tr'],
      spanId: ['@sp'],
      service: ['Application', 'ApplicationName'],
      host: ['MachineName'],
    },
  },
  {
    name: 'Serilog JSON',
    source: 'https://github.com/serilog/serilog-formatting-compact',
    has: [
      ['Timestamp', 'MessageTemplate'],
      ['@timestamp', 'messageTemplate'],
    ],
    fields: {
      message: ['RenderedMessage'],
      service: ['Properties.Application', 'Properties.ApplicationName', 'fields.Application'],
      host: ['Properties.MachineName', 'fields.MachineName'],
    },
  },
  {
    name: 'bunyan',
    source: 'https://github.com/trentm/node-bunyan#core-fields',
    has: [['v', 'pid', 'hostname', 'name']],
    fields: { service: ['service', 'name'] },
  },
  {
    name: 'loguru',
    source: 'https://loguru.readthedocs.io/en/stable/api/logger.html#message',
    has: [['text', 'record.level', 'record.message']],
    fields: {
      timestamp: ['record.time.timestamp', 'record.time.repr'],
      level: ['record.level.name', 'record.level.no'],
      message: ['record.message'],
    },
    lifts: { 'record.extra': { fields: innerFields } },
    levels: 'python',
  },
  {
    name: 'Python logging',
    source: 'https://docs.python.org/3/library/logging.html#logrecord-attributes',
    has: [
      ['levelno', 'created'],
      ['levelname', 'created'],
    ],
    fields: { timestamp: ['created'] },
  },
  {
    name: 'Monolog',
    source: 'https://seldaek.github.io/monolog/doc/message-structure.html',
    has: [['level_name', 'level']],
    fields: { level: ['level_name', 'level'] },
    levels: 'monolog',
  },
  {
    name: 'tslog',
    source: 'https://tslog.js.org',
    has: [['_meta.logLevelName'], ['_meta.logLevelId']],
    fields: {
      timestamp: ['_meta.date'],
      level: ['_meta.logLevelName', '_meta.logLevelId'],
      message: ['message', '0'],
      host: ['_meta.hostname'],
      service: ['_meta.name'],
    },
    levels: 'tslog',
  },
  {
    name: 'log15',
    source: 'https://pkg.go.dev/github.com/inconshreveable/log15#JsonFormat',
    has: [['t', 'lvl', 'msg']],
    fields: { timestamp: ['t'] },
  },
  {
    name: 'zap, development',
    source: 'https://pkg.go.dev/go.uber.org/zap#NewDevelopmentEncoderConfig',
    has: [['T', 'L', 'M']],
    fields: { timestamp: ['T'], level: ['L'], message: ['M'] },
  },
  {
    name: 'log4js',
    source: 'https://log4js-node.github.io/log4js-node/layouts.html',
    has: [['categoryName', 'level.levelStr']],
    fields: { timestamp: ['startTime'], level: ['level.levelStr'] },
    make: ({ data }) => ({ message: Array.isArray(data) ? data.map(String).join(' ') : undefined }),
  },
];
