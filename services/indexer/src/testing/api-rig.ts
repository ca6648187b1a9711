import { openEmbeddedArchive } from '@logloom/archive';
import type { Authenticate } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import '@logloom/runtime/testing/hold-contract';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { placedEvent, temporaryFolder } from '@logloom/testing';
import fastify from 'fastify';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { registerApi, type ApiDeps } from '../api/api.ts';

/** For tests: the API over real embedded stores in a folder of its own. */
export async function openApiRig(deps: Partial<ApiDeps> & { authenticate?: Authenticate } = {}) {
  const folder = temporaryFolder('api').path;
  const search = openEmbeddedSearchStore(folder);
  const archive = openEmbeddedArchive(folder);
  const log = new SqliteEventLog(join(folder, 'log'));
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 2 })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const app = fastify();
  registerApi(app, { search, archive, log, serde, version: '1.2.3', ...deps });
  return {
    folder,
    app,
    search,
    archive,
    log,
    serde,
    get: async (
      path: string,
      parameters: Record<string, string> = {},
      headers: Record<string, string> = {},
    ) => {
      const url = `/api/${path}?${new URLSearchParams(parameters).toString()}`;
      const response = await app.inject({ url, headers });
      return { status: response.statusCode, headers: response.headers, text: response.body };
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await Promise.all([search.close(), archive.close(), log.close()]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** An event of the test's own, a second after the one before. */
export function rigEvent(offset: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  const timestamp = Date.parse('2024-05-01T11:00:00Z') * 1000 + offset * 1_000_000;
  return placedEvent(offset, { id: `epoch-0-${offset}`, timestamp, ...rest });
}
