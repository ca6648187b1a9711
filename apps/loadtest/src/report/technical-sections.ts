import type { FaultAlert, FaultLosses, RunResult } from '../result.ts';
import { analysisSections } from './analysis-sections.ts';
import { abilitiesOf, type TargetKind } from '../target/target.ts';
import { generatorWasTheLimit } from '../verdict/generator-limit.ts';
import { boundText, deliveryFindings, outcomeNames, valueText } from './executive-summary.ts';
import {
  formatBytes,
  formatCount,
  formatMs,
  formatNumber,
  formatSeconds,
  formatShare,
} from './format-quantity.ts';
import { latencyCells, latencyColumns } from './raw-tables.ts';
import type { Section, Table } from './report-section.ts';
import { resourceSection } from './resource-section.ts';

/** The part of the report for those who operate or change the system. */
export function technicalSections(result: RunResult): Section[] {
  return [
    objectives(result),
    accounting(result),
    findings(result),
    ...analysisSections(result),
    latencies(result),
    ingest(result),
    search(result),
    connections(result),
    faults(result),
    generator(result),
    resourceSection(result),
    conditions(result),
  ];
}

function objectives({ verdict }: RunResult): Section {
  return {
    title: 'Objectives',
    paragraphs: [
      'Intervals are of 95 %. The smallest change is what this run could have told from noise. Not shown is not a pass.',
    ],
    tables: [
      {
        caption: 'Objectives and their outcomes',
        columns: [
          'objective',
          'metric',
          'wanted',
          'measured',
          'interval',
          'smallest change',
          'outcome',
          'reason',
        ],
        rows: verdict.objectives.map((one) => [
          one.title,
          one.metric,
          boundText(one),
          valueText(one),
          one.interval === null
            ? 'unknown'
            : `${one.interval.map(formatNumber).join(' to ')} ${one.unit}`.trim(),
          one.smallestChange === null ? 'unknown' : `${formatNumber(one.smallestChange)} ${one.unit}`.trim(),
          outcomeNames[one.outcome],
          one.reason,
        ]),
      },
    ],
  };
}

function accounting({ delivery }: RunResult): Section {
  const { expected, received, announced, lost, underAnnounced, viewers } = delivery;
  const sum = received + announced + underAnnounced.count + lost.count;
  const equation = `${formatCount(received)} received + ${formatCount(announced)} announced + ${formatCount(underAnnounced.count)} missing beyond that + ${formatCount(lost.count)} lost = ${formatCount(sum)}`;
  return {
    title: 'Delivery accounting',
    paragraphs: [
      'Expected = received + announced + missing beyond what was announced + lost: every event that a filter matches reaches its viewer once, or an announcement says that it was left out, or more are missing than announcements say, or it is lost without any.',
      sum === expected
        ? `${formatCount(expected)} expected = ${equation}: the account balances.`
        : `${formatCount(expected)} expected, but ${equation}: the account does not balance, by ${formatCount(Math.abs(expected - sum))}. Do not rely on it.`,
      `${formatCount(viewers.exact)} of ${formatCount(viewers.checked)} viewers got exactly what their filter matches, or an exact announcement.`,
    ],
    tables: [],
  };
}

function findings({ delivery }: RunResult): Section {
  const all = deliveryFindings(delivery);
  const examples = all.flatMap(({ title, finding: { example } }) =>
    example === null
      ? []
      : [
          [
            title,
            `${example.viewer} (${example.filter})`,
            formatSeconds(example.atS),
            example.event === null ? 'unknown' : String(example.event),
            example.partition === null || example.offset === null
              ? 'unknown'
              : `${example.partition}:${example.offset}`,
            example.cursor ?? 'none',
            example.detail,
            example.lookUp ?? 'not found by a search',
          ],
        ],
  );
  const tables: Table[] = [
    {
      caption: 'Findings of the delivery check',
      columns: ['deliveries', 'count', 'viewers'],
      rows: all.map(({ title, finding }) => [
        title,
        formatCount(finding.count),
        formatCount(finding.viewers),
      ]),
    },
  ];
  if (examples.length > 0)
    tables.push({
      caption: 'The first example of each',
      columns: ['deliveries', 'viewer', 'at', 'event', 'partition:offset', 'cursor', 'detail', 'look it up'],
      rows: examples,
    });
  return {
    title: 'Findings',
    paragraphs:
      examples.length > 0 ? ['A viewer that resumes at the cursor sees the same part of the log.'] : [],
    tables,
  };
}

function latencies({ delivery, ingest, connections }: RunResult): Section {
  return {
    title: 'Latencies',
    paragraphs: ['From the intended time, so that a generator or server that stalls does not hide it.'],
    tables: [
      {
        caption: 'Quantiles of the whole run',
        columns: ['latency', ...latencyColumns],
        rows: [
          ['delivery', ...latencyCells(delivery.latency)],
          ['acknowledgement', ...latencyCells(ingest.latency)],
          ['connect and subscribe', ...latencyCells(connections.latency)],
        ],
      },
    ],
  };
}

function ingest({ ingest }: RunResult): Section {
  const { receivers, acknowledges = true } = ingest;
  return {
    title: 'Ingest',
    paragraphs: [
      'Refused events are expected nowhere; those with an unknown fate may be stored or not.',
      ...(acknowledges
        ? []
        : [
            'Nobody acknowledged what was sent: what was written to a connection that its receiver read to the end is expected, and what was written to one that broke is unknown. There is no latency of acknowledgements, and in tables of seconds “acknowledged” is what was written.',
          ]),
    ],
    tables: [
      pairs('Events', [
        ['receivers', receivers?.join(', ') ?? 'those of the target'],
        ['intended', formatCount(ingest.intended)],
        [acknowledges ? 'acknowledged' : 'written, and read', formatCount(ingest.acknowledged)],
        ['refused', formatCount(ingest.refused)],
        ['unknown', formatCount(ingest.unknown)],
        ['retries', formatCount(ingest.retries)],
      ]),
      pairs('Requests by status', counts(ingest.requestsByStatus)),
    ],
  };
}

function search({ search }: RunResult): Section {
  if (search === null)
    return { title: 'Search and requests', paragraphs: ['Not checked in this run.'], tables: [] };
  const { requests } = search;
  return {
    title: 'Search and requests',
    paragraphs: search.example === null ? [] : [`First example: ${search.example}`],
    tables: [
      pairs('What was acknowledged and found', [
        ['events acknowledged', formatCount(search.acknowledged)],
        ['events found', formatCount(search.found)],
        [
          'events found more than once',
          `${formatCount(search.duplicated)} of ${formatCount(search.checked)} looked at`,
        ],
        [
          'all found after the last acknowledgement',
          search.settledS === null ? 'never' : formatSeconds(search.settledS),
        ],
        ['requests found', `${formatCount(requests.found)} of ${formatCount(requests.expected)}`],
        ['requests broken', `${formatCount(requests.broken)} of ${formatCount(requests.checked)} checked`],
      ]),
    ],
  };
}

function connections({ connections }: RunResult): Section {
  return {
    title: 'Connections',
    paragraphs: [],
    tables: [
      pairs('Connections of viewers', [
        ['attempted', formatCount(connections.attempted)],
        ['connected', formatCount(connections.connected)],
        ['failed', formatCount(connections.failed)],
        ['lost to the server or the network', formatCount(connections.lost)],
        ['resumed', formatCount(connections.resumed)],
        [
          'watching at the end',
          `${formatCount(connections.watching)} of ${formatCount(connections.shouldWatch)}`,
        ],
      ]),
      pairs('Failures by reason', counts(connections.failuresByReason)),
    ],
  };
}

function faults({ faults }: RunResult): Section {
  if (faults.length === 0) return { title: 'Faults', paragraphs: ['No fault was injected.'], tables: [] };
  return {
    title: 'Faults',
    paragraphs: [
      'Detected: the first reading that departed from before the fault. Degraded: since when viewers or the sender had less. Recovered: from when everything was as before, for a second. Missing: of the events due from its start until it recovered. Seconds since the start of the run, to a tenth.',
    ],
    tables: [
      {
        caption: 'Injected faults',
        columns: [
          '',
          'fault',
          'from',
          'to',
          'detected',
          'by',
          'degraded',
          'recovered',
          'recovery took',
          'missing',
          'alerts',
          'undone',
          'detail',
        ],
        rows: faults.map((fault, i) => [
          `F${i + 1}`,
          fault.kind,
          formatSeconds(fault.startedS),
          formatSeconds(fault.endedS),
          seen(fault.detectedS),
          fault.detectedBy ?? 'no reading',
          seen(fault.degradedS),
          seen(fault.recoveredS),
          fault.recoveredS === null ? 'unknown' : formatSeconds(fault.recoveredS - fault.endedS),
          lossesText(fault.missing),
          alertsText(fault.alerts),
          fault.undone ? 'yes' : 'no',
          fault.detail,
        ]),
      },
    ],
  };
}

function lossesText(losses: FaultLosses | null): string {
  if (losses === null) return 'unknown';
  const { undelivered, refused, unknown } = losses;
  const texts = [
    ...(undelivered > 0 ? [`${formatCount(undelivered)} deliveries, announced or lost`] : []),
    ...(refused > 0 ? [`${formatCount(refused)} events refused`] : []),
    ...(unknown > 0 ? [`${formatCount(unknown)} events with an unknown fate`] : []),
  ];
  return texts.join(', ') || 'nothing';
}

function alertsText(alerts: readonly FaultAlert[] | null): string {
  if (alerts === null) return 'not asked for';
  const texts = alerts.map(({ name, firedS, resolvedS }) => {
    const until = resolvedS === null ? 'to the end' : `to ${formatSeconds(resolvedS)}`;
    return `${name} from ${formatSeconds(firedS)} ${until}`;
  });
  return texts.join(', ') || 'none fired';
}

function seen(atS: number | null): string {
  return atS === null ? 'never seen' : formatSeconds(atS);
}

function generator(run: RunResult): Section {
  const { generator } = run;
  const was = generatorWasTheLimit(run) ? 'It was the limit' : 'It was at a limit for moments';
  return {
    title: 'Generator',
    paragraphs:
      generator.limits.length === 0
        ? ['It was not the limit.']
        : generator.limits.map((limit) => `${was}: ${limit}.`),
    tables: [
      pairs('The load generator itself', [
        ['processes', formatCount(generator.processes)],
        ['highest CPU, share of a core', formatShare(generator.maxCpu)],
        ['event-loop delay, p99', formatMs(generator.loopDelayP99Ms)],
        ['events later than intended, p99', formatMs(generator.latenessP99Ms)],
      ]),
    ],
  };
}

function conditions({ conditions, server, target, run }: RunResult): Section {
  return {
    title: 'Conditions',
    paragraphs: targetLimits(target.kind),
    tables: [
      pairs('Where it ran', [
        ['target', `${target.kind} at ${[target.url, ...(target.moreUrls ?? [])].join(', ')}`],
        ["the run's events there", visibility(target.isHidden, run)],
        ['version', server?.version ?? 'unknown'],
        ['server CPU, mean share of all cores', formatShare(server?.cpuShareMean ?? null)],
        ['server memory, highest', formatBytes(server?.memoryMaxBytes ?? null)],
        ['server memory for each connection', formatBytes(server?.memoryPerConnectionBytes ?? null)],
        [
          'memory that each connection leaves behind',
          server?.memoryGrowth
            ? `${formatNumber(server.memoryGrowth.perConnectionBytes)} bytes (${server.memoryGrowth.interval.map(formatNumber).join(' to ')}), by ${server.memoryGrowth.collections} collections of the heap`
            : 'not measured: fewer than six collections of the heap',
        ],
        ["the generator's CPU", `${conditions.cpuCount} × ${conditions.cpuModel}`],
        ["the generator's memory", formatBytes(conditions.memoryBytes)],
        ['load average at the start', formatNumber(conditions.loadAverage)],
        ['platform', `${conditions.platform}, Node ${conditions.node}`],
      ]),
    ],
  };
}

/** Who sees what the run has sent, and how it is found. */
function visibility(isHidden: boolean | undefined, run: string): string {
  if (isHidden === undefined) return 'not known';
  const own = `attributes.loadtest.run:${run}`;
  return isHidden
    ? `hidden from users, until they expire found by correlationKind:loadtest AND ${own}`
    : `seen by users until retention removes them, found by ${own}`;
}

/** What the target cannot do, and how the run accounts for it. */
function targetLimits(kind: TargetKind): string[] {
  // A result of a later release may have a kind that this one does not know.
  if (!Object.hasOwn(abilitiesOf, kind)) return [];
  const { resumes, announcesGaps, filters, searches } = abilitiesOf[kind];
  return [
    ...(resumes === 'never'
      ? ['The target knows no cursors: what it sent while a viewer was cut off is lost.']
      : []),
    ...(resumes === 'if configured'
      ? [
          'The target lets viewers go on where they were only where it is set up for it; what they missed otherwise is lost.',
        ]
      : []),
    ...(announcesGaps
      ? []
      : ['It does not count what it leaves out: what is missing is lost, never announced.']),
    ...(filters ? [] : ['It does not filter: viewers got everything, and dropped what they do not watch.']),
    ...(searches ? [] : ['It has no search that could be checked.']),
  ];
}

function pairs(caption: string, rows: [string, string][]): Table {
  return {
    caption,
    columns: ['what', 'value'],
    rows: rows.length === 0 ? [['none', '0']] : rows,
  };
}

function counts(byName: Readonly<Record<string, number>>): [string, string][] {
  return Object.entries(byName).map(([name, count]) => [name, formatCount(count)]);
}
