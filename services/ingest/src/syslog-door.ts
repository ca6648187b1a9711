import type { Settings } from '@logloom/settings';
import type { Telemetry } from '@logloom/telemetry';
import { randomBytes } from 'node:crypto';
import { IngestError } from './errors.ts';
import type { Intake } from './intake.ts';
import { SyslogLane, type LaneOptions } from './syslog-lane.ts';
import { SyslogTcp } from './syslog-tcp.ts';
import { SyslogUdp } from './syslog-udp.ts';
import type { SyslogStats } from './telemetry.ts';

/** At a drain: how long senders get to hear it, and the log to take what was read. */
const drainMs = 10_000;
const refusalsLoggedMs = 60_000;

export interface SyslogDoorOptions {
  settings: Pick<
    Settings,
    'HOST' | 'SYSLOG_PORT' | 'SYSLOG_MAX_CONNECTIONS' | 'SYSLOG_IDLE_MS' | 'INGEST_MAX_EVENT_BYTES'
  >;
  intake: Intake;
  stats: SyslogStats;
  logger: Telemetry['logger'];
}

export interface SyslogDoor {
  /** Resolves when everything that was received is durable, and the port is free. */
  stop: () => Promise<void>;
}

/**
 * Listens for syslog, over TCP and UDP on the same port. Rejects with IngestError `port-taken` when it cannot. Syslog knows no
 * acknowledgement: over TCP a connection is read on only when what was read before is durable, but for 512 KiB and one message.
 */
export async function openSyslogDoor(options: SyslogDoorOptions): Promise<SyslogDoor> {
  const { settings, intake, stats, logger } = options;
  const giveUp = new AbortController();
  const producer = randomBytes(9).toString('base64url');
  const common = { intake, logger, giveUp: giveUp.signal };
  const lane = (door: LaneOptions['door'], number: number, prefix: string): SyslogLane =>
    new SyslogLane({ ...common, door, producer: `${prefix}${producer}`, number });
  let loggedAt = 0;
  const tcp = new SyslogTcp({
    host: settings.HOST,
    port: settings.SYSLOG_PORT,
    maxConnections: settings.SYSLOG_MAX_CONNECTIONS,
    idleMs: settings.SYSLOG_IDLE_MS,
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    lane: (number) => lane('syslog-tcp', number, 't'),
    onRefused: () => {
      stats.refusedConnections++;
      if (Date.now() - loggedAt < refusalsLoggedMs) return;
      loggedAt = Date.now();
      logger.warn(
        { max: settings.SYSLOG_MAX_CONNECTIONS },
        'syslog connections are refused: too many are open',
      );
    },
    logger,
  });
  const udp = new SyslogUdp({
    host: settings.HOST,
    port: settings.SYSLOG_PORT,
    lane: lane('syslog-udp', 0, 'u'),
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    logger,
  });
  await orPortTaken(tcp.listen(), 'TCP', settings);
  try {
    await orPortTaken(udp.listen(), 'UDP', settings);
  } catch (error) {
    await tcp.stop(0);
    throw error;
  }
  stats.connections = () => tcp.connections;
  stats.dropped = () => udp.dropped;
  stats.kernelDropped = () => udp.kernelDropped;
  return {
    stop: async () => {
      const timer = setTimeout(() => giveUp.abort(), drainMs);
      await Promise.all([tcp.stop(drainMs), udp.stop()]);
      clearTimeout(timer);
      stats.kernelDropped = () => Number.NaN;
    },
  };
}

async function orPortTaken<T>(
  listening: Promise<T>,
  protocol: string,
  { HOST, SYSLOG_PORT }: SyslogDoorOptions['settings'],
): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const reason = code === 'EACCES' ? 'may not be used by this user' : 'is taken by another program';
    throw new IngestError(
      'port-taken',
      `SYSLOG_PORT=${SYSLOG_PORT}: ${protocol} port ${SYSLOG_PORT} on ${HOST} ${reason}; set another, or 0 for no syslog`,
      { cause: error },
    );
  }
}
