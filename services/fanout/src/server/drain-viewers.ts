import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../transports/transport.ts';
import type { ConnectedViewer, ViewerRegistry } from './viewer-registry.ts';

export type DrainReason = 'shutdown' | 'restart';

export interface DrainOptions {
  /** How long a drain takes at most before it cuts the remaining viewers. */
  drainMs: number;
  /** Viewers are told to come back at times spread over this long. */
  retrySpreadMs: number;
  /** Other processes serve the same port: viewers that are sent away may reconnect at once. */
  othersServe: boolean;
}

const waveMs = 100;
/** The part of the drain's time that goes to the waves; the rest is for the last viewers to close. */
const waveShare = 0.8;

/**
 * Sends viewers away in waves, so that they do not all reconnect at once, and cuts the remaining ones. `flush` sends what waits for them.
 */
export async function drainViewers(
  registry: ViewerRegistry,
  transports: readonly Transport[],
  reason: DrainReason,
  { drainMs, retrySpreadMs, othersServe }: DrainOptions,
  flush: () => void,
): Promise<void> {
  const deadlineMs = performance.now() + drainMs;
  const viewers: ConnectedViewer[] = [];
  for (const { name, isLongLived } of transports)
    if (isLongLived) viewers.push(...registry.of(name));
    else for (const viewer of registry.of(name)) viewer.close();
  const waves = Math.max(1, Math.min(viewers.length, Math.floor((drainMs * waveShare) / waveMs)));
  const retryAfterMs = (): number => Math.round(Math.random() * (othersServe ? waveMs : retrySpreadMs));
  flush();
  if (!othersServe) for (const viewer of viewers) viewer.goodbye(reason, retryAfterMs());
  const perWave = Math.ceil(viewers.length / waves);
  for (let first = 0; first < viewers.length; first += perWave) {
    flush();
    for (const viewer of viewers.slice(first, first + perWave)) {
      if (othersServe) viewer.goodbye('restart', retryAfterMs());
      viewer.close();
    }
    if (first + perWave < viewers.length) await sleep(waveMs);
  }
  while (registry.size > 0 && performance.now() < deadlineMs) await sleep(10);
  registry.stopHeartbeats();
  registry.terminateAll();
}
