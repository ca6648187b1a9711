import type { KafkaOptions } from '@logloom/event-log';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { epochMs } from '../clock.ts';
import { checkFaults, defaultFaultOptions, type FaultOptions } from '../faults/check-faults.ts';
import { FaultInjection } from '../faults/fault-injection.ts';
import { missingEvents } from '../faults/fault-losses.ts';
import { FaultWatch } from '../faults/fault-watch.ts';
import { Generator } from '../generator/generator.ts';
import { viewersPerProcess } from '../generator/viewer-processes.ts';
import type { RunPhase, RunProgress } from '../live/run-progress.ts';
import type { RunResult } from '../result.ts';
import { Ramp } from '../scenario/ramp.ts';
import { summaryOf, type Scenario } from '../scenario/scenario.ts';
import { acknowledges } from '../target/open-sender.ts';
import { defaultReceivers } from '../target/receiver.ts';
import { abilitiesOf, type TargetKind } from '../target/target.ts';
import { openTraffic } from '../traffic/open-traffic.ts';
import { awaitDeliveries } from './await-deliveries.ts';
import { conditionsNow } from './conditions-now.ts';
import { lookUpExamples } from './look-up-examples.ts';
import { deliveryOf } from './delivery-of.ts';
import { estimate } from './estimate.ts';
import { routesTo, thisMachine, tooSmall } from './machine-limits.ts';
import { isHere, MachineWatch } from './machine-watch.ts';
import { MemoryGrowthWatch } from './memory-growth.ts';
import { reachAll } from './reach.ts';
import { checkSearch } from './search-check.ts';
import { distinctUrls, senderTargets } from './sender-targets.ts';
import { serverResult } from './server-result.ts';
import { ResourceWatch } from './resource-watch.ts';
import { ServerWatch } from './server-watch.ts';
import { Timeline } from './timeline.ts';
import { visibleBecause } from './visible-because.ts';

export interface RunOptions {
  /** What the target speaks; default: Logloom's protocol. */
  kind?: TargetKind;
  /** Where viewers connect; Logloom: the viewers' port's base URL, where /api and /metrics are too. */
  url: string;
  /** Of the same target: viewers are spread over all. */
  moreUrls?: readonly string[] | undefined;
  /** Where a Logloom's /api is; default: at `url`. */
  searchUrl?: string | undefined;
  token: string | undefined;
  /** Where events go in; Logloom: the ingest port's base URL. */
  ingestUrl: string;
  /** Of the same target: the sender's queues are spread over all. */
  moreIngestUrls?: readonly string[] | undefined;
  ingestKey: string | undefined;
  /** For events that go in by syslog: `syslog://HOST:PORT`. */
  syslogUrl?: string | undefined;
  /** For events that go in by Kafka. */
  kafka?: KafkaOptions | undefined;
  /** Centrifugo's. */
  channel?: string | undefined;
  /** For Logloom: asked by every viewer's filter besides; `{{n}}` becomes a number below `count`, by the viewer's number. */
  condition?: { text: string; count: number } | undefined;
  /** The addresses of `/metrics` of the target's processes; none: those of `url` and `moreUrls` of a Logloom, else nothing is known of the server. */
  metricsUrls?: readonly string[];
  /** How long nothing may arrive before what is missing counts as lost, and twice as long in the search; default: 15 s. */
  quietMs?: number;
  /** Default: no commands, processes by what listens at the target's addresses and by the local stack of this folder. */
  faults?: FaultOptions;
  /** Whether to look afterwards for all events in the search, where the target has one; default: true. */
  checksSearch?: boolean;
  /** Called before time 0 of the scenario, which is at `startsAtMs` since 1970. */
  onStart?: (start: { startsAtMs: number; generatorPids: readonly number[] }) => void;
  /** Called about once a second, and when a phase begins. */
  onProgress?: (progress: RunProgress) => void;
  /** Gets what the user should know before the run, in words. */
  onNotice?: (notice: string) => void;
}

const staysVisible = 'they are seen by its users until retention removes them (docs/loadtest.md)';
/** Processes need a moment to begin. */
const startMs = 500;

/** Everything that a run finds, without its verdict and analysis. */
export type RunFindings = Omit<RunResult, 'verdict' | 'analysis'>;

/** Runs a scenario against a target. Throws LoadtestError `target-unavailable` when nothing could be begun. */
export async function runScenario(
  scenario: Scenario,
  options: RunOptions,
  signal: AbortSignal,
): Promise<RunFindings> {
  const { kind = 'logloom', url, moreUrls = [], searchUrl = url, token, channel, condition } = options;
  const { ingestUrl, moreIngestUrls = [] } = options;
  const { metricsUrls, faults = defaultFaultOptions(), quietMs = 15_000, checksSearch = true } = options;
  const { onStart = () => {}, onProgress = () => {}, onNotice = () => {} } = options;
  const searches = checksSearch && abilitiesOf[kind].searches;
  const { receivers } = scenario.events;
  const senders = senderTargets(kind, receivers, { ...options, ingestUrls: [ingestUrl, ...moreIngestUrls] });
  const viewerUrls = [url, ...moreUrls];
  for (const limit of tooSmall(estimate(scenario, viewersPerProcess()), routesTo(viewerUrls), thisMachine()))
    onNotice(`this machine is too small: ${limit}`);
  await reachAll(viewerUrls, senders);
  const addresses = { viewers: viewerUrls, sender: distinctUrls(senders) };
  await checkFaults(scenario, faults, addresses);
  const run = randomBytes(6).toString('hex');
  const visible = kind === 'logloom' ? await visibleBecause(senders, run) : undefined;
  if (visible !== undefined) onNotice(`${visible}: ${staysVisible}`);
  const isHidden = kind === 'logloom' && visible === undefined;
  const search = { url: searchUrl, token, isHidden };
  const traffic = openTraffic(run, scenario.events);
  const viewersRamp = new Ramp(scenario.viewers.stages);
  const seconds = Math.max(viewersRamp.seconds, new Ramp(scenario.events.stages).seconds);
  const conditions = conditionsNow();
  const timeline = new Timeline(scenario);
  using watch = new FaultWatch(scenario, url, faults);
  await using injection = new FaultInjection(scenario, {
    cut: (share) => generator.tell({ type: 'cut', share }),
    setClock: (offsetMs) => generator.setClock(offsetMs),
    onProxySecond: (figures) => timeline.addProxy(figures),
  });
  using generator = new Generator(estimate(scenario, viewersPerProcess()).processes - 1, {
    onViewersSecond: (figures) => {
      timeline.addViewers(figures);
      watch.viewers.add(figures.tenths);
    },
    onProducerSecond: (figures) => {
      timeline.addProducer(figures);
      watch.sender.add(figures.tenths);
    },
  });
  await generator.ready();
  await watch.open();
  const through = await injection.open(run, addresses, faults);
  const serverUrls =
    metricsUrls ?? (kind === 'logloom' ? viewerUrls.map((each) => new URL('/metrics', each).href) : []);
  const machine = new MachineWatch(
    [process.pid, ...generator.pids, ...injection.pids],
    await isHere([...viewerUrls, ...addresses.sender, ...serverUrls]),
  );
  const startsAtMs = epochMs() + startMs;
  onStart({ startsAtMs, generatorPids: generator.pids });
  const nowS = (): number => (epochMs() - startsAtMs) / 1_000;
  using resources = new ResourceWatch(addresses, faults, generator.pids);
  const server = new ServerWatch(serverUrls);
  const growth = new MemoryGrowthWatch();
  let phase: RunPhase = 'load';
  const tell = (began = phase): void => {
    phase = began;
    onProgress({
      phase,
      atS: Math.max(0, nowS()),
      durationS: seconds,
      latest: timeline.latest,
      look: () => ({
        timeline: timeline.seconds(),
        stages: timeline.stages(),
        faults: watch.results(injection.injected),
        incidents: timeline.incidents(),
      }),
    });
  };
  const watching = setInterval(() => {
    const second = Math.floor(nowS());
    if (second < 0) return;
    void server.look().then((look) => {
      timeline.addServer(second, look);
      const machineLook = machine.look(look.cpuShare);
      if (machineLook !== undefined) timeline.addMachine(second, machineLook);
      growth.add(second, look.heaps);
    });
    tell();
  }, 1_000);
  const stop = (): void => {
    generator.abort();
    void injection.finish();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    watch.begin(startsAtMs);
    injection.begin(startsAtMs);
    resources.begin(startsAtMs, timeline.stages());
    const produced = await generator.start(
      {
        run,
        scenario,
        target: {
          kind,
          url: through.viewers[0]!,
          moreUrls: through.viewers.slice(1),
          token,
          isHidden,
          channel,
          condition,
        },
        startsAtMs,
      },
      {
        run,
        scenario,
        targets: senders.map((sender) => ({
          ...sender,
          url: through.sender[addresses.sender.indexOf(sender.url)] ?? sender.url,
          hiddenAs: isHidden ? run : undefined,
        })),
        startsAtMs,
      },
    );
    while (nowS() < seconds && !signal.aborted) await sleep(50);
    const injected = await injection.finish();
    const shouldWatch = Math.round(viewersRamp.valueAt(seconds));
    const total = produced.intended;
    generator.tell({ type: 'hold', sent: total });
    const notStored = [...produced.refused, ...produced.unknown];
    tell('deliveries');
    const watchingAtEnd = await awaitDeliveries(
      generator,
      { notStored: notStored.length, shouldWatch, quietMs },
      signal,
    );
    clearInterval(watching);
    const ends = await generator.finish(notStored);
    const delivery = deliveryOf(ends, timeline);
    tell('search');
    const stored = { total, notStored: new Set(notStored), unknown: produced.unknown.length };
    const found = searches ? await checkSearch(search, traffic, stored, 2 * quietMs, signal) : null;
    const rows = timeline.seconds();
    const fullest = Math.max(1, ...rows.map(({ viewers }) => viewers));
    return {
      format: 1,
      run,
      scenario: summaryOf(scenario),
      target: {
        kind,
        url,
        ...(moreUrls.length > 0 && { moreUrls }),
        ...(kind === 'logloom' && { isHidden }),
      },
      startedAt: new Date(startsAtMs).toISOString(),
      durationS: seconds,
      conditions,
      stages: timeline.stages(),
      timeline: rows,
      incidents: timeline.incidents(),
      delivery: searches ? await lookUpExamples(search, run, delivery) : delivery,
      ingest: {
        ...(kind === 'logloom' && { receivers: receivers ?? defaultReceivers }),
        acknowledges: senders.every(acknowledges),
        intended: total,
        acknowledged: produced.acknowledged,
        refused: produced.refused.length,
        unknown: produced.unknown.length,
        ...timeline.ingest(),
      },
      search: found,
      connections: timeline.connections({ watching: watchingAtEnd, shouldWatch }),
      faults: watch.results(injected, missingEvents(scenario, ends, produced)),
      generator: timeline.generator(generator.processes),
      server: serverResult(rows, fullest, server, growth),
      resources: resources.result(rows),
    };
  } finally {
    clearInterval(watching);
    signal.removeEventListener('abort', stop);
  }
}
