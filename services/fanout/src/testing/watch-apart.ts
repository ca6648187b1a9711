import type { Authenticate } from '@logloom/auth';
import type { LogEvent } from '@logloom/schemas';
import { correlationDocument, eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import type { ClientOptions } from 'ws';
import { LiveClient } from './live-client.ts';
import type { LiveRig, RunningTier } from './live-rig.ts';

/** A viewer who gets a part of the log, and what that is. */
export interface Party {
  filter?: string;
  connection?: ClientOptions;
  /** Messages of events or correlation ids of documents, in order. */
  gets: readonly string[];
  /** It is not asked for the last ones. */
  onlyFromCursors?: boolean;
}

/** Fails unless each party gets its events and no others: live, from a cursor in memory and in the log, and as the last ones. */
export async function assertEventsApart(
  rig: LiveRig,
  authenticate: Authenticate,
  events: readonly LogEvent[],
  parties: readonly Party[],
): Promise<RunningTier> {
  const running = await rig.start({}, {}, authenticate);
  const live = await Promise.all(parties.map((party) => watch(running.port, party, 'events', 'now')));
  await rig.append(events);
  await assertGot(live, parties, messagesOf);
  const { cursor } = live[0]!;
  // Another node has nothing of it in memory.
  for (const { port } of [running, await rig.start({ readBack: 0 }, {}, authenticate)])
    for (const from of [{ cursor }, { tail: 100 }, { last: '1h' }]) {
      const asked = parties.filter(({ onlyFromCursors }) => 'cursor' in from || onlyFromCursors !== true);
      const again = await Promise.all(asked.map((party) => watch(port, party, 'events', from)));
      await assertGot(again, asked, messagesOf);
    }
  // The first ones have got nothing more.
  await assertGot(live, parties, messagesOf);
  return running;
}

/** Fails unless each party gets its documents and no others; one document of each kind is written, `request-0` of the first. */
export async function assertDocumentsApart(
  rig: LiveRig,
  authenticate: Authenticate,
  kinds: readonly string[],
  parties: readonly Party[],
): Promise<void> {
  const { port } = await rig.start({}, {}, authenticate);
  const watching = await Promise.all(parties.map((party) => watch(port, party, 'correlations', 'now')));
  await rig.appendCorrelations(
    kinds.map((kind, i) => ({
      ...correlationDocument('', { correlationId: `request-${i}` }),
      kind,
      firstOffset: 10 + i,
      closeOffset: 20,
      closeSequence: i,
    })),
  );
  await assertGot(watching, parties, correlationIdsOf);
}

interface Watching {
  client: LiveClient;
  cursor: string;
}

async function watch(
  port: number,
  { filter = '', connection = {} }: Party,
  stream: 'events' | 'correlations',
  from: unknown,
): Promise<Watching> {
  const client = await LiveClient.open(port, connection);
  const { cursor } = await client.subscribe({ stream, filter, from });
  return { client, cursor: cursor! };
}

async function assertGot(
  watching: readonly Watching[],
  parties: readonly Party[],
  itemsOf: (client: LiveClient) => string[],
): Promise<void> {
  await eventually('all have come', () =>
    watching.every(({ client }, i) => itemsOf(client).length >= parties[i]!.gets.length),
  );
  assert.deepEqual(
    watching.map(({ client }) => itemsOf(client)),
    parties.map(({ gets }) => gets),
  );
}

function messagesOf(client: LiveClient): string[] {
  return client.messages.flatMap(({ events = [] }) => events.map(({ message }) => message));
}

function correlationIdsOf(client: LiveClient): string[] {
  return client.messages.flatMap(({ correlations = [] }) =>
    (correlations as { id: string; correlationId: string }[]).map(({ correlationId }) => correlationId),
  );
}
