import { FilterSubject } from '../../libs/filter/src/index.ts';
import { parseRules } from '../../libs/rules/src/rules-file.ts';
import { WindowEvaluator, WindowInput } from '../../libs/rules/src/windows/index.ts';
import { placeEvent, type LogEvent } from '../../libs/schemas/src/index.ts';
import { EventsByKey } from './events-by-key.ts';

// Run by bench/window-rules.ts as a process of its own: node measure-rules.ts <contender> <rules> <keys>; prints a Result as JSON.

export interface Result {
  events: number;
  alerts: number;
  /** CPU of all that was added and judged, without the making of events. */
  cpuMicros: number;
  /** Of the heap, when all keys are known. */
  bytesPerKey: number;
  estimatedBytesPerKey: number;
}

const [contender = 'ours', rulesText = '100', keysText = '100000'] = process.argv.slice(2);
const rules = Number(rulesText);
const keys = Number(keysText);
const eventsPerSecond = 5000;
const seconds = 200;
const windowSeconds = 60;
const threshold = 8;
const begin = 1_700_000_000_000;

const text = `limits: { ruleBytes: 4294967296, bytes: 4294967296 }
rules:
${Array.from({ length: rules }, (_, i) => `  - { name: r${i}, when: 'service:s${i}', by: [client], window: ${windowSeconds}s, if: count >= ${threshold} }`).join('\n')}
`;
const parsed = parseRules(text);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const set = parsed.rules;
const input = new WindowInput(set.windows);
const evaluator = new WindowEvaluator(1);
const naive = new EventsByKey(set.windows, windowSeconds * 1000, threshold);

// A client belongs to one service, so each rule has its share of the keys. Some clients are ten times as busy.
let seed = 42;
const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x80000000;
const pickClient = (): number => {
  const client = Math.floor(random() * keys);
  return random() < 0.05 ? client % Math.ceil(keys / 500) : client;
};
const eventOf = (offset: number): LogEvent => {
  const client = pickClient();
  return {
    source: { kind: 'http', topic: 'bench', partition: 0, offset, index: 0 },
    timestamp: 0,
    receivedAt: 0,
    level: 'info',
    service: `s${client % rules}`,
    host: null,
    message: 'request handled',
    correlationId: `request-${offset}`,
    correlationKind: 'traceId',
    traceId: null,
    spanId: null,
    attributes: `{"client":"10.${client >> 16}.${(client >> 8) & 255}.${client & 255}","status":200}`,
  };
};

gc!();
const heapBefore = process.memoryUsage().heapUsed;
let cpuMicros = 0;
let alerts = 0;
let offset = 0;
let bytesPerKey = 0;
for (let second = 0; second < seconds; second++) {
  const atMs = begin + second * 1000;
  const events = Array.from({ length: eventsPerSecond }, () =>
    placeEvent(eventOf(offset), 'bench', 0, offset++),
  );
  const before = process.cpuUsage();
  for (const event of events) {
    const subject = new FilterSubject(event);
    if (contender === 'ours') input.addEvent(subject, atMs);
    else naive.add(subject, atMs);
  }
  if (contender === 'ours') {
    const cut = { input: 0, clockMs: atMs + 1000, rules: set, sinceMs: begin, contributions: input.take() };
    for (const { state } of evaluator.add(cut)) if (state === 'firing') alerts++;
  } else if (second % 2 === 1) alerts += naive.judge(atMs + 1000);
  const used = process.cpuUsage(before);
  // The first window fills the state and compiles the code.
  if (second >= windowSeconds) cpuMicros += used.user + used.system;
  if (second === seconds - 1) {
    gc!();
    bytesPerKey =
      (process.memoryUsage().heapUsed - heapBefore) / (contender === 'ours' ? evaluator.keys : naive.keys);
  }
}
const measured = eventsPerSecond * (seconds - windowSeconds);
const result: Result = {
  events: measured,
  alerts,
  cpuMicros: cpuMicros / measured,
  bytesPerKey,
  estimatedBytesPerKey: evaluator.keys === 0 ? 0 : evaluator.bytes / evaluator.keys,
};
console.log(JSON.stringify({ ...result, keys: contender === 'ours' ? evaluator.keys : naive.keys }));
