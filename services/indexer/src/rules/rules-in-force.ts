import type { Commit, EventLog } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import type { Serde } from '@logloom/schema-registry';
import { formatMicros, topics, type Rules } from '@logloom/schemas';

/** A rule that is in force, and what became of it. */
interface RuleJson {
  name: string;
  /** What it looks at: the events of one request, or many events or requests. */
  of: 'request' | 'events' | 'requests';
  description?: string;
  severity?: string;
  condition?: string;
  by?: string[];
  /** Of a rule over many events, in all partitions: how many keys are known, and how many alerts are pending or fire. */
  keys?: number;
  pending?: number;
  firing?: number;
}

interface EvaluatorMetadata {
  judgedMs?: number;
  rules?: [name: string, keys: number, pending: number, firing: number][];
}

/** The rules that the log says are in force, with their state and the time up to which they were judged. */
export async function rulesInForce(log: EventLog, serde: Serde) {
  const record = await newestRules(log, serde);
  const commits = (await log.committed('rules-evaluator', topics.windows)).map(
    (commit) => metadataOf(commit) as EvaluatorMetadata,
  );
  const judged = commits.map(({ judgedMs }) => judgedMs ?? 0);
  const judgedMs = judged.length === 0 ? 0 : Math.min(...judged);
  const rules = record === undefined ? null : await parse(record.rules.text);
  return {
    version: record?.rules.version ?? '',
    judgedAt:
      judgedMs > 0 && (rules?.windows.length ?? 0) > 0 ? formatMicros(Math.floor(judgedMs) * 1000) : null,
    rules: rules === null ? [] : describe(rules, commits),
  };
}

function describe({ rules, windows }: RuleSet, commits: readonly EvaluatorMetadata[]): RuleJson[] {
  const sums = new Map<string, [number, number, number]>();
  for (const [name, keys, pending, firing] of commits.flatMap((commit) => commit.rules ?? [])) {
    const [a, b, c] = sums.get(name) ?? [0, 0, 0];
    sums.set(name, [a + keys, b + pending, c + firing]);
  }
  const all: (RuleJson & { index: number })[] = [
    ...rules.map(({ name, index, message, severity }) => ({
      index,
      name,
      of: 'request' as const,
      ...(message === name ? {} : { description: message }),
      ...(severity === null ? {} : { severity }),
    })),
    ...windows.map(({ name, index, message, severity, of, by, conditionText }) => {
      const [keys, pending, firing] = sums.get(name) ?? [0, 0, 0];
      return {
        index,
        name,
        of,
        ...(message === name ? {} : { description: message }),
        ...(severity === null ? {} : { severity }),
        condition: conditionText,
        by: by.map((field) => field.name),
        keys,
        pending,
        firing,
      };
    }),
  ];
  return all.sort((a, b) => a.index - b.index).map(({ index: _, ...rule }) => rule);
}

/** The newest record of rules that a correlator has committed; the text is repeated at least every hour. */
async function newestRules(
  log: EventLog,
  serde: Serde,
): Promise<{ rules: Rules; timestampMs: number } | undefined> {
  let newest: { rules: Rules; timestampMs: number } | undefined;
  for (const group of ['correlator', 'rules-counter']) {
    for (const [partition, commit] of (await log.committed(group, topics.events)).entries()) {
      const { rules: offset } = metadataOf(commit) as { rules?: number };
      if (offset === undefined) continue;
      const [record] = await log.read(topics.events, partition, offset, 1);
      if (record?.offset !== offset || record.timestampMs <= (newest?.timestampMs ?? -1)) continue;
      await serde.load([record.value]);
      if (serde.nameOf(record.value) !== 'Rules') continue;
      newest = { rules: serde.decode(record.value).value as Rules, timestampMs: record.timestampMs };
    }
  }
  return newest;
}

async function parse(text: string): Promise<RuleSet | null> {
  if (text === '') return null;
  const { parseRules } = await import('@logloom/rules/rules-file');
  const result = parseRules(text);
  return result.ok ? result.rules : null;
}

function metadataOf(commit: Commit | null): object {
  return commit?.metadata.startsWith('{') === true ? (JSON.parse(commit.metadata) as object) : {};
}
