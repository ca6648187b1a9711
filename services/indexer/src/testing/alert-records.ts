import {
  alertDefaults,
  alertFingerprint,
  type Acknowledgement,
  type Alert,
  type Silence,
} from '@logloom/schemas';
import type { BookRecord } from '../alerts/alert-book.ts';

/** For tests: a record of an alert at the `n`th position of its writer, with the given fields. */
export function alertRecord(n: number, rest: Partial<Alert> = {}): Alert {
  const { rule = 'errors', key = {} } = rest;
  return {
    id: `${rule}-${n}`,
    rule,
    rulesVersion: 'v',
    message: `${rule} matched`,
    severity: 'high',
    labels: { team: 'shop' },
    webhook: null,
    at: n * 1000,
    documentId: `0-${n}`,
    revision: 1,
    correlationId: `c${n}`,
    services: ['shop'],
    eventCount: 3,
    errorCount: 1,
    firstAt: n * 1_000_000,
    lastAt: n * 1_000_000,
    closeOffset: n,
    closeSequence: 0,
    index: 0,
    ...alertDefaults,
    fingerprint: alertFingerprint(rule, key),
    examples: [`c${n}`],
    ...rest,
  };
}

/** For tests: a record of an alert of a rule over a window. */
export function windowRecord(n: number, state: string, rest: Partial<Alert> = {}): Alert {
  return alertRecord(n, {
    rule: 'rate',
    writer: 'windows',
    scope: 'window',
    key: { service: 'payment' },
    documentId: '',
    revision: 0,
    correlationId: '',
    condition: 'count >= 100 in 5m',
    value: 100 + n,
    state,
    startsAt: n * 1000,
    endsAt: state === 'resolved' ? n * 1000 : null,
    ...rest,
  });
}

export function silenceRecord(id: string, rest: Partial<Silence> = {}): Silence {
  return {
    id,
    matchers: ['alertname=errors'],
    startsAt: 0,
    endsAt: null,
    reason: 'deploy',
    author: 'ada',
    createdAt: 0,
    endedBy: null,
    windows: [],
    timeZone: 'UTC',
    ...rest,
  };
}

export function acknowledgementRecord(
  fingerprint: string,
  rest: Partial<Acknowledgement> = {},
): Acknowledgement {
  return { fingerprint, rule: 'errors', author: 'ada', note: 'on it', at: 0, startsAt: 0, ...rest };
}

type Content = Pick<BookRecord, 'name' | 'value'>;

export const anAlert = (value: Alert): Content => ({ name: 'Alert', value });
export const aSilence = (value: Silence): Content => ({ name: 'Silence', value });
export const anAcknowledgement = (value: Acknowledgement): Content => ({ name: 'Acknowledgement', value });

/** Gives records of one partition their offsets; each is appended a second after the one before. */
export function placed(contents: readonly Content[], { partition = 0, fromMs = 1000 } = {}): BookRecord[] {
  return contents.map(
    (content, offset) =>
      ({ ...content, partition, offset, timestampMs: fromMs + offset * 1000, epoch: 'e' }) as BookRecord,
  );
}
