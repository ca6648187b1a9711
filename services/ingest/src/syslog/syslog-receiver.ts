import type { Settings } from '@logloom/settings';
import type { Telemetry } from '@logloom/telemetry';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressConnections, type AddressQuotas } from '../quotas/address-limits.ts';
import { atMostEvery } from '../admission/at-most-every.ts';
import { IngestError } from '../errors.ts';
import type { Intake } from '../pipeline/pipeline.ts';
import type { Debt } from '../quotas/quota-accounts.ts';
import type { PendingBytes } from '../http/read-body.ts';
import { SyslogLane } from './syslog-queue.ts';
import { SyslogTcp } from './syslog-tcp.ts';
import { SyslogUdp } from './syslog-udp.ts';
import type { SyslogStats } from '../telemetry.ts';

/** At a drain: how long senders get to hear it, and the log to take what was read. */
const drainMs = 10_000;
const loggedMs = 60_000;

export interface SyslogDoorOptions {
  settings: Pick<
    Settings,
    | 'HOST'
    | 'SYSLOG_PORT'
    | 'SYSLOG_MAX_CONNECTIONS'
    | 'SYSLOG_IDLE_MS'
    | 'INGEST_MAX_EVENT_BYTES'
    | 'INGEST_ADDRESS_CONNECTIONS'
  >;
  intake: Intake;
  /** Unset: no address has a quota. */
  addresses?: AddressQuotas | undefined;
  stats: SyslogStats;
  /** Memory for messages that have begun. */
  pending: PendingBytes;
  logger: Telemetry['logger'];
}

export interface SyslogDoor {
  /** Resolves when everything that was received is durable, and the port is free. */
  stop: () => Promise<void>;
}

/**
 * Listens for syslog, over TCP and UDP on the same port. Rejects with IngestError `port-taken` when it cannot. Syslog knows no
 * acknowledgement: over TCP a connection is read on only when what was read before is durable, but for 512 KiB and one message. It
 * knows no refusal either: over a quota, TCP is not read on, and datagrams are dropped and counted.
 */
export async function openSyslogDoor(options: SyslogDoorOptions): Promise<SyslogDoor> {
  const { settings, intake, stats, addresses, logger } = options;
  const giveUp = new AbortController();
  const draining = new AbortController();
  const producer = randomBytes(9).toString('base64url');
  const onHeld = (ms: number): void => void (stats.heldMs += ms);
  const tellDropped = atMostEvery(loggedMs, (count) =>
    logger.error({ count }, 'syslog datagrams were dropped: over the quota of their service or address'),
  );
  const onDropped = (): void => {
    stats.overQuota++;
    tellDropped();
  };
  const tellRefused = atMostEvery(loggedMs, (count, max: number | undefined, from: string) =>
    logger.warn({ max, count }, `syslog connections are refused: too many are open${from}`),
  );
  const tellOverloaded = atMostEvery(loggedMs, (count) =>
    logger.warn({ count }, 'syslog connections are closed: messages that are not whole fill the memory'),
  );
  const tellReplaced = atMostEvery(loggedMs, (count, max: number) =>
    logger.warn({ max, count }, 'silent syslog connections are closed: too many are open'),
  );
  const common = { intake, logger, onHeld, draining: draining.signal, giveUp: giveUp.signal };
  const hold = async (address: string): Promise<void> => {
    const began = performance.now();
    let debt: Debt | undefined;
    while (!draining.signal.aborted && (debt = addresses?.debtOf(address)) !== undefined)
      await sleep(debt.waitMs, undefined, { signal: draining.signal }).catch(() => {});
    if (addresses !== undefined) onHeld(performance.now() - began);
  };
  const tcp = new SyslogTcp({
    host: settings.HOST,
    port: settings.SYSLOG_PORT,
    maxConnections: settings.SYSLOG_MAX_CONNECTIONS,
    idleMs: settings.SYSLOG_IDLE_MS,
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    lane: (number) => new SyslogLane({ ...common, door: 'syslog-tcp', producer: `t${producer}`, number }),
    addressConnections: new AddressConnections(settings.INGEST_ADDRESS_CONNECTIONS),
    addresses,
    hold,
    pending: options.pending,
    onOverloaded: () => {
      stats.refusedConnections++;
      tellOverloaded();
    },
    onReplaced: () => {
      stats.replacedConnections++;
      tellReplaced(settings.SYSLOG_MAX_CONNECTIONS);
    },
    onRefused: (reason) => {
      stats.refusedConnections++;
      if (reason === 'all') tellRefused(settings.SYSLOG_MAX_CONNECTIONS, '');
      else tellRefused(settings.INGEST_ADDRESS_CONNECTIONS, ' from one address');
    },
    logger,
  });
  const udp = new SyslogUdp({
    host: settings.HOST,
    port: settings.SYSLOG_PORT,
    lane: new SyslogLane({
      ...common,
      door: 'syslog-udp',
      producer: `u${producer}`,
      number: 0,
      onOverQuota: onDropped,
    }),
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    addresses,
    onOverQuota: onDropped,
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
      draining.abort();
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
