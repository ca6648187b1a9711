export type { Logger } from 'pino';
export {
  AggregatorRegistry,
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  type Registry,
} from 'prom-client';
export { SecurityLog, type Actor, type RefusedSender } from './security-log.ts';
export { startTracing, type TracingOptions } from './start-tracing.ts';
export { addProcessMetrics, createTelemetry, type Telemetry } from './telemetry.ts';
export { readTracingSettings, type TracingRequest, type TracingSettings } from './tracing-settings.ts';
export {
  batchAttributes,
  messagingSpan,
  noTracing,
  type ActiveSpan,
  type Carrier,
  type SpanSpec,
  type TraceHeaders,
  type Tracing,
} from './tracing.ts';
