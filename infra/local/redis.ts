import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, EngineContext } from './engine.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { printed } from './readiness.ts';
import { hasCommand } from './run-command.ts';
import { ServerProcess } from './server-process.ts';

/** Starts the machine's own redis-server with an append-only file, so that what it acknowledged outlives its process. */
export async function startRedis(context: EngineContext): Promise<Engine> {
  if (!(await hasCommand('redis-server')))
    throw new MissingPrerequisite('redis', 'redis-server', 'apt-get install redis-server');
  const port = await context.ports.take(context.port);
  const data = join(context.dir, 'data');
  await mkdir(data, { recursive: true });
  const server = new ServerProcess({
    name: 'redis',
    port,
    command: 'redis-server',
    args: [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      data,
      '--appendonly',
      'yes',
      '--save',
      '',
      // BullMQ's demand: a queue must refuse new jobs rather than forget old ones.
      '--maxmemory-policy',
      'noeviction',
    ],
    logFile: join(context.dir, 'redis.log'),
    isReady: printed('Ready to accept connections'),
    signal: context.signal,
  });
  await server.start();
  return { servers: [server], env: { REDIS_URL: `redis://127.0.0.1:${port}` } };
}
