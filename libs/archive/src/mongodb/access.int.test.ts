import { settingsOf, SettingsError } from '@logloom/settings';
import { eventually, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startStack } from '../../../../infra/local/start-stack.ts';
import type { Archive } from '../archive.ts';
import { openArchive } from '../open.ts';
import { archiveSettings, mongodbOf } from '../settings.ts';

type Env = Record<string, string | undefined>;

const stack = await startStack({ only: ['mongodb'], secured: true });
const { env } = stack;
const password = stack.security?.password ?? '';
const login = { MONGODB_USERNAME: undefined, MONGODB_PASSWORD_FILE: undefined };
const x509 = {
  ...login,
  MONGODB_URL: `${env['MONGODB_URL']}&authMechanism=MONGODB-X509`,
  MONGODB_TLS_CERT_FILE: stack.security?.client.cert,
  MONGODB_TLS_KEY_FILE: stack.security?.client.key,
};

describe('MongoDB by TLS and a login', { skip: stack.missing.mongodb ?? false }, () => {
  after(() => stack.stop());

  const ways: Record<string, Env> = {
    'a password in a file': {},
    'a login in the URL': {
      ...login,
      MONGODB_URL: env['MONGODB_URL']?.replace('://', `://logloom:${password}@`),
    },
    'a client certificate (X.509)': x509,
  };
  for (const [i, [way, changed]] of Object.entries(ways).entries())
    test(`stores and finds by ${way}`, async () => {
      await using archive = await open(changed);
      const event = placedEvent(i, { correlationId: way });
      await archive.put([event]);
      assert.deepEqual(
        (await archive.byCorrelation(way)).map(({ id }) => id),
        [event.id],
      );
      assert.equal(archive.problem!(), undefined);
    });

  const refusals: Record<string, [Env, RegExp]> = {
    'a wrong password': [
      { MONGODB_PASSWORD_FILE: undefined, MONGODB_PASSWORD: 'not-it' },
      /MONGODB_PASSWORD/,
    ],
    'no login': [login, /there is no login \(13\): MONGODB_USERNAME/],
    'an authority that is not trusted': [{ MONGODB_TLS_CA_FILE: undefined }, /MONGODB_TLS_CA/],
    'a client certificate of somebody else': [
      {
        ...x509,
        MONGODB_TLS_CERT_FILE: stack.security?.server.cert,
        MONGODB_TLS_KEY_FILE: stack.security?.server.key,
      },
      /for X\.509 MONGODB_TLS_CERT/,
    ],
  };
  for (const [what, [changed, reason]] of Object.entries(refusals))
    test(`${what}: one line that names the setting and no secret`, async () => {
      await assert.rejects(open(changed), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'engine-access-denied', error.message);
        assert.match(error.message, /^MongoDB \(MONGODB_URL\): [^\n]+$/);
        assert.match(error.message, reason);
        return !error.message.includes(password) && !error.message.includes('not-it');
      });
    });

  test('settings that do not fit together are told', () => {
    const problems = (changed: Env): string => {
      try {
        settingsOf(archiveSettings).parse({ ...env, ...changed });
        return '';
      } catch (error) {
        assert.ok(error instanceof SettingsError);
        return error.message;
      }
    };
    assert.match(problems({ MONGODB_URL: 'mongodb://a' }), /MONGODB_TLS_CA is for TLS: write tls=true/);
    assert.match(problems({ MONGODB_TLS_CERT_FILE: x509.MONGODB_TLS_CERT_FILE }), /belong together/);
    assert.match(problems({ MONGODB_URL: `${env['MONGODB_URL']}&tlsCAFile=/x` }), /give one of them/);
  });

  test('a changed password is taken up by a running archive; a wrong one is a problem until it is mended', async () => {
    using folder = temporaryFolder('mongodb-password');
    const file = join(folder.path, 'password');
    writeFileSync(file, password);
    await using archive = await open({ MONGODB_PASSWORD_FILE: file });
    const { passwordFile } = stack.security!;
    const before = readFileSync(passwordFile);
    try {
      writeFileSync(file, 'another');
      await eventually('a refusal', async () => {
        await archive.counts().catch(() => {});
        return archive.problem!() !== undefined;
      });
      assert.match(
        archive.problem!()!,
        /^MongoDB \(MONGODB_URL\): it refuses the login \(18\).*MONGODB_PASSWORD/,
      );
      await assert.rejects(archive.counts(), { code: 'archive-unavailable', retriable: true });
      writeFileSync(passwordFile, 'another');
      await archive.counts();
      assert.equal(archive.problem!(), undefined);
    } finally {
      writeFileSync(passwordFile, before);
    }
  });
});

async function open(changed: Env): Promise<Archive & AsyncDisposable> {
  const settings = settingsOf(archiveSettings).parse({ ...env, ...changed });
  const archive = await openArchive({ ...mongodbOf(settings), folder: '/none' });
  return Object.assign(Object.create(archive) as Archive, {
    [Symbol.asyncDispose]: () => archive.close(),
  });
}
