import { settingsOf, SettingsError } from '@logloom/settings';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SecuredProxy, startStack } from '../../../infra/local/start-stack.ts';
import { openSchemaRegistry } from './open.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { schemaRegistryOf, schemaRegistrySettings } from './settings.ts';

type Env = Record<string, string | undefined>;

const stack = await startStack({ only: ['schema-registry'], secured: true });
const basic = (password: string): string => `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
const schema = '{"type":"record","name":"S","fields":[{"name":"a","type":"string"}]}';

describe('the registry by TLS and a login', { skip: stack.missing['schema-registry'] ?? false }, () => {
  let proxy: SecuredProxy;
  let mayRead = true;
  let password = 'right';
  before(async () => {
    proxy = await SecuredProxy.start({
      security: stack.security!,
      target: stack.env['SCHEMA_REGISTRY_URL']!,
      wantsCertificate: true,
      refuse: ({ headers }) => {
        if (![basic(password), 'Bearer token'].includes(headers.authorization ?? '')) return 401;
        return mayRead ? undefined : 403;
      },
    });
  });
  after(async () => {
    proxy[Symbol.dispose]();
    await stack.stop();
  });

  const env = (): Env => ({
    SCHEMA_REGISTRY_URL: proxy.url,
    SCHEMA_REGISTRY_USERNAME: 'ada',
    SCHEMA_REGISTRY_PASSWORD: password,
    SCHEMA_REGISTRY_TLS_CA_FILE: stack.security!.ca,
    SCHEMA_REGISTRY_TLS_CERT_FILE: stack.security!.client.cert,
    SCHEMA_REGISTRY_TLS_KEY_FILE: stack.security!.client.key,
  });
  const noLogin = { SCHEMA_REGISTRY_USERNAME: undefined, SCHEMA_REGISTRY_PASSWORD: undefined };
  const noClient = { SCHEMA_REGISTRY_TLS_CERT_FILE: undefined, SCHEMA_REGISTRY_TLS_KEY_FILE: undefined };
  const open = (changed: Env = {}): Promise<SchemaRegistry> =>
    openSchemaRegistry(schemaRegistryOf(settingsOf(schemaRegistrySettings).parse({ ...env(), ...changed })));

  const ways: Record<string, () => Env> = {
    'a user and a password': () => ({}),
    'a bearer token': () => ({ ...noLogin, SCHEMA_REGISTRY_TOKEN: 'token' }),
    'a login in the URL': () => ({
      ...noLogin,
      SCHEMA_REGISTRY_URL: proxy.url.replace('://', `://ada:${password}@`),
    }),
  };
  for (const [way, changed] of Object.entries(ways))
    test(`registers and finds by ${way}`, async () => {
      const registry = await open(changed());
      const id = await registry.register('by-login', schema);
      await registry.close();
      const other = await open(changed());
      assert.equal(await other.schemaById(id), schema);
      assert.equal(other.problem!(), undefined);
      await other.close();
    });

  const refusals: Record<string, [() => Env, RegExp]> = {
    'a wrong password': [
      () => ({ SCHEMA_REGISTRY_PASSWORD: 'not-it' }),
      /\(401\): .*SCHEMA_REGISTRY_PASSWORD/,
    ],
    'a wrong token': [() => ({ ...noLogin, SCHEMA_REGISTRY_TOKEN: 'not-it' }), /SCHEMA_REGISTRY_TOKEN/],
    'an authority that is not trusted': [
      () => ({ SCHEMA_REGISTRY_TLS_CA_FILE: undefined }),
      /SCHEMA_REGISTRY_TLS_CA/,
    ],
    'no client certificate': [() => noClient, /SCHEMA_REGISTRY_TLS_CERT/],
    'plain text to a TLS port': [
      () => ({
        ...noClient,
        SCHEMA_REGISTRY_TLS_CA_FILE: undefined,
        SCHEMA_REGISTRY_URL: proxy.url.replace('https:', 'http:'),
      }),
      /write https: in SCHEMA_REGISTRY_URL/,
    ],
  };
  for (const [what, [changed, reason]] of Object.entries(refusals))
    test(`${what}: one line that names the setting and no secret`, async () => {
      const registry = await open(changed());
      await assert.rejects(registry.register('refused', schema), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'engine-access-denied', error.message);
        assert.match(error.message, /^the schema registry \(SCHEMA_REGISTRY_URL\): [^\n]+$/);
        assert.match(error.message, reason);
        return !error.message.includes('not-it');
      });
      await registry.close();
    });

  test('settings that do not fit together are told', () => {
    const problems = (changed: Env): string => {
      try {
        settingsOf(schemaRegistrySettings).parse({ ...env(), ...changed });
        return '';
      } catch (error) {
        assert.ok(error instanceof SettingsError);
        return error.message;
      }
    };
    assert.match(problems({ SCHEMA_REGISTRY_URL: 'http://a' }), /is for TLS: write https:/);
    assert.match(problems({ SCHEMA_REGISTRY_TOKEN: 't' }), /SCHEMA_REGISTRY_TOKEN and .*: give one of them/);
    assert.match(problems({ SCHEMA_REGISTRY_TLS_KEY_FILE: undefined }), /belong together/);
  });

  test('a refusal while it runs is a problem until the password in the file is the new one', async () => {
    using folder = temporaryFolder('registry-password');
    const file = join(folder.path, 'password');
    writeFileSync(file, password);
    const registry = await open({ SCHEMA_REGISTRY_PASSWORD: undefined, SCHEMA_REGISTRY_PASSWORD_FILE: file });
    const ids: number[] = [];
    for (const name of ['one', 'two', 'three'])
      ids.push(await registry.register(name, schema.replace('"S"', `"${name}"`)));
    password = 'changed';
    await assert.rejects(registry.schemaById(ids[0]!), { code: 'registry-unavailable', retriable: true });
    assert.match(registry.problem!()!, /it refuses the credentials \(401\).*SCHEMA_REGISTRY_PASSWORD/);
    writeFileSync(file, password);
    await eventually('an answer', async () => {
      const found = await registry.schemaById(ids[1]!).catch(() => undefined);
      return found !== undefined;
    });
    assert.equal(registry.problem!(), undefined);
    mayRead = false;
    await assert.rejects(registry.schemaById(ids[2]!), { code: 'registry-unavailable' });
    assert.match(registry.problem!()!, /lacks a permission \(403\)/);
    mayRead = true;
    await registry.schemaById(ids[2]!);
    assert.equal(registry.problem!(), undefined);
    await registry.close();
  });
});
