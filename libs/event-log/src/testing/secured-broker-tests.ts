import { eventually, temporaryFolder } from '@logloom/testing';
import { settingsOf } from '@logloom/settings';
import { EngineAccessError } from '@logloom/settings/connection';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import {
  changeKafkaPermissions,
  signToken,
  type KafkaPermission,
  type Stack,
} from '../../../../infra/local/start-stack.ts';
import { eventLogContract } from '../contract/event-log.contract.ts';
import { newGroup, newTopic, numbered, readAll, record, Running, texts } from '../contract/harness.ts';
import { KafkaEventLog } from '../kafka/kafka-event-log.ts';
import { kafkaSecurityOf } from '../kafka/security/settings.ts';
import { eventLogSettings } from '../settings.ts';

type Env = Record<string, string>;

const topics = [{ name: 'secured', partitions: 1 }];

/** The log on a broker that wants TLS and a login, by every way there is, and by wrong ones. */
export function securedBrokerTests(stack: Stack, isFull: boolean): void {
  const { security } = stack;
  const password = security?.password ?? '';
  const { KAFKA_BROKERS: brokers = '', KAFKA_SSL_CA_FILE: ca = '' } = stack.env;
  const tls = { KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: ca };
  const login = { KAFKA_SASL_USERNAME: 'logloom', KAFKA_SASL_PASSWORD: password };
  const scram = { KAFKA_BROKERS: brokers, ...tls, KAFKA_SASL_MECHANISM: 'scram-sha-512', ...login };
  const endpoint = createHttpServer();
  let tokens = 0;
  let tokenSeconds = 600;
  const oauth = (clientId = 'logloom', clientSecret = 'right'): Env => ({
    KAFKA_BROKERS: brokers,
    ...tls,
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`,
    KAFKA_SASL_OAUTHBEARER_CLIENT_ID: clientId,
    KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: clientSecret,
    KAFKA_SASL_OAUTHBEARER_SCOPE: 'kafka',
  });

  before(async () => {
    endpoint.on('request', (request, response) => {
      const [id, secret] = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64')
        .toString()
        .split(':');
      response.setHeader('content-type', 'application/json');
      if (secret !== 'right') {
        response.writeHead(401).end('{"error":"invalid_client"}');
        return;
      }
      tokens++;
      const token = signToken(security!.dir, id!, tokenSeconds);
      response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: tokenSeconds }));
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  });
  after(() => void endpoint.close());

  const ways: Record<string, () => Env> = {
    'scram-sha-512': () => scram,
    'scram-sha-256': () => ({ ...scram, KAFKA_SASL_MECHANISM: 'scram-sha-256' }),
    plain: () => ({ ...scram, KAFKA_SASL_MECHANISM: 'plain' }),
    oauthbearer: () => oauth(),
    'a client certificate': () => ({
      KAFKA_BROKERS: stack.addressesOf('kafka')['mtls']!,
      ...tls,
      KAFKA_SSL_CERT_FILE: security!.client.cert,
      KAFKA_SSL_KEY_FILE: security!.client.key,
    }),
  };
  for (const [way, env] of Object.entries(ways))
    test(`appends, reads and consumes by ${way}`, async () => {
      const before = tokens;
      await using log = await openLog(env());
      const topic = await newTopic(log);
      await log.append(topic, numbered('a', 3));
      assert.deepEqual(texts(await readAll(log, topic)), ['a0', 'a1', 'a2']);
      const found: string[] = [];
      await using consuming = new Running((signal) =>
        log.consume(
          {
            group: newGroup(),
            topics: [topic],
            open: async () => ({ process: async (records) => void found.push(...texts(records)) }),
          },
          signal,
        ),
      );
      await consuming.until('the records', () => found.length === 3);
      assert.equal(log.problem(), undefined);
      // One token serves all connections.
      assert.ok(tokens - before <= 1);
    });

  const refusals: Record<string, [env: () => Env, reason: RegExp]> = {
    'a wrong password': [
      () => ({ ...scram, KAFKA_SASL_PASSWORD: 'not-it' }),
      /KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD/,
    ],
    'a wrong user': [
      () => ({ ...scram, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'nobody' }),
      /KAFKA_SASL_USERNAME/,
    ],
    'a wrong client secret': [
      () => oauth('logloom', 'not-it'),
      /401 invalid_client \(KAFKA_SASL_OAUTHBEARER_CLIENT_ID/,
    ],
    'an authority that is not trusted': [() => without(scram, 'KAFKA_SSL_CA_FILE'), /KAFKA_SSL_CA \(/],
    'plain text to a TLS port': [
      () => ({ KAFKA_BROKERS: brokers }),
      /speaks TLS on this port: KAFKA_SSL=true/,
    ],
    'TLS to a plain port': [
      () => ({ ...scram, KAFKA_BROKERS: stack.addressesOf('kafka')['internal']! }),
      /speaks no TLS on this port, but KAFKA_SSL=true/,
    ],
    'no login': [
      () => ({ KAFKA_BROKERS: brokers, ...tls }),
      /wants a login by SASL on this port: KAFKA_SASL_MECHANISM/,
    ],
    'no client certificate': [
      () => ({ KAFKA_BROKERS: stack.addressesOf('kafka')['mtls']!, ...tls }),
      /KAFKA_SSL_CERT, KAFKA_SSL_KEY/,
    ],
  };
  for (const [what, [env, reason]] of Object.entries(refusals))
    test(`${what}: one line that names the setting and no secret`, async () => {
      await refused(openLog(env()), reason);
    });

  test("a certificate for another name is refused, with the setting's name", async () => {
    const other = await security!.issue('elsewhere', { altNames: 'DNS:elsewhere.example' });
    const server = createTlsServer({ cert: readFileSync(other.cert), key: readFileSync(other.key) });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await refused(
      openLog({ ...scram, KAFKA_BROKERS: `127.0.0.1:${port}` }),
      /other names than the one in KAFKA_BROKERS/,
    );
    server.close();
  });

  test('a user without permissions is refused with what it lacks', async () => {
    const opening = openLog(oauth('nobody'));
    await assert.rejects(opening, {
      code: 'engine-access-denied',
      message: /^Kafka: .*permission on the topic secured/,
    });
  });

  test('a permission that is taken away while it runs is a problem until it is there again, and the append waits', async () => {
    const topic = 'permitted';
    await using owner = await openLog(scram);
    await owner.createTopics([{ name: topic, partitions: 1 }]);
    const permission = (name: string, operation: KafkaPermission['operation']): KafkaPermission => ({
      user: 'writer',
      resource: 'topic',
      name,
      operation,
    });
    const describing = [topic, ...topics.map(({ name }) => name)].flatMap((name) => [
      permission(name, 'Describe'),
      permission(name, 'DescribeConfigs'),
    ]);
    const writing = [permission(topic, 'Write')];
    await changeKafkaPermissions(stack, [...describing, ...writing]);
    await using log = await openLog(oauth('writer'));
    await log.append(topic, [record('before')]);
    assert.equal(log.problem(), undefined);

    await changeKafkaPermissions(stack, writing, { revoke: true });
    const appending = log.append(topic, [record('meanwhile')]);
    appending.catch(() => {});
    await eventually('a problem', () => log.problem() !== undefined);
    assert.match(log.problem()!, /^Kafka: .*permission on the topic.*KAFKA_SASL_USERNAME/);
    await changeKafkaPermissions(stack, writing);
    await appending;
    assert.equal(log.problem(), undefined);
    assert.deepEqual(texts(await readAll(owner, topic)), ['before', 'meanwhile']);
  });

  test('a changed password is taken up by new connections; a broken file is told and changes nothing', async () => {
    const folder = temporaryFolder('kafka-password');
    const file = join(folder.path, 'password');
    const troubles: string[] = [];
    writeFileSync(file, `${password}\n`);
    await using log = await openLog(
      { ...without(scram, 'KAFKA_SASL_PASSWORD'), KAFKA_SASL_PASSWORD_FILE: file },
      (message) => troubles.push(message),
    );
    const topic = await newTopic(log);
    writeFileSync(file, '');
    await eventually('the file is told', () => troubles.length === 1);
    assert.equal(
      troubles[0],
      `KAFKA_SASL_PASSWORD_FILE=${file}: the file is empty; what it was before stays in use`,
    );
    await log.append(topic, [record('by the old one')]);

    writeFileSync(file, 'not-it\n');
    await eventually('a problem', () => log.problem() !== undefined);
    assert.match(log.problem()!, /refuses the credentials: .*KAFKA_SASL_PASSWORD/);
    assert.doesNotMatch(log.problem()!, /not-it/);

    writeFileSync(file, `${password}\n`);
    await eventually('no problem', () => log.problem() === undefined);
    const found: string[] = [];
    await using following = new Running((signal) =>
      log.follow({ topic, from: [0], onBatch: (records) => void found.push(...texts(records)) }, signal),
    );
    await following.until('the record', () => found.length === 1);
    folder[Symbol.dispose]();
  });

  describe('everything', { skip: isFull ? false : 'LOGLOOM_FULL=1' }, () => {
    const connect = (): Promise<KafkaEventLog> => openLog(scram);
    eventLogContract('KafkaEventLog over SASL_SSL', async () => ({ log: await connect(), connect }));

    test('sessions that end with their tokens are renewed, and nothing is lost', async () => {
      tokenSeconds = 14;
      await using log = await openLog(oauth());
      const topic = await newTopic(log);
      const found: string[] = [];
      await using following = new Running((signal) =>
        log.follow({ topic, from: [0], onBatch: (records) => void found.push(...texts(records)) }, signal),
      );
      const before = tokens;
      let sent = 0;
      for (const end = Date.now() + 45_000; Date.now() < end; sent++) {
        await log.append(topic, [record(String(sent))]);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await following.until('the records', () => found.length >= sent);
      assert.deepEqual(
        found,
        Array.from({ length: sent }, (_, i) => String(i)),
      );
      assert.ok(tokens - before >= 3);
    });
  });

  async function openLog(
    env: Env,
    onTrouble: (message: string) => void = () => {},
  ): Promise<KafkaEventLog & AsyncDisposable> {
    const settings = settingsOf(eventLogSettings).parse(env);
    const log = await KafkaEventLog.open(
      {
        brokers: settings.KAFKA_BROKERS!,
        security: kafkaSecurityOf(settings),
        onTrouble: ({ message }) => onTrouble(message),
      },
      topics,
    );
    return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() });
  }

  async function refused(opening: Promise<unknown>, reason: RegExp): Promise<void> {
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof EngineAccessError, String(error));
      assert.match(error.message, /^Kafka at 127\.0\.0\.1:\d+: .*\(KAFKA_BROKERS\)$/);
      assert.match(error.message, reason);
      assert.ok(!error.message.includes(password) && !error.message.includes('not-it'));
      return true;
    });
  }
}

function without(env: Env, name: string): Env {
  return Object.fromEntries(Object.entries(env).filter(([key]) => key !== name));
}
