import type { KafkaSettings } from '../options.ts';
import { accessFault, isPermission } from './access-fault.ts';

/** Keeps for the service's readiness that the brokers refuse this client, or the operation; other errors say nothing about that. */
export function noteFault({ faults }: KafkaSettings, error: unknown, operation: string): void {
  const fault = accessFault(error);
  if (fault !== undefined) faults.refused(fault, isPermission(error) ? operation : undefined);
}
