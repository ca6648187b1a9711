import { Correlate, type CorrelateOptions } from '@logloom/correlator';
import type { RuleSet } from '@logloom/rules';
import type { Alert, Correlation, LogEvent } from '@logloom/schemas';

export interface RuleTrial {
  name: string;
  /** Documents that it matched, and alerts that it raised. */
  documents: number;
  alerts: number;
  /** Correlation ids of the first documents. */
  examples: string[];
}

export interface Trial {
  events: number;
  /** Without a correlation id: they are in no document. */
  uncorrelated: number;
  documents: number;
  rules: RuleTrial[];
}

const maxExamples = 5;

/**
 * Runs events through the correlator's core under these rules. Their own timestamps stand in for the log's clock, which never falls;
 * at the end everything runs out.
 */
export async function tryRules(
  rules: RuleSet,
  events: AsyncIterable<LogEvent>,
  options: CorrelateOptions,
): Promise<Trial> {
  const correlate = new Correlate(0, options, { rules });
  const newest = new Map<string, Correlation>();
  const alerts: Alert[] = [];
  let documents: Correlation[] = [];
  let offset = 0;
  let clock = 0;
  let uncorrelated = 0;
  const keep = (): void => {
    for (const document of documents) newest.set(document.id, document);
    documents = [];
  };
  for await (const event of events) {
    clock = Math.max(clock, Math.floor(event.timestamp / 1000));
    if (event.correlationId === null) uncorrelated++;
    const member = event.correlationId === null ? null : event;
    correlate.apply({ offset: offset++, timestamp: clock, event: member }, documents, alerts);
    keep();
  }
  const count = offset;
  for (let due = correlate.nextDeadline; due !== null; due = correlate.nextDeadline) {
    correlate.apply({ offset: offset++, timestamp: due, event: null }, documents, alerts);
    keep();
  }
  return {
    events: count,
    uncorrelated,
    documents: newest.size,
    rules: rules.rules.map(({ name }) => {
      const matched = [...newest.values()].filter((document) => document.rules.includes(name));
      return {
        name,
        documents: matched.length,
        alerts: alerts.filter((alert) => alert.rule === name).length,
        examples: matched.slice(0, maxExamples).map(({ correlationId }) => correlationId),
      };
    }),
  };
}
