import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressRules } from './address-rules.ts';
import { AddressRefusedError, checkHost, guardedLookup } from './guarded-lookup.ts';

function lookUp(rules: AddressRules, host: string, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) =>
    guardedLookup(rules)(host, { all }, (error, address) =>
      error === null ? resolve(address) : reject(error),
    ),
  );
}

test('a socket gets no address that is refused, whether it asks for one or for all', async () => {
  for (const all of [false, true])
    await assert.rejects(lookUp(new AddressRules([]), 'localhost', all), AddressRefusedError);
  const rules = new AddressRules(['localhost']);
  assert.match(String(await lookUp(rules, 'localhost', false)), /^(127\.0\.0\.1|::1)$/);
  assert.ok(((await lookUp(rules, 'localhost', true)) as unknown[]).length > 0);
});

test('a name that cannot be resolved is an error of the lookup, and passes the check before it', async () => {
  const rules = new AddressRules([]);
  await assert.rejects(
    lookUp(rules, 'no-such-host.invalid', false),
    (error) => !(error instanceof AddressRefusedError),
  );
  await checkHost(rules, 'no-such-host.invalid');
  await assert.rejects(checkHost(rules, '[::1]'), AddressRefusedError);
  await assert.rejects(checkHost(rules, '127.0.0.1'), AddressRefusedError);
});
