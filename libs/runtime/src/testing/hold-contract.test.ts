import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Runs a program under the hold; returns its exit code and what it said. */
function run(program: string): { status: number | null; stderr: string } {
  const source = `
    import { holdClientMessage, holdServerMessage } from './hold-contract.ts';
    import fastify from 'fastify';
    const app = fastify();
    ${program}`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('a process whose responses and messages are documented ends well', () => {
  const { status, stderr } = run(`
    app.get('/health/live', () => ({ status: 'live' }));
    app.get('/of-the-test', () => ({ any: 'thing' }));
    await app.inject('/health/live');
    await app.inject('/of-the-test');
    holdServerMessage({ type: 'heartbeat' });
    holdClientMessage('{"type":"ping"}', true);
    holdClientMessage('{"type":"dance"}', false);`);
  assert.deepEqual([status, stderr], [0, '']);
});

test('a process that saw anything else names it and fails', () => {
  const { status, stderr } = run(`
    app.get('/health/live', () => ({ status: 'alive' }));
    app.get('/health/ready', () => ({ status: 'ready', extra: 1 }));
    app.get('/metrics', (_, reply) => reply.code(418).send());
    app.get('/api/*', () => ({ id: 1 }));
    for (const path of ['/health/live', '/health/ready', '/metrics', '/api/events/a']) await app.inject(path);
    holdServerMessage({ type: 'events', channel: 1, cursor: 'c', events: [{}] });
    holdClientMessage('{"type":"subscribe"}', true);
    holdClientMessage('{"type":"ping"}', false);`);
  assert.equal(status, 1);
  for (const problem of [
    /GET \/health\/live 200: \/status/,
    /GET \/health\/ready 200: .*additional properties/,
    /GET \/metrics 418: 418 is not documented/,
    /GET \/api\/events\/\{id\} 200: .*timestamp/,
    /server message: /,
    /client message that the server takes: /,
    /client message: the server does not take it/,
  ])
    assert.match(stderr, problem);
});
