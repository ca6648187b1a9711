export { connectLog, type LogConnection } from './connect-log.ts';
export { createGapReport, type GapReport } from './gap-report.ts';
export { createFilesPrivate, keepDataPrivate } from './private-files.ts';
export { guardRequests, protectAnswers, type GuardContext } from './guard-requests.ts';
export { FairQueue, QueueFullError, type FairQueueOptions, type Turn } from './fair-queue.ts';
export { registerHealth, type Health } from './register-health.ts';
export { answerAndClose, serverOptions } from './server-options.ts';
export { StorageWatch, type Trouble } from './storage-watch.ts';
export type { RunService, ServiceContext } from './service-context.ts';
