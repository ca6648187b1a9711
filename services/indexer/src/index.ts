export { registerApi, type ApiDeps } from './api/api.ts';
export { connectApi } from './api/connect-api.ts';
export { errors, indexerErrors, type ErrorCode } from './errors.ts';
export { IndexBatches, type BulkOptions, type BulkTarget } from './indexing/index-batches.ts';
export { registerCancelMetric } from './telemetry.ts';
export { cancelledQueries, runCancellable } from '@logloom/search-store';
export { verifyStopped, type StoppedReport } from './jobs/verify-stopped.ts';
export { runIndexer, storesFolder } from './run-indexer.ts';
