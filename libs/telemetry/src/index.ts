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
export { addProcessMetrics, createTelemetry, type Telemetry } from './telemetry.ts';
