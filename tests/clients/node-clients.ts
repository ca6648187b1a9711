import type { Client } from '@elastic/elasticsearch';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { levels, lineCount, lineOf } from './lines.ts';

/** Logs the lines through the OpenTelemetry SDK. */
export async function logWithOpenTelemetry(exporter: LogRecordExporter, service: string): Promise<void> {
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.name': 'h1' }),
    processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: lineCount })],
  });
  const logger = provider.getLogger('test');
  for (let i = 0; i < lineCount; i++) {
    const { millis, level, message, traceId, spanId } = lineOf(i);
    logger.emit({
      timestamp: millis,
      context: trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 }),
      severityNumber: 1 + 4 * levels.indexOf(level),
      body: message,
      attributes: { n: i },
    });
  }
  await provider.shutdown();
}

/** Sends the lines with the bulk helper of Elastic's client, in ECS. */
export async function sendWithElasticsearch(client: Client, service: string): Promise<void> {
  const documents = Array.from({ length: lineCount }, (_, i) => {
    const { millis, level, message, traceId, spanId } = lineOf(i);
    return {
      '@timestamp': new Date(millis),
      message,
      'log.level': level,
      n: i,
      service: { name: service },
      host: { name: 'h1' },
      trace: { id: traceId },
      span: { id: spanId },
    };
  });
  const { successful, failed } = await client.helpers.bulk({
    datasource: documents,
    onDocument: () => ({ create: { _index: 'logs-node' } }),
  });
  if (successful !== lineCount || failed !== 0) throw new Error(`${failed} documents failed`);
}
