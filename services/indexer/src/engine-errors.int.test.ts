import { openArchive } from '@logloom/archive';
import { openEventLog } from '@logloom/event-log';
import { openJobQueue, openJobRecords } from '@logloom/job-queue';
import { openSchemaRegistry } from '@logloom/schema-registry';
import { openSearchStore } from '@logloom/search-store';
import { parseSettings } from './settings.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, test } from 'node:test';
import { guarded, watchEngines } from './watch-engines.ts';

const password = 'p-4711-secret';

interface Attempt extends AsyncDisposable {
  /** Rejects, because the engine does not do what it is asked. */
  ask: () => Promise<unknown>;
  /** What was said besides. */
  told: string[];
}

/** Each engine as the services use it, by its setting. */
const engines: Record<string, { url: (port: number) => string; attempt: (url: string) => Promise<Attempt> }> =
  {
    ELASTICSEARCH_URL: {
      url: (port) => `http://user:${password}@127.0.0.1:${port}`,
      attempt: async (url) => {
        const { search } = watchEngines(parseSettings({ ELASTICSEARCH_URL: url }));
        const open = async () =>
          guarded(search, await openSearchStore({ elasticsearchUrl: url, folder: '/none', readOnly: true }));
        return attemptOf(open, (store) => store.counts());
      },
    },
    MONGODB_URL: {
      url: (port) => `mongodb://user:${password}@127.0.0.1:${port}`,
      attempt: async (url) => {
        const { archive } = watchEngines(parseSettings({ MONGODB_URL: url }));
        const open = async () =>
          guarded(archive, await openArchive({ mongodbUrl: url, folder: '/none', readOnly: true }));
        return attemptOf(open, (store) => store.counts());
      },
    },
    'REDIS_URL of the queue': {
      url: (port) => `redis://user:${password}@127.0.0.1:${port}`,
      attempt: async (url) => {
        const { jobs } = watchEngines(parseSettings({ REDIS_URL: url }));
        const told: string[] = [];
        const onTrouble = (message: string): void => void told.push(message);
        const open = async () =>
          guarded(jobs, await openJobQueue({ redisUrl: url, folder: '/none', onTrouble }), {
            unwatched: ['process'],
          });
        return attemptOf(open, (queue) => queue.counts('any'), told);
      },
    },
    'REDIS_URL of the records': {
      url: (port) => `redis://user:${password}@127.0.0.1:${port}`,
      attempt: async (url) => {
        const { jobs } = watchEngines(parseSettings({ REDIS_URL: url }));
        const told: string[] = [];
        const onTrouble = (message: string): void => void told.push(message);
        const open = async () =>
          guarded(jobs, await openJobRecords({ redisUrl: url, folder: '/none', onTrouble }));
        return attemptOf(open, (records) => records.list('any'), told);
      },
    },
    SCHEMA_REGISTRY_URL: {
      url: (port) => `http://user:${password}@127.0.0.1:${port}`,
      attempt: (url) =>
        attemptOf(
          () => openSchemaRegistry({ url }),
          (registry) => registry.schemaById(1),
        ),
    },
    KAFKA_BROKERS: {
      url: (port) => `127.0.0.1:${port}`,
      attempt: (url) =>
        attemptOf(
          () =>
            openEventLog({
              dataFolder: '/none',
              topics: [],
              kafka: { brokers: [url], patienceMs: 500 },
              onTrouble: () => {},
            }),
          (log) => log.partitionCount('any'),
        ),
    },
  };

/** Opening may already reject: then that is what is asked. */
async function attemptOf<T extends { close: () => Promise<void> }>(
  open: () => Promise<T>,
  ask: (port: T) => Promise<unknown>,
  told: string[] = [],
): Promise<Attempt> {
  let port: T | undefined;
  return {
    told,
    ask: async () => ask((port ??= await open())),
    [Symbol.asyncDispose]: async () => void (await port?.close()),
  };
}

/** What an engine that wants a password says, whatever it is asked; undefined where that needs a server of its own. */
function refusing(setting: string): Server | undefined {
  if (/ELASTICSEARCH|REGISTRY/.test(setting))
    return createHttpServer((request, response) => {
      request.resume();
      response.writeHead(401, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
      response.end(
        JSON.stringify({ error_code: 401, message: 'who are you?', error: 'who are you?', status: 401 }),
      );
    });
  if (/REDIS/.test(setting))
    return createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data: Buffer) => {
        for (const [, count] of data.toString('latin1').matchAll(/(?:^|\r\n)\*(\d+)\r\n/g))
          if (Number(count) > 0) socket.write('-NOAUTH Authentication required.\r\n');
      });
    });
  return undefined;
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** All that an error says, its causes and stacks included. */
const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.stack}\n${textOf(error.cause)}` : '';

describe('errors of engines name their setting and no password', { concurrency: true }, () => {
  for (const [name, { url, attempt }] of Object.entries(engines)) {
    const setting = name.split(' ')[0]!;
    const check = async (port: number): Promise<void> => {
      await using trying = await attempt(url(port));
      await assert.rejects(trying.ask(), (error: Error) => {
        assert.ok(error.message.includes(setting), error.message);
        assert.ok(!textOf(error).includes(password), textOf(error));
        return true;
      });
      for (const line of trying.told) {
        assert.ok(line.includes(setting), line);
        assert.ok(!line.includes(password), line);
      }
    };

    test(`${name}: nobody listens there`, { timeout: 60_000 }, async () => check(await closedPort()));

    test(`${name}: connections are ended at once`, { timeout: 60_000 }, async (t) => {
      const server = createServer((socket) => socket.destroy());
      t.after(() => server.close());
      await check(await portOf(server));
    });

    test(`${name}: nothing is answered`, { timeout: 60_000 }, async (t) => {
      const sockets = new AbortController();
      const server = createServer((socket) => {
        socket.on('error', () => {});
        sockets.signal.addEventListener('abort', () => socket.destroy());
      });
      t.after(() => {
        sockets.abort();
        server.close();
      });
      await check(await portOf(server));
    });

    const server = refusing(name);
    if (server === undefined) continue;
    test(`${name}: a password is wanted`, { timeout: 60_000 }, async (t) => {
      t.after(() => server.close());
      await check(await portOf(server));
    });
  }
});
