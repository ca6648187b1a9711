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
export { registerCertificateExpiry } from './metrics/certificate-expiry.ts';
export { createAll } from './metrics/create-all.ts';
export {
  combinations,
  counter,
  declareMetrics,
  gauge,
  histogram,
  ownerKey,
  type DescribedMetric,
  type SetValue,
} from './metrics/declare-metrics.ts';
export { ageSeconds, EventAges } from './metrics/event-age.ts';
export { telemetryMetrics } from './metrics/own-metrics.ts';
export { addProcessMetrics, addThreadMetrics } from './metrics/runtime-metrics.ts';
export { SecurityLog, type Actor, type RefusedSender } from './security-log.ts';
export { startTracing, type TracingOptions } from './start-tracing.ts';
export { createTelemetry, type Telemetry } from './telemetry.ts';
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
