import type { Settings } from '../settings.ts';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressConnections } from '../quotas/address-limits.ts';
import { atMostEvery } from '../admission/at-most-every.ts';
import { IngestError } from '../errors.ts';
import type { Receiver, ReceiverContext } from '../pipeline/receiver.ts';
import type { Debt } from '../quotas/quota-accounts.ts';
import { SyslogWriter } from './syslog-writer.ts';
import { SyslogTcp } from './syslog-tcp.ts';
import { SyslogUdp } from './syslog-udp.ts';
import { createSyslogStats } from '../telemetry.ts';

/** At a drain: the time that senders have to notice, and the log to take what was read. */
const drainMs = 10_000;
const warnMs = 60_000;

/** Syslog over TCP and UDP. Off where SYSLOG_PORT is 0. */
export const syslogReceiver: Receiver = async (context) => {
  if (context.settings.SYSLOG_PORT === 0) return undefined;
  const syslog = await openSyslog(context);
  return async (signal) => {
    if (!signal.aborted) await once(signal, 'abort');
    await syslog.stop();
  };
};

interface OpenSyslog {
  /** Resolves when everything that was received is durable, and the port is free. */
  stop: () => Promise<void>;
}

/**
 * Listens on TCP and UDP on the same port. Rejects with IngestError `port-taken` when it cannot. Syslog has no acknowledgement: over TCP,
 * a connection is read on only when everything before is durable, except for 512 KiB and one message. It has no refusal either: over a
 * quota, TCP connections are not read, and datagrams are dropped and counted.
 */
async function openSyslog({
  settings,
  pipeline,
  addresses,
  memory,
  telemetry,
}: ReceiverContext): Promise<OpenSyslog> {
  const { logger } = telemetry;
  const stats = createSyslogStats(telemetry, settings.SYSLOG_MAX_CONNECTIONS);
  const giveUp = new AbortController();
  const draining = new AbortController();
  const producer = randomBytes(9).toString('base64url');
  const onHeld = (ms: number): void => void (stats.heldMs += ms);
  const warnDropped = atMostEvery(warnMs, (count) =>
    logger.error({ count }, 'syslog datagrams were dropped: their service or address is over its quota'),
  );
  const onDropped = (): void => {
    stats.overQuota++;
    warnDropped();
  };
  const warnRefused = atMostEvery(warnMs, (count, max: number | undefined, from: string) =>
    logger.warn({ max, count }, `syslog connections are refused: too many are open${from}`),
  );
  const warnOverloaded = atMostEvery(warnMs, (count) =>
    logger.warn({ count }, 'syslog connections are closed: unfinished messages fill the memory budget'),
  );
  const warnReplaced = atMostEvery(warnMs, (count, max: number) =>
    logger.warn({ max, count }, 'silent syslog connections are closed: too many are open'),
  );
  const common = { pipeline, logger, onHeld, draining: draining.signal, giveUp: giveUp.signal };
  const hold = async (address: string): Promise<void> => {
    const beganMs = performance.now();
    let debt: Debt | undefined;
    while (!draining.signal.aborted && (debt = addresses?.debtOf(address)) !== undefined)
      await sleep(debt.waitMs, undefined, { signal: draining.signal }).catch(() => {});
    if (addresses !== undefined) onHeld(performance.now() - beganMs);
  };
  const tcp = new SyslogTcp({
    host: settings.HOST,
    port: settings.SYSLOG_PORT,
    maxConnections: settings.SYSLOG_MAX_CONNECTIONS,
    idleMs: settings.SYSLOG_IDLE_MS,
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    createWriter: (number) =>
      new SyslogWriter({ ...common, receiver: 'syslog-tcp', producer: `t${producer}`, number }),
    addressConnections: new AddressConnections(settings.INGEST_ADDRESS_CONNECTIONS),
    addresses,
    hold,
    memory,
    onOverloaded: () => {
      stats.refusedConnections++;
      warnOverloaded();
    },
    onReplaced: () => {
      stats.replacedConnections++;
      warnReplaced(settings.SYSLOG_MAX_CONNECTIONS);
    },
    onRefused: (reason) => {
      stats.refusedConnections++;
      if (reason === 'all') warnRefused(settings.SYSLOG_MAX_CONNECTIONS, '');
      else warnRefused(settings.INGEST_ADDRESS_CONNECTIONS, ' from one address');
    },
    logger,
  });
  const udp = new SyslogUdp({
    host: settings.HOST,
    port: settings.SYSLOG_PORT,
    writer: new SyslogWriter({
      ...common,
      receiver: 'syslog-udp',
      producer: `u${producer}`,
      number: 0,
      onOverQuota: onDropped,
    }),
    memory,
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
  { HOST, SYSLOG_PORT }: Pick<Settings, 'HOST' | 'SYSLOG_PORT'>,
): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const reason = code === 'EACCES' ? 'may not be used by this user' : 'is used by another program';
    throw new IngestError(
      'port-taken',
      `SYSLOG_PORT=${SYSLOG_PORT}: ${protocol} port ${SYSLOG_PORT} on ${HOST} ${reason}; set another, or 0 for no syslog`,
      { cause: error },
    );
  }
}
