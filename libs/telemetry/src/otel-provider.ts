import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { ReportingExporter } from './reporting-exporter.ts';
import type { ExporterSettings, TracingSettings } from './tracing-settings.ts';

/** The SDK, set up for one service of this thread. Lost exports are logged once in a while. */
export async function createProvider(
  settings: TracingSettings,
  serviceName: string,
  logger: Pick<Logger, 'warn'>,
): Promise<TracerProvider> {
  useContextManager();
  const { delayMs, timeoutMs, maxQueue, maxBatch } = settings.batch;
  const spanProcessors = await Promise.all(
    settings.exporters.map(
      async (exporter) =>
        new BatchSpanProcessor({
          exporter: new ReportingExporter(await createExporter(exporter), exporter.type, logger),
          scheduledDelayMillis: delayMs,
          exportTimeoutMillis: timeoutMs,
          maxQueueSize: maxQueue,
          maxExportBatchSize: Math.min(maxBatch, maxQueue),
        }),
    ),
  );
  return new TracerProvider({
    spanProcessors,
    sampler: createSampler(settings.sampler),
    resource: resourceFromAttributes({
      'service.namespace': 'logloom',
      ...settings.resourceAttributes,
      'service.name': serviceName,
    }),
  });
}

let contextManager: AsyncLocalStorageContextManager | undefined;

/** Spans follow the asynchronous work of their thread; the context manager is one for all. */
export function useContextManager(): void {
  if (contextManager !== undefined) return;
  contextManager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contextManager);
}

async function createExporter(settings: ExporterSettings): Promise<SpanExporter> {
  // Loaded only if used: each loads many modules.
  switch (settings.type) {
    case 'otlp': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
      const { url, headers, timeoutMs, compression } = settings;
      return new OTLPTraceExporter({
        url,
        headers: { ...headers },
        timeoutMillis: timeoutMs,
        // The exporter's entry point does not export this enum.
        compression: compression as never,
      });
    }
    case 'zipkin': {
      const { ZipkinExporter } = await import('@opentelemetry/exporter-zipkin');
      return new ZipkinExporter({ url: settings.url });
    }
    case 'console':
      return new ConsoleSpanExporter();
  }
}

function createSampler({ parentBased, root, ratio }: TracingSettings['sampler']): Sampler {
  const sampler =
    root === 'on'
      ? new AlwaysOnSampler()
      : root === 'off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return parentBased ? new ParentBasedSampler({ root: sampler }) : sampler;
}
