import { canaryService, openCanarySeal, parseCanaryMessage, type CanarySeal } from '@logloom/auth';
import { connectLog, type RunService } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { SettingsError } from '@logloom/settings';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../settings.ts';
import { canaryEndpoints } from './canary-endpoints.ts';
import { canaryPaths, CanaryLedger, type CanaryFindings } from './canary-ledger.ts';
import {
  httpReceivers,
  rawReceiver,
  syslogReceivers,
  type CanaryReceiver,
  type Refusal,
} from './canary-receivers.ts';
import { searchEvents, type CanaryDocumentJson, type CanaryEventJson } from './search-events.ts';
import { createCanaryMetrics, type CanaryMetrics } from './telemetry.ts';
import { watchStream } from './watch-stream.ts';

/** Two show whether the order was kept. */
const eventsPerBatch = 2;
const tickMs = 250;
/** A tick that is late by more shows that the process stood still. */
const stillMs = 5_000;
/** How long a receiver or the search API may take to answer. */
const answerMs = 30_000;
/** After this long without an event the search is asked less often. */
const eagerMs = 5_000;
const patientEvery = 4;
/** Correlation ids of batches that are remembered: more than the ledger keeps. */
const maxIds = 100_000;

/**
 * The canary: sends marked events to every receiver all the time, and compares what arrives in the search API, in correlation documents and at
 * a live viewer with what was acknowledged. Runs until the signal aborts; whatever it cannot reach is a finding, not a failure. Rejects with
 * SettingsError.
 */
export const runCanary: RunService<Settings> = async ({ settings, telemetry, signal, onReady }) => {
  const seal = openCanarySeal(settings);
  if (seal === undefined) throw new SettingsError(['CANARY: is off; set CANARY=on for every service']);
  const endpoints = canaryEndpoints(settings);
  const metrics = createCanaryMetrics(telemetry);
  const { logger } = telemetry;
  const { token } = seal;
  await using connection =
    settings.KAFKA_BROKERS === undefined ? undefined : await connectLog(settings, {}, telemetry, signal);
  const receivers = [
    ...httpReceivers(endpoints.ingest, token),
    ...(endpoints.syslog === undefined ? [] : syslogReceivers(endpoints.syslog.host, endpoints.syslog.port)),
    ...(connection === undefined ? [] : [rawReceiver(appendRaw(connection.log, settings.LOG_PARTITIONS))]),
  ];
  const lostAfterMs = settings.CANARY_LOST_AFTER_MS;
  const ledger = new CanaryLedger({
    findings: report(metrics),
    lostAfterMs: {
      searchable: lostAfterMs,
      sent: lostAfterMs,
      correlated: lostAfterMs + settings.CORRELATION_IDLE_MS,
    },
  });
  const run = randomBytes(8).toString('hex');
  const batchOf = new Map<string, { receiver: string; round: number }>();
  /** Members of each document of a batch, at its highest revision: a batch in parts has several. */
  const members = new Map<string, Map<string, number>>();
  for (const { name } of receivers) prepare(metrics, name);

  const seen = (path: 'searchable' | 'sent', events: readonly CanaryEventJson[]): void => {
    const atMs = Date.now();
    for (const { message, partition, offset } of events) {
      const mark = parseCanaryMessage(message);
      if (mark?.run === run) ledger.arrived(path, mark, { partition, offset }, atMs);
    }
  };
  const documentsSeen = (documents: readonly CanaryDocumentJson[]): void => {
    const atMs = Date.now();
    for (const { id, correlationId, eventCount } of documents) {
      const batch = batchOf.get(correlationId);
      if (batch === undefined) continue;
      const parts = members.get(correlationId) ?? new Map<string, number>();
      members.set(correlationId, parts.set(id, Math.max(parts.get(id) ?? 0, eventCount)));
      ledger.correlated(
        batch,
        [...parts.values()].reduce((sum, count) => sum + count, 0),
        atMs,
      );
    }
  };

  const round = (number: number): void => {
    for (const receiver of receivers) {
      const correlationId = seal.correlationId({ run, receiver: receiver.name, round: number });
      batchOf.set(correlationId, { receiver: receiver.name, round: number });
      if (batchOf.size > maxIds) {
        const [oldest] = batchOf.keys();
        batchOf.delete(oldest!);
        members.delete(oldest!);
      }
      const batch = { seal, run, receiver, round: number, ledger, metrics, signal };
      void sendBatch(batch).then((refusal) => {
        if (refusal !== undefined)
          logger.warn({ ...refusal, receiver: receiver.name }, 'a receiver did not take the canary');
      });
    }
  };

  const search = async (): Promise<void> => {
    for (let tick = 0; !signal.aborted; tick++) {
      await sleep(tickMs, undefined, { signal }).catch(() => {});
      const sinceMs = ledger.oldestMissing('searchable');
      if (sinceMs === undefined || signal.aborted) continue;
      if (Date.now() - sinceMs > eagerMs && tick % patientEvery !== 0) continue;
      try {
        const within = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
        seen('searchable', await searchEvents({ url: endpoints.search, token, sinceMs, signal: within }));
      } catch (error) {
        if (signal.aborted) return;
        metrics.watchErrors.inc({ path: 'searchable' });
        logger.warn({ err: error }, 'the canary could not search');
      }
    }
  };

  const subscribed = { events: Promise.withResolvers<void>(), correlations: Promise.withResolvers<void>() };
  const watch = (stream: 'events' | 'correlations', onItems: (items: readonly unknown[]) => void) =>
    watchStream(
      {
        url: endpoints.viewers,
        token,
        stream,
        onItems,
        onSubscribed: () => subscribed[stream].resolve(),
        onEnd: (error) => {
          metrics.watchErrors.inc({ path: 'sent' });
          logger.warn(
            { err: error, stream },
            'the canary lost its connection as a viewer; it connects again',
          );
        },
      },
      signal,
    );

  const send = async (): Promise<void> => {
    // What is sent before it watches would be missing.
    await Promise.race([
      Promise.all([subscribed.events.promise, subscribed.correlations.promise]),
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
    ]);
    let dueAtMs = performance.now();
    let tickedAtMs = performance.now();
    for (let number = 0; !signal.aborted;) {
      const nowMs = performance.now();
      const stoodStillMs = nowMs - tickedAtMs - tickMs;
      tickedAtMs = nowMs;
      if (stoodStillMs > stillMs) ledger.stoodStill(stoodStillMs);
      ledger.expire(Date.now());
      if (nowMs >= dueAtMs) {
        round(number++);
        dueAtMs = nowMs + settings.CANARY_INTERVAL_MS;
      }
      await sleep(tickMs, undefined, { signal }).catch(() => {});
    }
  };

  onReady();
  await Promise.all([
    watch('events', (events) => seen('sent', events as CanaryEventJson[])),
    watch('correlations', (documents) => documentsSeen(documents as CanaryDocumentJson[])),
    search(),
    send(),
  ]);
};

interface BatchToSend {
  seal: CanarySeal;
  run: string;
  receiver: CanaryReceiver;
  round: number;
  ledger: CanaryLedger;
  metrics: CanaryMetrics;
  signal: AbortSignal;
}

/** Sends a batch and notes the answer; resolves with the reason when it was not acknowledged. */
async function sendBatch({
  seal,
  run,
  receiver,
  round,
  ledger,
  metrics,
  signal,
}: BatchToSend): Promise<Refusal | undefined> {
  const { name, content, isOrdered } = receiver;
  const sentAtMs = Date.now();
  const events = Array.from({ length: eventsPerBatch }, (_, index) => ({
    message: seal.message({ run, receiver: name, round, index, sentAtMs }, content),
    timestampMs: sentAtMs,
  }));
  const batch = { receiver: name, round, events: events.length, sentAtMs, isOrdered };
  ledger.sending(batch);
  metrics.sent.inc({ receiver: name }, events.length);
  const refusal = await receiver.send(events, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
  if (refusal === undefined) {
    ledger.accepted(batch);
    return undefined;
  }
  ledger.refused(batch);
  if (signal.aborted) return undefined;
  metrics.refused.inc({ receiver: name, reason: refusal.reason }, events.length);
  return refusal;
}

function report(metrics: CanaryMetrics): CanaryFindings {
  return {
    arrived: (receiver, path, events, ageMs) => {
      metrics.expected.inc({ receiver, path }, events);
      for (let i = 0; i < events; i++) metrics.age.observe({ receiver, path }, ageMs / 1000);
    },
    complete: (receiver, path, atMs) => metrics.lastSuccess.set({ receiver, path }, atMs / 1000),
    lost: (receiver, path, events) => {
      metrics.expected.inc({ receiver, path }, events);
      metrics.lost.inc({ receiver, path }, events);
    },
    late: (receiver, path, events) => metrics.late.inc({ receiver, path }, events),
    duplicated: (receiver, path, events) => metrics.duplicated.inc({ receiver, path }, events),
    disordered: (receiver, path, events) => metrics.disordered.inc({ receiver, path }, events),
  };
}

/**
 * Counters that are 0 from the start: Prometheus sees no increase from nothing to one. And the last success is the start, so that a path on
 * which nothing has ever arrived is silent too.
 */
function prepare(metrics: CanaryMetrics, receiver: string): void {
  metrics.sent.inc({ receiver }, 0);
  for (const reason of ['unreachable', 'unacknowledged']) metrics.refused.inc({ receiver, reason }, 0);
  for (const path of ['searchable', 'sent']) metrics.watchErrors.inc({ path }, 0);
  for (const path of canaryPaths) metrics.lastSuccess.set({ receiver, path }, Date.now() / 1000);
  for (const path of canaryPaths)
    for (const counter of [
      metrics.expected,
      metrics.lost,
      metrics.late,
      metrics.duplicated,
      metrics.disordered,
    ])
      counter.inc({ receiver, path }, 0);
}

/** Appends to the topic of applications: all of one batch to one partition, so that they keep their order. */
function appendRaw(
  log: {
    append: (topic: string, records: { partition: number; key: string; value: Buffer }[]) => Promise<unknown>;
  },
  partitions: number,
): (values: readonly Buffer[]) => Promise<unknown> {
  let next = 0;
  return (values) => {
    const partition = next++ % partitions;
    return log.append(
      topics.raw,
      values.map((value) => ({ partition, key: canaryService, value })),
    );
  };
}
