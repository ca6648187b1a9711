import { levels, parseMicros, placeEvent, type LogEvent, type PlacedEvent } from '@logloom/schemas';

/** Filters that use all of the language; every engine must give the same events for each. */
export const corpusFilters: readonly string[] = [
  '',
  '*',
  '*:*',
  'NOT *',
  'level:error',
  'level:>=warn',
  'level:[debug TO warn}',
  'level:war*',
  'NOT level:(info OR err)',
  'log.level:CRITICAL',
  'service:pay',
  'service:Pay',
  'service:pay*',
  'service:*ment?',
  'service:[a TO pay]',
  'service:>"pay"',
  'service:"a*b"',
  'service:a\\*b',
  'service:*a*y*e*t*',
  'service:*\\[x\\]*',
  'service.name:(pay OR payment)',
  'service:\u{1f600}?',
  'service:{\uffee TO *]',
  'host:*',
  'NOT host:*',
  'NOT host:web-1',
  'host:web-?',
  'NOT host:web*',
  'NOT host:[a TO z]',
  '_exists_:traceId',
  'trace_id:4bf92f3577b34da6a3ce929d0e0e4736',
  'correlationKind:traceId',
  'id:corpus-*',
  'id:"corpus-0-3"',
  'timeout',
  'TIMEOUT',
  'time out',
  '"time out"',
  '"Time-Out"',
  'tim*',
  '*out*',
  't?me',
  'foo-ba*',
  'foo-*-baz',
  '"foo ba"',
  'f?o-bar',
  '*oo-ba?',
  'user_id',
  'id',
  'naïve',
  'NAÏVE',
  'na?ve',
  '日本語',
  'ΟΔΟΣ',
  'οδοσ',
  'straße',
  'message:*',
  '\u{10400}',
  '?',
  'message:"10.0.0.1"',
  'message:(time AND NOT out)',
  '"out time"',
  '"/re/" OR x',
  'İstanbul',
  'user.id:5',
  'user.id:5.0',
  'user.id:"05"',
  'user.id:>=5',
  'user.id:[1 TO 10}',
  'user.id:-5',
  'user.id:<0',
  'user.id:{5 TO *]',
  'http.status:>=500',
  'http.status:500',
  'http.status:5??',
  'attributes.http.status:[200 TO 299]',
  'http.status:*',
  'NOT http.status:*',
  'NOT http.status:>=500',
  'tags:red',
  'tags:(red AND blue)',
  'items.sku:A1',
  'items.price:<10',
  'ok:true',
  'ok:tr*',
  'ok:1',
  'nothing:*',
  'a.b.c:1',
  'a.b.c:2',
  'empty:""',
  'attributes.level:high',
  'version:[1.2 TO 1.x]',
  'version:>=1.10',
  'version:[a TO z]',
  'big:1e21',
  'big:12345678901234567890',
  'big:>1e20',
  'escaped\\ key:1',
  'q\\"uote:yes',
  'é:1',
  '_exists_:http',
  'ratio:0.1',
  'ratio:[0.1 TO 0.30000000000000004]',
  'ratio:>0.3',
  'zero:0',
  'zero:\\-0',
  'timestamp:>=2023-01-30T11:51:01.5Z',
  '@timestamp:[2023-01-30 TO 2023-01-31}',
  'time:<2023-01-30',
  'timestamp:1675079461500',
  'timestamp:"2023-01-30 12:51:01.5+01:00"',
  'NOT timestamp:>2023',
  'partition:1',
  'offset:[2 TO 5]',
  'offset:>2.5',
  'level:error AND service:pay* AND message:"time out" AND http.status:>=500',
  'a OR b AND NOT c',
  '(time OR foo) (bar OR out)',
  'NOT (level:error OR time)',
  'NOT NOT time',
  '-time +out',
  'NOT (NOT host:* AND NOT user.id:*)',
  'level:error OR NOT user.id:5',
];

const start = parseMicros('2023-01-30T11:51:01Z');

/** Events that go wrong easily: no host, empty messages, all alphabets, dotted keys, arrays, numbers as text. */
export const corpusEvents: readonly PlacedEvent[] = (
  [
    { message: 'time out' },
    {
      message: 'Time-out: the upstream did not answer',
      level: 'error',
      service: 'pay',
      host: 'web-1',
      attributes: { http: { status: 503 } },
    },
    { message: 'timeout', level: 'warn', service: 'Pay', host: 'web-12', attributes: { 'http.status': 500 } },
    {
      message: 'sometimes it times out, out time',
      service: 'payment',
      attributes: { http: { status: '404' } },
    },
    {
      message: '',
      level: 'fatal',
      service: 'payments',
      host: '',
      attributes: { http: { status: [200, '500', null] } },
    },
    { message: 'foo bar', attributes: { http: [{ status: 'OK' }, { status: 299.5 }] } },
    { message: 'FOO.BAR(baz) user_id=5', service: 'a*b', attributes: { user: { id: 5 } } },
    { message: 'foo ba', service: 'axb', attributes: { 'user.id': '5' } },
    { message: 'foo x baz', service: 'q[x]', attributes: { user: { id: '05' } } },
    { message: 'foo_bar', attributes: { user: [{ id: -5 }, { id: 7 }] } },
    { message: 'Naïve café 日本語 テスト', service: '\u{1f600}a', attributes: { é: 1, user: { id: null } } },
    { message: 'NAÏVE nai\u0308ve', service: '\uffee', attributes: { user: { id: '5.0' } } },
    { message: 'ΟΔΟΣ.ΑΒ οδος οδοσ', service: '\uffef', attributes: { a: { b: { c: 1 } } } },
    { message: 'STRASSE straße İstanbul istanbul', attributes: { 'a.b': { c: 2 } } },
    { message: '\u{10400} \u{10428}x', attributes: { a: { 'b.c': [1, [2]] } } },
    {
      message: '10.0.0.1 → 10-0-0-1',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      correlationKind: 'traceId',
    },
    { message: '--- *** ??? "\\', attributes: { tags: ['red', 'blue'], ok: true, nothing: null } },
    { message: 'a c', attributes: { tags: 'red', ok: 'true', empty: '' } },
    { message: 'b', attributes: { tags: ['redder'], ok: 1, level: 'high' } },
    {
      message: 'b c',
      level: 'trace',
      attributes: {
        items: [
          { sku: 'A1', price: 12 },
          { sku: 'B2', price: 9.5 },
        ],
      },
    },
    { message: 'x', attributes: { version: '1.10', big: 1e21, ratio: 0.1 + 0.2, zero: 0 } },
    { message: 'y', attributes: { version: '1.2.3', big: '1e21', ratio: 0.1, zero: '-0' } },
    { message: 'z', attributes: { version: 'v2', big: 12345678901234567890n.toString(), ratio: '0.1' } },
    { message: 'time\tout', attributes: { 'escaped key': 1, 'q"uote': 'yes', __proto__x: 1, version: 1.5 } },
    {
      message: 'raw',
      attributes: '{"user":{"\\u0069d":5},"zero":-0.0,"big":12345678901234567890,"http":{}}',
    },
    { message: 'not an object', attributes: '[{"user":{"id":5}}]' },
    { message: 'broken', attributes: '{"user":' },
    { message: 'late', timestamp: start + 86_400_000_000 },
    {
      message: 'half',
      timestamp: start + 500_000,
      level: 'error',
      attributes: { user: { id: 5 }, http: { status: 500 } },
    },
    { message: 'before 1970', timestamp: -1_500_000 },
  ] satisfies CorpusEntry[]
).map(placeEntry);

type CorpusEntry = Partial<Omit<LogEvent, 'attributes'>> & { attributes?: string | object };

function placeEntry({ attributes = {}, ...entry }: CorpusEntry, index: number): PlacedEvent {
  const event: LogEvent = {
    source: { kind: 'kafka', topic: 'corpus', partition: 0, offset: index, index: 0 },
    timestamp: start + index * 1000,
    receivedAt: start / 1000,
    level: 'info',
    service: 'unknown',
    host: null,
    message: '',
    correlationId: null,
    correlationKind: null,
    traceId: null,
    spanId: null,
    ...entry,
    attributes: typeof attributes === 'string' ? attributes : JSON.stringify(attributes),
  };
  return placeEvent(event, 'corpus', index % 3, index);
}

const generatedWords = [
  'time',
  'out',
  'timeout',
  'foo',
  'bar',
  'ba',
  'baz',
  'Ünïcode',
  '日本',
  'user_id',
  '5',
  'a',
  'b',
  'c',
];
const generatedValues = [
  5,
  '5',
  '5.0',
  -1,
  503,
  '404',
  true,
  null,
  'red',
  ['red', 7],
  { id: 5 },
  { status: 500 },
  [{ id: '5' }],
  0.1,
  '',
];
const generatedKeys = ['user', 'user.id', 'http', 'http.status', 'tags', 'ok', 'ratio', 'level', 'items'];

/** `count` events that meet the corpus filters now and then; the same ones at each call. */
export function generateCorpusEvents(count: number): PlacedEvent[] {
  // Marsaglia's xorshift32: the events must not change between runs and engines.
  let state = 0x9e3779b9;
  const below = (limit: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const separators = [' ', '-', ': ', '/', '_', '  '];
  return Array.from({ length: count }, (_, i) => {
    const message = Array.from({ length: below(9) }, () => pick(generatedWords) + pick(separators)).join('');
    const attributes = Object.fromEntries(
      Array.from({ length: below(4) }, () => [pick(generatedKeys), pick(generatedValues)]),
    );
    return placeEntry(
      {
        message,
        attributes,
        level: pick(levels),
        service: pick(['pay', 'payment', 'Pay', 'cart', 'a*b', 'ship']),
        host: pick([null, 'web-1', 'web-2', 'web-10', 'db']),
        timestamp: start + (below(4_000_000) - 2_000_000),
      },
      corpusEvents.length + i,
    );
  });
}
