import fastify from 'fastify';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteTable } from './route-table.ts';

test('the table has the methods of each path, whatever fills its parameters', async () => {
  const app = fastify();
  const routes = new RouteTable(app);
  const handler = async (): Promise<string> => '';
  app.get('/events/:id', handler);
  app.delete('/events/:id', handler);
  app.post('/events', handler);
  await app.register(async (scope) => void scope.put('/files/*', handler), { prefix: '/v1' });
  await app.ready();
  for (const [path, methods] of [
    ['/events/7', ['DELETE', 'GET', 'HEAD']],
    ['/events', ['POST']],
    ['/v1/files/a/b', ['PUT']],
    ['/events/', []],
    ['/events/7/8', []],
    ['/v1/files', []],
    ['/', []],
  ] as const)
    assert.deepEqual(routes.methodsOf(path), methods, path);
  await app.close();
});
