import type { Telemetry } from '@logloom/telemetry';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMostEvery } from '../admission/at-most-every.ts';
import type { MemoryBudget } from '../admission/memory-budget.ts';
import type { AddressQuotas } from '../quotas/address-limits.ts';
import { peerName } from './tcp-server.ts';

/** The receive buffer that we ask the kernel for; it grants at most net.core.rmem_max. */
const receiveBufferBytes = 8 * 2 ** 20;
/**
 * Datagrams that wait while the log is slow may take this share of the memory budget, so that a flood of them leaves room for HTTP.
 * Their senders cannot be made to wait: beyond it datagrams are dropped and counted.
 */
const queueShare = 1 / 4;
const maxQueuedBytes = 64 * 2 ** 20;
/** The memory that a datagram needs beside its bytes. */
const overheadBytes = 200;
const maxBatchDatagrams = 2000;
const quietMs = 50;
const warnMs = 60_000;

/** A datagram that waits to be written. */
export interface Datagram {
  bytes: Buffer;
  /** The address of its sender. */
  peer: string | undefined;
  /** Set when it is too large; `bytes` is then the part that was kept. */
  problem?: 'event-too-large';
  /** Its length, where only a part was kept. */
  declared?: number;
}

export interface UdpServerOptions {
  /** The protocol, for the log. */
  name: string;
  host: string;
  port: number;
  /** Resolves when the datagrams are durable. */
  write: (datagrams: readonly Datagram[]) => Promise<void>;
  /** The end of a datagram's content; default: its length. */
  endOf?: (bytes: Buffer) => number;
  /** Memory for datagrams that wait; shared with the requests over HTTP. */
  memory: MemoryBudget;
  maxEventBytes: number;
  /** Unset: no address has a quota. */
  addresses: AddressQuotas | undefined;
  /** Called for each datagram that is dropped because its address is over its quota. */
  onOverQuota: () => void;
  logger: Telemetry['logger'];
}

/** A server of a protocol in which each datagram is a message, or a part of one. */
export class UdpServer {
  readonly #options: UdpServerOptions;
  readonly #socket: Socket;
  #queue: Datagram[] = [];
  readonly #maxQueuedBytes: number;
  #queuedBytes = 0;
  #dropped = 0;
  readonly #warnDropped: () => void;
  #writing: Promise<void> | undefined;
  /** When the last datagram arrived, on the monotonic clock. */
  #receivedAtMs = -Infinity;

  constructor(options: UdpServerOptions) {
    this.#options = options;
    this.#maxQueuedBytes = Math.min(maxQueuedBytes, options.memory.maxBytes * queueShare);
    this.#warnDropped = atMostEvery(warnMs, (count) =>
      options.logger.error({ count }, `${options.name} datagrams were dropped: the log did not keep up`),
    );
    this.#socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
    this.#socket.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  /** The number of datagrams dropped here because the log did not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The number of datagrams that the kernel dropped because its buffer was full; NaN where it does not tell. */
  get kernelDropped(): number {
    return this.#dropsAt(this.#socket.address().port);
  }

  /** Rejects with the system's error when the port cannot be taken. */
  async listen(): Promise<void> {
    this.#socket.bind({ address: this.#options.host, port: this.#options.port });
    await once(this.#socket, 'listening');
    this.#socket.on('error', (error) =>
      this.#options.logger.error({ err: error }, `${this.#options.name} over UDP`),
    );
    this.#socket.setRecvBufferSize(receiveBufferBytes);
    const granted = this.#socket.getRecvBufferSize();
    if (granted < receiveBufferBytes)
      this.#options.logger.info(
        { bytes: granted, wanted: receiveBufferBytes },
        `the receive buffer of ${this.#options.name} over UDP is smaller than wanted: raise net.core.rmem_max`,
      );
  }

  /** Reads what the kernel holds and closes. Resolves when all of it is written. */
  async stop(): Promise<void> {
    do await sleep(quietMs);
    while (performance.now() - this.#receivedAtMs < quietMs);
    this.#socket.close();
    await this.#writing;
  }

  #receive(bytes: Buffer, { address }: RemoteInfo): void {
    this.#receivedAtMs = performance.now();
    const end = this.#options.endOf?.(bytes) ?? bytes.length;
    if (end === 0) return;
    const { addresses, maxEventBytes, onOverQuota, memory } = this.#options;
    if (addresses !== undefined) {
      if (addresses.debtOf(address) !== undefined) return onOverQuota();
      addresses.charge(address, { events: 1, bytes: end });
    }
    const neededBytes = end + overheadBytes;
    if (this.#queuedBytes + neededBytes > this.#maxQueuedBytes || neededBytes > memory.freeBytes) {
      this.#dropped++;
      this.#warnDropped();
      return;
    }
    memory.add(neededBytes);
    this.#queuedBytes += neededBytes;
    const isTooLarge = end > maxEventBytes;
    this.#queue.push({
      bytes: bytes.subarray(0, Math.min(end, maxEventBytes)),
      peer: peerName(address),
      ...(isTooLarge ? { problem: 'event-too-large', declared: end } : {}),
    });
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  async #write(): Promise<void> {
    const { write, name, logger, memory } = this.#options;
    while (this.#queue.length > 0) {
      // Datagrams that arrive in this tick of the event loop join the batch.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.#queue.splice(0, maxBatchDatagrams);
      try {
        await write(batch);
      } catch (error) {
        logger.error({ err: error, count: batch.length }, `messages of ${name} could not be stored`);
      }
      const writtenBytes = batch.reduce((sum, frame) => sum + memoryOf(frame), 0);
      this.#queuedBytes -= writtenBytes;
      memory.release(writtenBytes);
    }
  }

  /** Returns the last column of /proc/net/udp for the local port, which no other socket shares. */
  #dropsAt(port: number): number {
    const name = isIPv6(this.#options.host) ? 'udp6' : 'udp';
    const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    let table: string;
    try {
      table = readFileSync(`/proc/net/${name}`, 'latin1');
    } catch {
      return Number.NaN;
    }
    let drops = Number.NaN;
    for (const line of table.split('\n').slice(1)) {
      const cells = line.trim().split(/\s+/);
      if (cells[1]?.endsWith(ending) === true)
        drops = (Number.isNaN(drops) ? 0 : drops) + Number(cells.at(-1));
    }
    return drops;
  }
}

/** The memory of a datagram in the queue. One that is too large is kept whole in memory behind the part that is stored. */
function memoryOf({ bytes, declared }: Datagram): number {
  return (declared ?? bytes.length) + overheadBytes;
}
