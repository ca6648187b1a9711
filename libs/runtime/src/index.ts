export { connectLog, type LogConnection } from './connect-log.ts';
export { registerHealth, startHealthServer, type Health } from './health-server.ts';
export { runStandalone } from './run-standalone.ts';
export type { RunService, ServiceContext } from './service-context.ts';
