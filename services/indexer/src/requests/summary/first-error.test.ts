import type { PlacedEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { event, span } from '../../testing/request-events.ts';
import { summarizeRequest } from './summarize-request.ts';

const error = (ms: number, service: string, message: string, rest: Partial<PlacedEvent> = {}): PlacedEvent =>
  event(ms, service, { level: 'error', message, ...rest });
const failed = (ms: number, service: string, message: string, id: string, parent?: string, rest = {}) =>
  span(ms, service, id, parent, { level: 'error', message, ...rest });

/** The service of the first error, what says so, and the services of what followed. */
function found(events: readonly PlacedEvent[]): unknown[] {
  const first = summarizeRequest(events).firstError!;
  return [first.service, first.by, ...first.consequences.map(({ service }) => service)];
}

test('the error in the deepest span is the first one, whatever the clocks of the hosts say', () => {
  assert.deepEqual(
    found([
      span(0, 'gateway', 'g', undefined, { host: 'a' }),
      span(5, 'orders', 'o', 'g', { host: 'b' }),
      // Its clock is a second behind.
      failed(-980, 'orders', 'no order was made', 'o', 'g', { host: 'b' }),
      failed(21, 'stock', 'row 17 is locked', 's', 'o', { host: 'c' }),
      failed(40, 'gateway', 'request failed', 'g', undefined, { host: 'a' }),
    ]),
    ['stock', 'spans', 'orders', 'gateway'],
  );
});

test('on one host, an error before the call was not caused by it', () => {
  assert.deepEqual(
    found([
      span(0, 'shop', 'root'),
      failed(1, 'shop', 'no session', 'root'),
      failed(5, 'shop', 'cannot read the cart', 'cart', 'root'),
    ]),
    ['shop', 'time'],
  );
});

test('an error that repeats or wraps another one, names its service or says that a call failed, came after it', () => {
  const repeated = 'card network does not answer after 800 ms';
  assert.deepEqual(
    found([error(10, 'orders', `order failed: ${repeated}`), error(12, 'payment', repeated)]),
    [...['payment', 'causes', 'orders']],
  );
  assert.deepEqual(
    found([error(10, 'checkout', 'payment gave up after 3 tries'), error(12, 'payment', 'refused')]),
    ['payment', 'causes', 'checkout'],
  );
  assert.deepEqual(
    found([
      error(10, 'gateway', 'GET /x → 503'),
      error(11, 'web', '502 Bad Gateway'),
      error(12, 'db', 'disk full'),
    ]),
    ['db', 'causes', 'gateway', 'web'],
  );
  // A part of a name is not the name.
  assert.deepEqual(found([error(10, 'a', 'payment-history is gone'), error(12, 'payment', 'refused')]), [
    'a',
    'time',
  ]);
});

test('a handled error that no other follows from is not the first one, though it was earlier', () => {
  assert.deepEqual(
    found([
      span(0, 'gateway', 'g'),
      span(1, 'checkout', 'c', 'g'),
      failed(2, 'inventory', 'stock row is locked by another transaction', 'i', 'c'),
      failed(50, 'payment', 'time out waiting for the card network', 'p', 'c'),
      failed(60, 'checkout', 'place order failed: payment gave up', 'c'),
      failed(61, 'gateway', 'POST /checkout → 503', 'g'),
    ]),
    ['payment', 'causes', 'checkout', 'gateway'],
  );
});

test('without anything else, the time decides', () => {
  assert.deepEqual(found([error(5, 'b', 'second'), error(3, 'a', 'first')]), ['a', 'time']);
  assert.deepEqual(found([error(5, 'b', 'only one')]), ['b', 'time']);
});

const chains: [language: string, text: string, cause: string][] = [
  [
    'Java',
    'order failed\njava.lang.IllegalStateException: no order\n\tat a.B.c(B.java:1)\nCaused by: org.x.StoreException: store\n\tat d.E.f(E.java:2)\nCaused by: java.net.ConnectException: Connection refused\n\tat g.H.i(H.java:3)\n\t... 7 more',
    'java.net.ConnectException: Connection refused',
  ],
  [
    'Spring',
    'threw exception [Request processing failed; nested exception is org.x.Wrapper; nested exception is java.lang.IllegalStateException: No instances available for config] with root cause',
    'java.lang.IllegalStateException: No instances available for config',
  ],
  [
    'Python',
    'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: \'price\'\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File "b.py", line 2, in g\nRuntimeError: no price',
    "KeyError: 'price'",
  ],
  [
    'Node',
    'Error: order failed\n    at f (a.js:1:2) {\n  [cause]: Error: connect ECONNREFUSED 10.0.0.7:5432\n      at g (b.js:3:4)\n}',
    'Error: connect ECONNREFUSED 10.0.0.7:5432',
  ],
  [
    'Rust',
    'Error: order failed\n\nCaused by:\n    0: cannot read the stock\n    1: connection refused (os error 111)\n\nStack backtrace:\n   0: a::b',
    'connection refused (os error 111)',
  ],
  [
    'PHP',
    'PHP Fatal error:  Uncaught PDOException: server has gone away in a.php:3\nStack trace:\n#0 {main}\n\nNext OrderException: no order in b.php:7',
    'PDOException: server has gone away in a.php:3',
  ],
  [
    '.NET',
    'System.Exception: order failed\n ---> System.Net.Http.HttpRequestException: Connection refused (db:5432)\n   at A.B()\n   --- End of inner exception stack trace ---',
    'System.Net.Http.HttpRequestException: Connection refused (db:5432)',
  ],
];
for (const [language, text, cause] of chains)
  test(`the innermost cause of an exception of ${language}, in the message or in an attribute`, () => {
    const inMessage = summarizeRequest([error(1, 'a', text)]).firstError!;
    assert.equal(inMessage.cause, cause);
    const attributes = JSON.stringify({ err: { type: 'E', stack: text } });
    assert.equal(summarizeRequest([error(1, 'a', 'failed', { attributes })]).firstError!.cause, cause);
    // Whoever repeats it, follows from it.
    assert.deepEqual(found([error(1, 'b', `a call failed: ${cause}`), error(2, 'a', text)]), [
      'a',
      'causes',
      'b',
    ]);
  });

test('the wrapping error of a real system was logged with an earlier time than the one that it wraps', () => {
  const line = (service: string, exception: string): string =>
    `ERROR [dispatcherServlet] Servlet.service() threw exception [Request processing failed; nested exception is ${exception}] with root cause`;
  const wrapped = line(
    'basic',
    'java.lang.IllegalStateException: No instances available for ts-config-service',
  );
  const wrapping = line(
    'travel',
    'org.springframework.web.client.HttpServerErrorException$InternalServerError: 500 Internal Server Error: [{"status":500,"path":"/api/v1/basicservice/basic/travels"}]',
  );
  assert.deepEqual(
    found([error(964, 'ts-travel2-service', wrapping), error(965, 'ts-basic-service', wrapped)]),
    [...['ts-basic-service', 'causes', 'ts-travel2-service']],
  );
});

test('of thousands of different errors the deepest is found', () => {
  const shallow = Array.from({ length: 5000 }, (_, i) => failed(i, 's', `failure ${i}`, `x${i}`, 'root'));
  const events = [
    span(0, 'root', 'root'),
    ...shallow,
    span(4000, 'a', 'a', 'x17'),
    span(4001, 'b', 'b', 'a'),
  ];
  events.push(failed(4001.5, 'b', 'the disk is full', 'b'), failed(9000, 'root', 'all failed', 'root'));
  assert.deepEqual(found(events), ['b', 'spans', 's', 'root']);
});

test('texts that are made to be slow to read are read all the same', () => {
  const length = 500_000;
  for (const text of [
    '\n',
    ' ',
    ']',
    '\n ',
    'Caused by: ',
    'nested exception is ',
    'HTTP ',
    'a.',
    '\n\nNext a',
  ]) {
    const message = text.repeat(length / text.length);
    const events = Array.from({ length: 100 }, (_, i) => error(i, `service-${i}`, message));
    assert.equal(summarizeRequest(events).firstError?.service, 'service-0', JSON.stringify(text));
  }
});
