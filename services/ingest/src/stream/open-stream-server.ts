import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { atMostEvery } from '../admission/at-most-every.ts';
import type { ReceiverContext, RunReceiver } from '../pipeline/receiver.ts';
import { AddressConnections } from '../quotas/address-limits.ts';
import type { Debt } from '../quotas/quota-accounts.ts';
import type { StreamStats } from '../telemetry.ts';
import { TcpServer, type Converse } from './tcp-server.ts';
import { UdpServer, type Datagram } from './udp-server.ts';
import type { UntilDurableOptions } from './until-durable.ts';
import { once } from 'node:events';

/** At a drain: the time that senders have to notice, and the log to take what was read. */
const drainMs = 10_000;
const warnMs = 60_000;

/** What a protocol writes its messages with. */
export type StreamWriting = Omit<UntilDurableOptions, 'receiver'>;

/** What it writes datagrams with, whose senders cannot be held up. */
export interface DatagramWriting extends StreamWriting {
  /** To be called for each message that is dropped because its service is over its quota. */
  onOverQuota: () => void;
}

export interface StreamProtocol<Frame extends { bytes: Buffer }> {
  /** For the log. */
  name: string;
  port: number;
  maxConnections: number;
  idleMs: number;
  tls?: TlsOptions | undefined;
  stats: StreamStats;
  converse: (writing: StreamWriting) => Converse<Frame>;
  /** Unset: the protocol is not spoken over UDP. */
  datagrams?: (writing: DatagramWriting) => {
    write: (datagrams: readonly Datagram[]) => Promise<void>;
    endOf?: (bytes: Buffer) => number;
    /** Called when the last datagram is written. */
    close?: () => void;
  };
}

/**
 * Listens on TCP, and on UDP where the protocol is spoken over it, on the same port. Rejects with the system's error when it cannot. A
 * connection is read on only when everything before is durable; over a quota it is not read, and datagrams are dropped and counted.
 */
export async function openStreamServer<Frame extends { bytes: Buffer }>(
  { settings, addresses, memory, telemetry: { logger } }: ReceiverContext,
  { name, port, maxConnections, idleMs, tls, stats, converse, datagrams }: StreamProtocol<Frame>,
): Promise<RunReceiver> {
  const giveUp = new AbortController();
  const draining = new AbortController();
  const onHeld = (ms: number): void => void (stats.heldMs += ms);
  const warnDropped = atMostEvery(warnMs, (count) =>
    logger.error({ count }, `${name} datagrams were dropped: their service or address is over its quota`),
  );
  const onOverQuota = (): void => {
    stats.overQuota++;
    warnDropped();
  };
  const warn = atMostEvery(warnMs, (count, text: string, max: number | undefined) =>
    logger.warn({ max, count }, `${name} connections are ${text}`),
  );
  const hold = async (address: string): Promise<void> => {
    const beganMs = performance.now();
    let debt: Debt | undefined;
    while (!draining.signal.aborted && (debt = addresses?.debtOf(address)) !== undefined)
      await sleep(debt.waitMs, undefined, { signal: draining.signal }).catch(() => {});
    if (addresses !== undefined) onHeld(performance.now() - beganMs);
  };
  const writing = { logger, draining: draining.signal, giveUp: giveUp.signal, onHeld };
  const tcp = new TcpServer({
    name,
    host: settings.HOST,
    port,
    tls,
    maxConnections,
    idleMs,
    converse: converse(writing),
    addressConnections: new AddressConnections(settings.INGEST_ADDRESS_CONNECTIONS),
    addresses,
    hold,
    memory,
    onOverloaded: () => {
      stats.refusedConnections++;
      warn('closed: unfinished messages fill the memory budget', undefined);
    },
    onReplaced: () => {
      stats.replacedConnections++;
      warn('closed because they are silent: too many are open', maxConnections);
    },
    onRefused: (reason) => {
      stats.refusedConnections++;
      if (reason === 'all') warn('refused: too many are open', maxConnections);
      else warn('refused: too many are open from one address', settings.INGEST_ADDRESS_CONNECTIONS);
    },
    logger,
  });
  const received = datagrams?.({ ...writing, onOverQuota });
  const udp =
    received &&
    new UdpServer({
      name,
      host: settings.HOST,
      port,
      ...received,
      memory,
      maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
      addresses,
      onOverQuota,
      logger,
    });
  await tcp.listen();
  try {
    await udp?.listen();
  } catch (error) {
    await tcp.stop(0);
    throw error;
  }
  stats.connections = () => tcp.connections;
  if (udp !== undefined) {
    stats.dropped = () => udp.dropped;
    stats.kernelDropped = () => udp.kernelDropped;
  }
  return async (signal) => {
    if (!signal.aborted) await once(signal, 'abort');
    draining.abort();
    const timer = setTimeout(() => giveUp.abort(), drainMs);
    await Promise.all([tcp.stop(drainMs), udp?.stop()]);
    clearTimeout(timer);
    received?.close?.();
    stats.kernelDropped = () => Number.NaN;
  };
}
