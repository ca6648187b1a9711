import type { CorrelateOptions } from '@logloom/correlator';
import { FilterSubject } from '@logloom/filter';
import { forEachLink, type LinkOptions } from '@logloom/ingest';
import type { RuleSet } from '@logloom/rules';
import { FiredAlerts, WindowRun, type WindowTrial } from '@logloom/rules/windows';
import {
  idKinds,
  placeEvent,
  type Alert,
  type Correlation,
  type Link,
  type LogEvent,
} from '@logloom/schemas';
import { CorrelateInMemory } from './correlate-in-memory.ts';

export interface RuleTrial {
  name: string;
  /** Documents that it matched, and alerts that it raised. */
  documents: number;
  alerts: number;
  /** Events of requests that pass the rule's filters, whether or not it matched: the first thing to check if it did not. */
  events: { when: number; then?: number; without?: number };
  /** Correlation ids of the first documents. */
  examples: string[];
}

export interface Trial {
  /** Of rules over many events or requests. */
  windows: WindowTrial[];
  events: number;
  /** Events without a correlation id: they are in no document. */
  uncorrelated: number;
  documents: number;
  rules: RuleTrial[];
}

const maxExamples = 5;
const noJoins: LinkOptions = { order: idKinds, joins: new Set() };

/**
 * Runs events through the correlator's core under these rules. Their own timestamps replace the log's clock, which never decreases; at the
 * end all sessions close. `joining`: the ids that join requests; default none.
 */
export async function tryRules(
  rules: RuleSet,
  events: AsyncIterable<LogEvent>,
  options: CorrelateOptions,
  joining: LinkOptions = noJoins,
): Promise<Trial> {
  const run = new WindowRun();
  const fired = new FiredAlerts();
  let hasBegun = false;
  const newest = new Map<string, Correlation>();
  const alerts: Alert[] = [];
  const documents: Correlation[] = [];
  const correlate = new CorrelateInMemory(options, rules, documents, alerts);
  let count = 0;
  let clock = 0;
  let uncorrelated = 0;
  const passed = rules.rules.map(() => ({ first: 0, next: 0 }));
  const countPassed = (event: LogEvent): void => {
    const subject = new FilterSubject(placeEvent(event, 'log', 0, correlate.offset));
    rules.rules.forEach((rule, i) => {
      if (rule.when(subject)) passed[i]!.first++;
      if (rule.sequence?.next(subject) === true) passed[i]!.next++;
    });
  };
  const keep = (): void => {
    for (const document of documents.splice(0)) {
      if (document.joinedInto === null) {
        newest.set(document.id, document);
        run.addRequest(0, document, clock);
      } else newest.delete(document.id);
    }
  };
  for await (const event of events) {
    clock = Math.max(clock, Math.floor(event.timestamp / 1000));
    if (!hasBegun) fired.take(run.setRules(0, rules, clock));
    hasBegun = true;
    fired.take(run.advance(0, clock));
    run.addEvent(0, placeEvent(event, 'log', 0, correlate.offset), clock);
    if (event.correlationId === null) uncorrelated++;
    const member = event.correlationId === null ? null : event;
    if (member !== null) countPassed(member);
    const links: Omit<Link, 'cause'>[] = [];
    forEachLink(event, joining, (link) => links.push(link));
    correlate.add(member, links, clock);
    count++;
    keep();
  }
  for (let due = correlate.nextDeadlineMs; due !== null; due = correlate.nextDeadlineMs) {
    clock = Math.max(clock, due);
    fired.take(run.advance(0, clock));
    correlate.closeNext();
    keep();
  }
  if (hasBegun) fired.take(run.end(clock));
  return {
    windows: fired.byRule(rules),
    events: count,
    uncorrelated,
    documents: newest.size,
    rules: rules.rules.map(({ name, sequence }, i) => {
      const matched = [...newest.values()].filter((document) => document.rules.includes(name));
      return {
        name,
        documents: matched.length,
        alerts: alerts.filter((alert) => alert.rule === name).length,
        events: {
          when: passed[i]!.first,
          ...(sequence === null ? {} : { [sequence.kind]: passed[i]!.next }),
        },
        examples: matched.slice(0, maxExamples).map(({ correlationId }) => correlationId),
      };
    }),
  };
}
