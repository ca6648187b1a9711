export { connectLog, type LogConnection } from './connect-log.ts';
export { endAnyway } from './end-anyway.ts';
export { createGapReport, type GapReport } from './gap-report.ts';
export { createFilesPrivate, keepDataPrivate } from './private-files.ts';
export { pingHttp, pingMongo, pingRedis } from './engine-pings.ts';
export { EngineWatch, type EnginePing, type GuardOptions, type WatchedEngine } from './engine-watch.ts';
export { guardRequests, protectResponses, type GuardContext } from './guard-requests.ts';
export {
  AdmissionQueue,
  QueueFullError,
  type AdmissionQueueOptions,
  type AdmissionSlot,
} from './admission-queue.ts';
export { observeBudget, runtimeMetrics } from './runtime-metrics.ts';
export { RemovalClock, type RemovalClockState } from './removal-clock.ts';
export { createHealthServer, type HealthServerOptions } from './health-server.ts';
export {
  knownParameters,
  noParameters,
  unknownParameter,
  unknownViewerParameter,
} from './known-parameters.ts';
export { registerMetrics, serveMetrics, type MetricsAccess } from './metrics-server.ts';
export { registerHealth, sendNotReady, type Health, type HealthCheck } from './register-health.ts';
export { answerAndClose, commonOptions, serverOptions } from './server-options.ts';
export {
  asCodedError,
  handleErrors,
  ignoreExpectations,
  refuseUnknown,
  refuseWithoutHost,
  respondWithErrors,
  sendError,
} from './error-responses.ts';
export type { ServiceSettings } from './settings.ts';
export { RouteTable } from './route-table.ts';
export { LagWatch, type ConsumerPositions } from './lag-watch.ts';
export { DataSpace, type SpaceReport } from './space/data-space.ts';
export { observeDisk, StorageWatch, type Trouble } from './space/storage-watch.ts';
export type { RunService, ServiceContext } from './service-context.ts';
export { settledBefore } from './settled-before.ts';
