// Sends the lines of a test with a real client: the arguments are the client, its address, the number of lines and the service. It is run
// where its dependencies are installed.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [client, address, count, service] = process.argv.slice(2);
const levels = ['debug', 'info', 'warn', 'error'];
const lines = Array.from({ length: Number(count) }, (_, i) => ({
  i,
  level: levels[i % 4],
  message: `line ${i}`,
  traceId: `${'ab'.repeat(12)}${(i + 1).toString(16).padStart(8, '0')}`,
}));
const require = createRequire(join(process.cwd(), 'package.json'));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);

const clients = {
  'winston-elasticsearch': async () => {
    const { default: winston } = await load('winston');
    const { ElasticsearchTransport } = await load('winston-elasticsearch');
    const transport = new ElasticsearchTransport({
      clientOpts: { node: address },
      flushInterval: 200,
      bufferLimit: lines.length,
      source: service,
    });
    transport.on('error', (error) => console.error(error));
    const logger = winston.createLogger({ level: 'debug', transports: [transport] });
    for (const { i, level, message, traceId } of lines)
      logger.log({ level, message, service, trace: { id: traceId }, n: i });
    await transport.flush();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await transport.flush();
    process.exit(0);
  },
  'pino-elasticsearch': async () => {
    const { default: pino } = await load('pino');
    const { default: toElasticsearch } = await load('pino-elasticsearch');
    const stream = toElasticsearch({ node: address, index: 'pino', esVersion: 9, flushBytes: 10_000 });
    stream.on('insertError', (error) => console.error(error));
    const logger = pino({ level: 'trace', base: { service, hostname: 'h1' } }, stream);
    for (const { i, level, message, traceId } of lines) logger[level]({ traceId, n: i }, message);
    stream.end();
  },
  'pino-loki': async () => {
    const { default: pino } = await load('pino');
    const { pinoLoki: toLoki } = await load('pino-loki');
    const stream = toLoki({
      host: address,
      batching: { interval: 1 },
      labels: { service },
      silenceErrors: false,
    });
    const logger = pino({ level: 'trace', base: { hostname: 'h1' } }, stream);
    for (const { i, level, message, traceId } of lines) logger[level]({ traceId, n: i }, message);
    await new Promise((resolve) => setTimeout(resolve, 500));
    stream.end();
  },
  'fluent-logger': async () => {
    const { FluentClient } = await load('@fluent-org/logger');
    const [host, port] = address.split(':');
    const logger = new FluentClient(service, {
      eventMode: 'PackedForward',
      socket: { host, port: Number(port), timeout: 3000 },
      ack: { ackTimeout: 5000 },
      sendQueueIntervalMs: 20,
      ...(process.env.SHARED_KEY && {
        security: { clientHostname: 'h1', sharedKey: process.env.SHARED_KEY },
      }),
    });
    const sent = lines.map(({ i, level, message, traceId }) =>
      logger.emit('app', { level, message, traceId, n: i, service, hostname: 'h1' }),
    );
    await Promise.all(sent);
    await logger.shutdown();
  },
  'otlp-grpc': async () => {
    const { OTLPLogExporter } = await load('@opentelemetry/exporter-logs-otlp-grpc');
    const { BatchLogRecordProcessor, LoggerProvider } = await load('@opentelemetry/sdk-logs');
    const { resourceFromAttributes } = await load('@opentelemetry/resources');
    const { ROOT_CONTEXT, trace } = await load('@opentelemetry/api');
    const exporter = new OTLPLogExporter({ url: address });
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'host.name': 'h1' }),
      processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: lines.length })],
    });
    const logger = provider.getLogger('test');
    for (const { i, level, message, traceId } of lines)
      logger.emit({
        context: trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '01'.repeat(8), traceFlags: 1 }),
        severityNumber: { debug: 5, info: 9, warn: 13, error: 17 }[level],
        body: message,
        attributes: { n: i },
      });
    await provider.shutdown();
  },
};
await clients[client]();
