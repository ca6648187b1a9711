import { keyOfChange, type OrderedChange } from '@logloom/rules/windows';
import { alertDefaults, alertFingerprint, type Alert } from '@logloom/schemas';

/** The writer of alerts of rules over many events. */
export const windowsWriter = 'windows';

/** The record of logs.alerts for a change. Its position is the time that was judged, so it follows from the log of events alone. */
export function windowAlert(change: OrderedChange): Alert {
  const { rule, state, atMs, startsMs, value, count, examples, index, rulesVersion } = change;
  const key = keyOfChange(change);
  const fingerprint = alertFingerprint(rule.name, key);
  const { service } = key;
  return {
    ...alertDefaults,
    id: `${fingerprint}-${startsMs}-${state}`,
    rule: rule.name,
    rulesVersion,
    message: rule.message,
    severity: rule.severity,
    labels: Object.fromEntries(Object.entries(rule.labels).sort(([a], [b]) => (a < b ? -1 : 1))),
    // It is posted once: when the alert fires.
    webhook: state === 'firing' ? rule.webhook : null,
    at: atMs,
    documentId: '',
    revision: 0,
    correlationId: '',
    services: service === undefined ? [] : [service],
    eventCount: count,
    errorCount: 0,
    firstAt: (atMs - rule.windowMs) * 1000,
    lastAt: atMs * 1000,
    closeOffset: atMs,
    closeSequence: index,
    index: 0,
    writer: windowsWriter,
    fingerprint,
    state,
    scope: 'window',
    startsAt: startsMs,
    endsAt: state === 'resolved' ? atMs : null,
    key: Object.fromEntries(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))),
    value,
    condition: rule.conditionText,
    examples: [...examples],
  };
}
