/**
 * Which requests does the mark `slow` find, and does it say anything about faults? A running Logloom that holds the recorded day of
 * TrainTicket (Nezha, 2023-01-30) is asked for all its requests. Beside it, from the same documents: shapes that are rare, or new. And: in
 * how many requests does the first error name the cause, where one service logs another's exception as its own; beside it, the error with the earliest
 * time. Argument: the viewers' port, default http://127.0.0.1:4380.
 */
import { parseMicros } from '@logloom/schemas';
import { printConditions } from './conditions.ts';

interface Request {
  id: string;
  firstAt: string;
  durationMs: number;
  errorCount: number;
  shape: string;
  comparison: { requests: number; p50Ms?: number; slowerThan?: number; slow: boolean };
}

/** When faults were injected, seconds since 1970: rca_data/2023-01-30/2023-01-30-fault_list.json of IntelligentDDS/Nezha. */
const injections = [
  ...[1675079506, 1675079961, 1675080432, 1675080896, 1675081769, 1675082214, 1675082676, 1675083124],
  ...[1675083576, 1675084009, 1675084483, 1675084942, 1675085392, 1675086284, 1675086740, 1675087216],
  1675087699,
];
const faultSeconds = 180;
const slowest = 20;

const base = process.argv[2] ?? 'http://127.0.0.1:4380';
const get = async <T>(path: string): Promise<T> => {
  const response = await fetch(`${base}/api/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};

const requests: Request[] = [];
for (let cursor: string | undefined = ''; cursor !== undefined;) {
  const range = 'from=2023-01-30T00:00:00Z&to=2023-01-31T00:00:00Z';
  type Page = { correlations: Request[]; next?: string };
  const page: Page = await get(
    `correlations?${range}&limit=1000&comparison=true${cursor === '' ? '' : `&cursor=${cursor}`}`,
  );
  requests.push(...page.correlations);
  cursor = page.next;
}
requests.reverse();

const inFault = ({ firstAt }: Request): boolean => {
  const second = parseMicros(firstAt) / 1e6;
  return injections.some((at) => second >= at && second < at + faultSeconds);
};
const alikeBefore = new Map<Request, number>();
const seen = new Map<string, number>();
for (const request of requests) {
  alikeBefore.set(request, seen.get(request.shape) ?? 0);
  seen.set(request.shape, (seen.get(request.shape) ?? 0) + 1);
}
const position = new Map(requests.map((request, i) => [request, i]));
const longest = new Set(requests.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, slowest));
const faulty = requests.filter(inFault);
const failed = requests.filter(({ errorCount }) => errorCount > 0);

printConditions(
  `${requests.length} requests, ${failed.length} with errors, ${faulty.length} within ${faultSeconds} s of ${injections.length} injected faults`,
);
console.log(`mark                | marked | of the slowest ${slowest} | with errors | in faults | outside`);
const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
const report = (name: string, marks: (request: Request) => boolean): void => {
  const marked = requests.filter(marks);
  const inside = marked.filter(inFault).length;
  console.log(
    [
      name.padEnd(19),
      `${marked.length}, ${share(marked.length, requests.length)}`,
      marked.filter((request) => longest.has(request)).length,
      marked.filter(({ errorCount }) => errorCount > 0).length,
      share(inside, faulty.length),
      share(marked.length - inside, requests.length - faulty.length),
    ].join(' | '),
  );
};
const isKnown = (request: Request): boolean => position.get(request)! >= 200;
report('slow', ({ comparison }) => comparison.slow);
for (const factor of [2, 10])
  report(
    `slow, ${factor} x median`,
    ({ durationMs, comparison: { requests: of, p50Ms, slowerThan } }) =>
      p50Ms !== undefined && slowerThan! >= 0.95 * of && durationMs >= factor * p50Ms,
  );
report(
  'rare shape',
  (request) => isKnown(request) && alikeBefore.get(request)! * 200 < position.get(request)!,
);
report('new shape', (request) => isKnown(request) && alikeBefore.get(request) === 0);

let [wrapped, byCause, byTime] = [0, 0, 0];
const isWrapper = ({ message }: { message: string }): boolean => message.includes('HttpServerErrorException');
for (const { id } of failed) {
  type Whole = {
    events: { level: string; message: string }[];
    summary: { firstError: { message: string } };
  };
  const { events, summary }: Whole = await get(`correlations/${encodeURIComponent(id)}`);
  const errors = events.filter(({ level }) => level === 'error');
  if (!errors.some(isWrapper) || errors.every(isWrapper)) continue;
  wrapped++;
  if (!isWrapper(summary.firstError)) byCause++;
  if (!isWrapper(errors[0]!)) byTime++;
}
console.log(
  `\n${wrapped} requests with a wrapped error: the first error is its cause in ${byCause}, the earliest in ${byTime}`,
);
