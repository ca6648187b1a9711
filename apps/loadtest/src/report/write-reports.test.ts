import { temporaryFolder } from '@logloom/testing';
import { Ajv } from 'ajv';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunResult } from '../result.ts';
import { exampleResult } from '../testing/example-result.ts';
import { deliveryFindings } from './executive-summary.ts';
import { htmlReport } from './html-report.ts';
import { junitXml } from './junit-xml.ts';
import { markdownReport } from './markdown-report.ts';
import { prometheusText } from './prometheus-text.ts';
import { resultLines } from './result-lines.ts';
import { runCharts } from './run-charts.ts';
import { timelineCsv } from './timeline-csv.ts';
import { writeReports } from './write-reports.ts';

const verdicts = ['ready', 'not-ready', 'not-shown'] as const;

/** A result whose every text is markup. */
function hostile(text: string): RunResult {
  const result = exampleResult('not-ready');
  return JSON.parse(JSON.stringify(result), (key, value: unknown) =>
    typeof value === 'string' && !['overall', 'outcome', 'relation', 'startedAt'].includes(key)
      ? text
      : value,
  ) as RunResult;
}

test('the formats that were asked for are written, and result.json always', async () => {
  using folder = temporaryFolder('reports');
  const result = exampleResult('ready');
  const out = join(folder.path, 'new/folder');
  await writeReports(result, out, { formats: ['html', 'junit'] });
  assert.deepEqual(readdirSync(out).sort(), ['junit.xml', 'report.html', 'result.json']);
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')), result);
});

test('without Chromium the PDF is a coded error, and every other report is there', async () => {
  using folder = temporaryFolder('reports');
  await assert.rejects(
    writeReports(exampleResult('ready'), folder.path, {
      formats: ['pdf', 'markdown'],
      browser: join(folder.path, 'no-chromium'),
    }),
    { code: 'report-no-browser' },
  );
  assert.deepEqual(readdirSync(folder.path).sort(), ['report.md', 'result.json']);
});

test('a browser that fails or writes nothing is a coded error', async () => {
  using folder = temporaryFolder('reports');
  for (const browser of ['/bin/false', '/bin/true'])
    await assert.rejects(writeReports(exampleResult('ready'), folder.path, { formats: ['pdf'], browser }), {
      code: 'report-print-failed',
    });
});

test('the schema takes every example, and refuses a missing field, a wrong type, another outcome and a later format', () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'result.schema.json'), 'utf8')) as object;
  const check = new Ajv().compile(schema);
  for (const verdict of verdicts) assert.ok(check(exampleResult(verdict)), JSON.stringify(check.errors));
  const refused = [
    [['format'], 2],
    [['delivery', 'lost', 'count'], undefined],
    [['timeline', '3', 'p95Ms'], 'fast'],
    [['verdict', 'objectives', '0', 'outcome'], 'passed'],
    [['verdict', 'objectives', '0', 'interval'], [1]],
    [['server'], {}],
  ] as const;
  for (const [path, value] of refused) {
    const result: unknown = JSON.parse(JSON.stringify(exampleResult('ready')));
    const parent = path.slice(0, -1).reduce((at, key) => (at as Record<string, unknown>)[key], result);
    (parent as Record<string, unknown>)[path.at(-1)!] = value;
    assert.equal(check(JSON.parse(JSON.stringify(result))), false, path.join('.'));
  }
});

test('the schema has every field of the type', () => {
  const source = ['../result.ts', '../analysis/analysis-result.ts']
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .join('')
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '');
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, 'result.schema.json'), 'utf8'),
  ) as Fields & {
    definitions: Record<string, Fields>;
  };
  const interfaces = [...source.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)];
  assert.ok(interfaces.length > 10);
  for (const [, name, body] of interfaces) {
    const fields = [...body!.matchAll(/^ {2}(\w+)(\??):/gm)];
    const { properties, required } = name === 'RunResult' ? schema : schema.definitions[name!]!;
    assert.deepEqual(Object.keys(properties).sort(), fields.map(([, field]) => field).sort(), name);
    const needed = fields.filter(([, , optional]) => optional === '').map(([, field]) => field);
    assert.deepEqual([...required].sort(), needed.sort(), name);
  }
});

interface Fields {
  properties: Record<string, unknown>;
  required: string[];
}

test('the page says the verdict first, loads nothing and has no script', () => {
  for (const [verdict, headline] of [
    ['ready', '✓ Ready'],
    ['not-ready', '✗ Not ready'],
    ['not-shown', '? Not shown'],
  ] as const) {
    const page = htmlReport(exampleResult(verdict));
    assert.ok(page.indexOf(headline) < page.indexOf('<h2>Why'));
    assert.ok(page.indexOf('<h2>What to do') < page.indexOf('<svg'));
    assert.ok(page.indexOf('<svg') < page.indexOf('Delivery accounting'));
    assert.doesNotMatch(page, /<script|\ssrc=|\shref=|@import|url\((?!#)/);
  }
});

test('what failed is in the page and in Markdown: the account, the first example and its cursor', () => {
  const result = exampleResult('not-ready');
  for (const text of [htmlReport(result), markdownReport(result)]) {
    assert.match(text, /\+ 12 lost = .*: the account balances/);
    assert.match(text, /2:1203/);
    assert.match(text, /never seen/);
  }
  const unbalanced = { ...result, delivery: { ...result.delivery, announced: 0 } };
  assert.match(htmlReport(unbalanced), /the account does not balance, by 40/);
});

test('a run that shows nothing says so, and what to run', () => {
  const page = htmlReport(exampleResult('not-shown'));
  assert.match(page, /neither a pass nor a failure/);
  assert.match(page, /run the scenario again with more processes/);
  assert.match(page, /Memory of the server<\/h3><p>Not measured in this run/);
});

test('no text of a result is markup', async () => {
  const attack = '</td><script>alert(1)</script><img src=x>|`"\'&\u0000';
  const result = hostile(attack);
  for (const text of [htmlReport(result), junitXml(result)]) {
    assert.doesNotMatch(text, /<script|<img|\u0000/);
    assert.match(text, /&lt;script&gt;/);
  }
  const markdown = markdownReport(result);
  assert.doesNotMatch(markdown, /(?<!\\)<(?!\/?(?:details|summary)>)/);
  for (const row of markdown.split('\n').filter((line) => line.startsWith('| F1')))
    assert.equal(row.match(/(?<!\\)\|/g)?.length, 14);
  assert.doesNotMatch(resultLines(hostile('\u001b[2J'), false).join('\n'), /\u001b/);
  assert.match(await prometheusText(hostile('a"b\\c\nd')), /scenario="a\\"b\\\\c\\nd"/);
});

test('each chart names its lines beside them, marks stages and faults, and has a title and a description', () => {
  const page = htmlReport(exampleResult('ready'));
  const over = page.slice(0, page.indexOf('<h2>Technical part'));
  const charts = [...over.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg);
  assert.equal(charts.length, runCharts(exampleResult('ready')).length);
  for (const svg of charts) {
    assert.match(svg, /aria-labelledby="([\w-]+)-title \1-description"/);
    assert.match(svg, /<desc id="[\w-]+">[^<]+highest/);
    assert.match(svg, />F1<\/text>/);
    assert.match(svg, />recovery<\/text>/);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  }
  for (const name of ['p50', 'p95', 'p99', 'highest'])
    assert.match(charts[2]!, new RegExp(`>${name}</text>`));
});

test('a line has a gap where nothing was measured, and a run without a second has no line', () => {
  const { analysis: _, ...result } = exampleResult('ready');
  const timeline = result.timeline.map((second) =>
    second.atS > 60 && second.atS < 70 ? { ...second, serverCpu: null } : second,
  );
  const moves = (page: string): number => (/class="line" d="(M[^M"]*M[^M"]*)"/.exec(page) === null ? 1 : 2);
  assert.equal(moves(htmlReport(result)), 1);
  assert.equal(moves(htmlReport({ ...result, timeline })), 2);
  assert.doesNotMatch(htmlReport({ ...result, timeline: [], durationS: 0 }), /<svg|NaN|Infinity/);
});

test('points of a long run are the highest of theirs', () => {
  const result = exampleResult('ready');
  const second = result.timeline[50]!;
  const timeline = Array.from({ length: 3_000 }, (_, atS) => ({
    ...second,
    atS,
    deliveries: atS === 1_234 ? 9 : 1,
  }));
  const chart = runCharts({ ...result, timeline, durationS: 3_000 })[1]!;
  assert.equal(chart.timesS.length, 300);
  assert.equal(chart.series[0]!.values[123], 9);
  assert.match(chart.description, /highest of 10 seconds/);
});

test('the CSV has a row for each second, and empty fields where nothing was measured', () => {
  const { timeline, ...result } = exampleResult('not-shown');
  const rows = timelineCsv({ ...result, timeline })
    .trimEnd()
    .split('\r\n');
  assert.equal(rows.length, timeline.length + 1);
  assert.deepEqual(rows[0]!.split(','), Object.keys(timeline[0]!));
  assert.equal(rows[1]!, '0,33,8,8,8,0,0,33,0,0,,,,,0.99,,,,');
});

test('JUnit has a case for each objective, and nothing that is not ready passes', () => {
  assert.match(junitXml(exampleResult('ready')), /<testsuites tests="2" failures="0" errors="0" skipped="0"/);
  assert.match(junitXml(exampleResult('not-ready')), /failures="1"[\s\S]*<failure message="12 events/);
  assert.match(junitXml(exampleResult('not-shown')), /skipped="1"[\s\S]*<skipped message="the generator/);
  const unexplained = exampleResult('not-ready');
  unexplained.verdict.objectives = [];
  assert.match(junitXml(unexplained), /tests="1" failures="1"/);
  const empty = exampleResult('not-shown');
  empty.verdict.objectives = [];
  assert.match(junitXml(empty), /tests="1" failures="0" errors="0" skipped="1"/);
});

test('the metrics have base units, and none for what was not measured', async () => {
  const text = await prometheusText(exampleResult('not-ready'));
  assert.match(text, /^logloom_loadtest_verdict\{scenario="example",verdict="not-ready"\} 1$/m);
  assert.match(text, /^logloom_loadtest_failed_deliveries\{scenario="example",reason="lost"\} 12$/m);
  assert.match(
    text,
    /^logloom_loadtest_ingest_latency_seconds\{scenario="example",quantile="0.99"\} 0.0062$/m,
  );
  assert.match(text, /^logloom_loadtest_server_memory_bytes\{/m);
  const blind = await prometheusText(exampleResult('not-shown'));
  assert.doesNotMatch(blind, /server_memory_bytes|server_cpu/);
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  assert.ok(names.length > 15);
  for (const [, name, type] of names) {
    assert.equal(type, 'gauge');
    assert.doesNotMatch(name!, /_total$|_ms$|_percent$/);
  }
});

test('where nobody acknowledged events, the reports say so, and none says how many were', async () => {
  const { ingest, ...rest } = exampleResult('ready');
  const result = { ...rest, ingest: { ...ingest, receivers: ['syslog'], acknowledges: false } };
  for (const text of [htmlReport(result), markdownReport(result)])
    assert.match(text, /Nobody acknowledged what was sent/);
  assert.doesNotMatch(await prometheusText(result), /acknowledged_events/);
  assert.match(await prometheusText(exampleResult('ready')), /acknowledged_events/);
});

test('a server on another machine is said to be absent from what is in use by stage', () => {
  const { resources, ...rest } = exampleResult('ready');
  const looks = resources!.looks.map((look) => ({ ...look, server: null }));
  const away = markdownReport({ ...rest, resources: { hasServer: false, looks } });
  assert.match(away, /No process of the server was found on this machine/);
  assert.match(away, /not here/);
  assert.match(markdownReport({ ...rest, resources: resources! }), /both ends of each connection/);
  assert.match(markdownReport({ ...rest, resources: null }), /Not measured: the machine of the generator/);
});

test('the terminal gets verdict, objectives, why and what to do, in color only where asked', () => {
  const plain = resultLines(exampleResult('not-ready'), false);
  assert.equal(plain[0], '✗ Not ready, grade D: example');
  assert.ok(
    plain.some((line) => line.startsWith('  ✗ missed') && line.includes('12 events, wanted at most 0')),
  );
  assert.doesNotMatch(plain.join('\n'), /\u001b/);
  assert.match(resultLines(exampleResult('not-ready'), true)[0]!, /\u001b\[31m/);
});

test('each finding is reported as what it is', () => {
  const { delivery } = exampleResult('ready');
  const kinds = [
    'lost',
    'duplicated',
    'disordered',
    'corrupted',
    'unexpected',
    'overAnnounced',
    'underAnnounced',
  ] as const;
  const titles = kinds.map((kind) => {
    const found = deliveryFindings({ ...delivery, [kind]: { count: 1, viewers: 1, example: null } });
    return found.find(({ finding }) => finding.count === 1)!.title;
  });
  assert.equal(new Set(titles).size, kinds.length);
});

test('the page draws what led to what, says it in words too, and Markdown says the same', () => {
  const result = exampleResult('not-ready');
  const page = htmlReport(result);
  const [cascade] = /<svg class="chart cascade"[\s\S]*?<\/svg>/.exec(page)!;
  assert.match(cascade, /viewers lost their connection/);
  assert.match(cascade, /aria-labelledby="cascade-1-title cascade-1-description"/);
  assert.doesNotMatch(cascade, /NaN|undefined|Infinity/);
  for (const text of [page, markdownReport(result)]) {
    assert.match(
      text,
      /viewers: viewers lost their connection \(\d+ viewers\)|viewers lost their connection \\\(/,
    );
    assert.match(text, /of 40 runs with a known cause where this rule led, 31 right, 63 to 88 %/);
    assert.match(text, /faults were injected: run a ramp without them/);
  }
});

test('the summary names the leading cause or says that it is unknown; a result without an analysis says so', () => {
  const { analysis, ...result } = exampleResult('not-ready');
  assert.match(
    resultLines({ ...result, analysis: analysis! }).join('\n'),
    /Leading cause[^\n]*connections were cut/,
  );
  const unknown = { ...analysis!, lead: { cause: 'unknown', calibration: null } } as const;
  assert.match(resultLines({ ...result, analysis: unknown }).join('\n'), /Leading cause[^\n]*unknown/);
  assert.doesNotMatch(resultLines(result).join('\n'), /Leading cause/);
  assert.match(markdownReport(result), /This result was not analysed/);
});

test('both texts say whether users of the target saw the run, and how its events are found', () => {
  const result = exampleResult('ready');
  const texts = (isHidden: boolean | undefined): string[] => {
    const { kind, url } = result.target;
    const target = { kind, url, ...(isHidden === undefined ? {} : { isHidden }) };
    return [htmlReport({ ...result, target }), markdownReport({ ...result, target })];
  };
  for (const text of texts(true))
    assert.match(
      text,
      new RegExp(`hidden from users.*correlationKind:loadtest AND attributes.loadtest.run:${result.run}`),
    );
  for (const text of texts(false)) assert.match(text, /seen by users until retention removes them/);
  for (const text of texts(undefined)) assert.doesNotMatch(text, /hidden from users|seen by users/);
});
