import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesAll, parseMatcher } from './matcher.ts';
import { compileRoutes, routesOf } from './route.ts';

test('matchers are those of Alertmanager', () => {
  const passes = (text: string, labels: Record<string, string>): boolean =>
    matchesAll([parseMatcher(text)], labels);
  assert.ok(passes('severity="high"', { severity: 'high' }));
  assert.ok(passes(' severity = high ', { severity: 'high' }));
  assert.ok(passes(`client.ip='10.0.0.1'`, { 'client.ip': '10.0.0.1' }));
  assert.ok(passes(String.raw`text="a \"b\" \\ c"`, { text: 'a "b" \\ c' }));
  assert.ok(!passes('severity="high"', { severity: 'higher' }));
  assert.ok(passes('service=~"pay.*|shop"', { service: 'payment' }));
  assert.ok(!passes('service=~"pay"', { service: 'payment' }), 'the whole value');
  assert.ok(passes('service!~"pay.*"', { service: 'shop' }));
  assert.ok(passes('team=""', {}), 'a label that is missing is empty');
  assert.ok(passes('team!="x"', {}));
  assert.ok(!passes('team=~".+"', {}));
  for (const text of ['severity', '="x"', 'a=~"("', '9a=b', 'a="b', 'a==b c'])
    assert.throws(() => parseMatcher(text), text);
});

test('a pattern that would take exponential time elsewhere does not hold up routing', () => {
  const matcher = parseMatcher('path=~"(a+)+b"');
  assert.equal(matcher.matches('a'.repeat(50_000)), false);
});

test('routes are found as Alertmanager finds them, and inherit from their parents', () => {
  const routes = compileRoutes([
    {
      receiver: 'root',
      groupBy: ['service'],
      groupWait: '5s',
      routes: [
        { match: ['severity="critical"'], receiver: 'pager', continue: true, repeatInterval: '1h' },
        {
          match: { team: 'shop' },
          receiver: 'shop',
          routes: [{ match: ['service=~"pay.*"'], groupBy: ['...'] }],
        },
      ],
    },
    { receiver: 'never' },
  ]);
  const found = (labels: Record<string, string>): string[] =>
    routesOf(routes, labels).map(({ receiver }) => receiver);
  assert.deepEqual(found({}), ['root']);
  assert.deepEqual(found({ severity: 'critical' }), ['pager']);
  assert.deepEqual(found({ severity: 'critical', team: 'shop' }), ['pager', 'shop']);
  const [route] = routesOf(routes, { team: 'shop', service: 'payment' });
  assert.deepEqual(
    [route?.receiver, route?.groupBy, route?.timings],
    ['shop', ['...'], { waitMs: 5_000, intervalMs: 300_000, repeatMs: 14_400_000 }],
  );
  assert.deepEqual(routesOf(compileRoutes([{ receiver: 'a', match: ['x="y"'] }]), {}), []);
});
