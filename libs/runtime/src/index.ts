export { connectLog, type LogConnection } from './connect-log.ts';
export { registerHealth, type Health } from './register-health.ts';
export type { RunService, ServiceContext } from './service-context.ts';
