import type { Settings } from './settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import { defaultPorts, type ReceiverPort } from './default-ports.ts';
import { IngestError } from './errors.ts';

/**
 * Opens a receiver on its port. Resolves to undefined where the setting turns it off, and with a warning where nobody has asked for it and
 * another program has the port. Rejects with IngestError `port-taken` where somebody has.
 */
export async function openPort<T>(
  name: ReceiverPort,
  settings: Settings,
  logger: Telemetry['logger'],
  open: (port: number) => Promise<T>,
): Promise<T | undefined> {
  const asked = settings[name];
  // A receiver that knows no keys would let everybody in where only some may send.
  if (asked === undefined && settings.INGEST_KEYS !== undefined && !isProtected(name, settings))
    return undefined;
  const port = asked ?? defaultPorts[name];
  if (port === 0) return undefined;
  try {
    return await open(port);
  } catch (error) {
    const reason = whyTaken(error);
    if (reason === undefined) throw error;
    if (asked !== undefined)
      throw new IngestError(
        'port-taken',
        `${name}=${port}: port ${port} on ${settings.HOST} ${reason}; set another, or 0 to turn the receiver off`,
        { cause: error },
      );
    logger.warn({ port }, `the port ${reason}: continuing without its receiver; ${name} sets another port`);
    return undefined;
  }
}

/** Says of a port what the error of listening on it means; undefined where the port is not the reason. */
export function whyTaken(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') return 'may not be used by this user';
  return code === 'EADDRINUSE' ? 'is used by another program' : undefined;
}

function isProtected(name: ReceiverPort, settings: Settings): boolean {
  if (name === 'FORWARD_PORT') return settings.FORWARD_SHARED_KEY !== undefined;
  if (name === 'SYSLOG_TLS_PORT') return settings.SYSLOG_TLS_CA !== undefined;
  return name === 'OTLP_GRPC_PORT';
}
