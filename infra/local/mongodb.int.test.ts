import { MongoBulkWriteError, MongoClient, type Db } from 'mongodb';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startStack } from './start-stack.ts';

const stack = await startStack({ only: ['mongodb'] });
after(() => stack.stop());
const skip = stack.missing.mongodb ?? false;

test('the stand-in looks like the router of a sharded cluster', { skip }, () =>
  withDatabase(stack.env, async (db) => {
    assert.equal((await db.command({ hello: 1 }))['msg'], 'isdbgrid');
    const shard = (key: object) => db.admin().command({ shardCollection: `${db.databaseName}.sharded`, key });
    await shard({ service: 1 });
    await shard({ service: 1 });
    await assert.rejects(shard({ host: 1 }), { codeName: 'AlreadyInitialized' });
    assert.equal(((await db.admin().command({ listShards: 1 }))['shards'] as unknown[]).length, 2);
  }),
);

test('as a standalone it knows no sharding', { skip }, async () => {
  await using standalone = await startStack({ only: ['mongodb'], mongodbMode: 'standalone' });
  await withDatabase(standalone.env, async (db) => {
    assert.equal((await db.command({ hello: 1 }))['msg'], undefined);
    await assert.rejects(db.admin().command({ listShards: 1 }));
  });
});

test('an unordered insert counts what was inserted, not what was refused', { skip }, () =>
  withDatabase(stack.env, async (db) => {
    const events = db.collection<{ _id: string }>('events');
    await events.insertOne({ _id: 'b' });
    await assert.rejects(
      events.insertMany([{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }], { ordered: false }),
      (error) => error instanceof MongoBulkWriteError && error.insertedCount === 2 && error.code === 11000,
    );
    assert.equal(await events.countDocuments(), 3);
  }),
);

test('documents expire by an index with expireAfterSeconds', { skip }, () =>
  withDatabase(stack.env, async (db) => {
    const events = db.collection('expiring');
    await events.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await events.insertMany([
      { at: new Date(Date.now() - 3_600_000) },
      { at: new Date(Date.now() + 3_600_000) },
    ]);
    const deadline = Date.now() + 30_000;
    while ((await events.countDocuments()) > 1 && Date.now() < deadline) await delay(100);
    assert.equal(await events.countDocuments(), 1);
  }),
);

test('a restart finds it empty', { skip }, async () => {
  await withDatabase(stack.env, (db) => db.collection('lost').insertOne({}));
  await stack.mongodb.kill('SIGKILL');
  await stack.mongodb.restart();
  await withDatabase(stack.env, async (db) => assert.equal(await db.collection('lost').countDocuments(), 0));
});

async function withDatabase<T>(env: Record<string, string>, use: (db: Db) => Promise<T>): Promise<T> {
  const client = await MongoClient.connect(env['MONGODB_URL']!);
  return use(client.db('local-stack-test')).finally(() => client.close());
}
