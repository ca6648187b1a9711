import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedHosts } from './allowed-hosts.ts';
import { AddressRules, isHostEntry } from './address-rules.ts';

const special = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.9.9.9',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '64:ff9b::a00:1',
  'fc00::1',
  'fd12::1',
  'fe80::1',
  'fe80::1%eth0',
  'ff02::1',
  '2002:a00:1::',
  '2001:0:a00:1::',
];

test('addresses that are not public are refused, however they are written, and others are not', () => {
  const rules = new AddressRules([]);
  for (const address of special) assert.equal(rules.allows('host.example', address), false, address);
  for (const address of ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])
    assert.equal(rules.allows('host.example', address), true, address);
  assert.equal(rules.allows('host.example', 'no address'), false);
});

test('an entry allows its own address, network or name, and nothing else', () => {
  const rules = new AddressRules(['127.0.0.1', '10.0.0.0/8', 'fd00::/8', 'Pager.internal', '*.svc.local']);
  const allowed: [string, string][] = [
    ['x', '127.0.0.1'],
    ['x', '::ffff:127.0.0.1'],
    ['x', '10.200.0.1'],
    ['x', 'fd00::5'],
    ['pager.INTERNAL', '192.168.0.9'],
    ['pager.internal.', '192.168.0.9'],
    ['a.svc.local', '127.0.0.9'],
  ];
  for (const [host, address] of allowed)
    assert.equal(rules.allows(host, address), true, `${host} ${address}`);
  const refused: [string, string][] = [
    ['x', '127.0.0.2'],
    ['x', '192.168.0.1'],
    ['svc.local', '127.0.0.9'],
    ['evilsvc.local', '127.0.0.9'],
    ['pager.internal.example', '127.0.0.9'],
  ];
  for (const [host, address] of refused)
    assert.equal(rules.allows(host, address), false, `${host} ${address}`);
});

test('rules may be limited to link-local addresses', () => {
  const rules = new AddressRules([], 'link-local');
  for (const address of ['169.254.169.254', 'fe80::1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe'])
    assert.equal(rules.allows('x', address), false, address);
  for (const address of ['127.0.0.1', '10.0.0.1', '::1', 'fd00::1', '8.8.8.8'])
    assert.equal(rules.allows('x', address), true, address);
});

test('of an address, no notation passes that another does not', () => {
  const rules = new AddressRules([]);
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
      const hex = `::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      // Public ones may be refused in hexadecimal: nobody has them so.
      if (!rules.allows('x', address)) {
        assert.equal(rules.allows('x', `::ffff:${address}`), false);
        assert.equal(rules.allows('x', hex), false);
      }
    }),
  );
});

test('entries are names, names after *., addresses and networks', () => {
  for (const entry of ['a', 'a.b-c.example', '*.example.com', '127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8'])
    assert.equal(isHostEntry(entry), true, entry);
  for (const entry of ['*', '*.', '', 'a b', 'http://a', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/8/1', 'a:80'])
    assert.equal(isHostEntry(entry), false, entry);
});

test("the server's own names count, but not those with a *, which would allow everything", () => {
  const settings = {
    RECEIVERS_ALLOWED_HOSTS: ['10.0.0.0/8'],
    ALLOWED_HOSTS: ['127.0.0.1', '*', '*.example.com'],
  };
  assert.deepEqual(allowedHosts(settings), ['10.0.0.0/8', '127.0.0.1']);
});
