import { counter, declareMetrics, gauge, histogram } from './declare-metrics.ts';

/** Metrics that every service has, or that several have a part in. */
export const telemetryMetrics = declareMetrics('libs/telemetry', {
  buildInfo: gauge({
    name: 'logloom_build_info',
    unit: 'info',
    help: 'Always 1; the labels name the versions that run',
    labels: { version: "Logloom's version", node: "Node's version" },
    aggregator: 'first',
  }),
  startTime: gauge({
    name: 'logloom_start_timestamp_seconds',
    unit: 'seconds',
    help: 'When the service started, in seconds since 1970; of its threads and processes, the last to start',
    aggregator: 'max',
  }),
  threadMemory: gauge({
    name: 'logloom_thread_memory_bytes',
    unit: 'bytes',
    help: "The thread's JavaScript heap in use, its size, and buffers outside of it",
    labels: { kind: 'heap_used, heap_total, buffers' },
  }),
  memoryAfterCollection: gauge({
    name: 'logloom_thread_memory_after_collection_bytes',
    unit: 'bytes',
    help: 'What the thread held when its whole heap was last collected: that heap without its young generation, and buffers outside of it; what grows here is no garbage',
    labels: { kind: 'heap, buffers' },
  }),
  eventLoopActive: counter({
    name: 'logloom_event_loop_active_seconds_total',
    unit: 'seconds',
    help: 'Time for which the event loop of the thread was at work; its rate is the utilisation, 1 is all of it',
  }),
  eventAge: histogram({
    name: 'logloom_event_age_seconds',
    unit: 'seconds',
    help: 'Age of events, from their append to the log to the end of a stage; an event of the future counts as 0',
    labels: {
      stage:
        'searchable: acknowledged by search store and archive; correlated: read by the correlator, with every document that it closed durable; sent: written to the connections of all viewers of a channel, once for each',
    },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
  }),
  clockAhead: gauge({
    name: 'logloom_log_clock_ahead_seconds',
    unit: 'seconds',
    help: "How far the append time of the newest record that was read is ahead of this machine's clock; ages are too small by as much",
    aggregator: 'max',
  }),
  refusedRequests: counter({
    name: 'logloom_security_refused_requests_total',
    unit: 'requests',
    help: 'Requests that were refused because of their sender or origin, by error code',
    labels: { port: "the port's purpose", reason: 'the error code' },
  }),
  certificateExpiry: gauge({
    name: 'logloom_certificate_expiry_timestamp_seconds',
    unit: 'seconds',
    help: 'When a certificate that a setting names expires, in seconds since 1970; of several in one file, the first to expire',
    labels: { setting: 'the setting' },
    aggregator: 'min',
  }),
});
