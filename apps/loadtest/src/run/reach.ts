import type { KafkaOptions } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { once } from 'node:events';
import { connect } from 'node:net';
import { LoadtestError } from '../errors.ts';
import { commandScheme } from '../target/command-sender.ts';
import type { SenderTarget } from '../target/sender.ts';

const timeoutMs = 10_000;

/** Asks every address of a target for any answer. Throws LoadtestError `target-unavailable`. */
export async function reachAll(
  viewerUrls: readonly string[],
  senders: readonly SenderTarget[],
): Promise<void> {
  const urls = new Set([...viewerUrls, ...senders.map(({ url }) => url)]);
  for (const url of urls) {
    if (url.startsWith('syslog:')) await attempt(url, () => reachPort(new URL(url)));
    else if (url !== '' && !url.startsWith(commandScheme)) await attempt(url, () => reachHttp(url));
  }
  const kafka = senders.find((sender) => sender.kafka !== undefined)?.kafka;
  if (kafka !== undefined) await attempt(kafka.brokers.join(','), () => reachKafka(kafka));
}

async function attempt(address: string, reach: () => Promise<void>): Promise<void> {
  try {
    await reach();
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    throw new LoadtestError('target-unavailable', `${address} does not respond (${reason})`, {
      cause: error,
    });
  }
}

async function reachHttp(url: string): Promise<void> {
  const response = await fetch(url.replace(/^ws/, 'http'), { signal: AbortSignal.timeout(timeoutMs) });
  // Its address may be that of a stream, which does not end.
  await response.body?.cancel();
}

async function reachPort({ hostname, port }: URL): Promise<void> {
  const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
  } finally {
    socket.destroy();
  }
}

async function reachKafka(kafka: KafkaOptions): Promise<void> {
  const { openEventLog } = await import('@logloom/event-log');
  const log = await openEventLog({ dataFolder: '', topics: [], kafka: { ...kafka, patienceMs: timeoutMs } });
  try {
    await log.partitionCount(topics.raw);
  } finally {
    await log.close();
  }
}
