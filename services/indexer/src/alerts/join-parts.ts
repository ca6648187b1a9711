import { maxExamples, type AlertPart } from './alert-part.ts';
import { labelsOf, type AlertState } from './alert-state.ts';

/** An alert without what does not follow from its records. */
type Joined = Omit<AlertState, 'fingerprint' | 'silencedBy' | 'acknowledged' | 'revision'>;

/** The alert of which these are the parts by partition, at least one. It fires while one of them does. */
export function joinParts(parts: ReadonlyMap<number, AlertPart>): Joined {
  // The order in which they were read must not matter.
  const shown = shownParts([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
  const newest = shown.toSorted((a, b) => b.raisedMs - a.raisedMs);
  const { latest } = newest[0]!;
  const state =
    shown[0]!.state === 'resolved'
      ? 'resolved'
      : shown.some((part) => part.state === 'firing')
        ? 'firing'
        : 'pending';
  return {
    rule: latest.rule,
    rulesVersion: latest.rulesVersion,
    state,
    scope: latest.scope,
    severity: latest.severity,
    labels: labelsOf(latest),
    message: latest.message,
    condition: latest.condition,
    value: latest.value,
    startsAt: Math.min(...shown.map((part) => part.startsAt)),
    endsAt: state === 'resolved' ? Math.max(...shown.map((part) => part.endsAt!)) : null,
    lastAt: Math.max(...shown.map((part) => part.lastAt)),
    occurrences: shown.reduce((sum, part) => sum + part.occurrences, 0),
    examples: [...new Set(newest.flatMap((part) => part.examples))].slice(0, maxExamples),
    services: [...new Set(newest.flatMap((part) => part.latest.services))],
  };
}

/** Those that are not over; if all are, those that ended last: the others belong to an earlier alert. */
function shownParts(parts: readonly AlertPart[]): readonly AlertPart[] {
  const open = parts.filter(({ state }) => state !== 'resolved');
  if (open.length > 0) return open;
  const end = Math.max(...parts.map(({ endsAt }) => endsAt!));
  return parts.filter(({ endsAt }) => endsAt === end);
}

/** What the memory of a part takes beside its texts. */
const bytesPerPart = 1500;

/** Their estimated memory, in bytes. */
export function bytesOfParts(parts: Iterable<AlertPart>): number {
  let bytes = 0;
  for (const { latest, examples } of parts) {
    const { message, condition, correlationId, documentId, services, labels, key } = latest;
    const texts = [message, condition, correlationId, documentId, ...examples, ...services];
    for (const [name, value] of [...Object.entries(labels), ...Object.entries(key)]) texts.push(name, value);
    bytes += bytesPerPart + texts.reduce((sum, text) => sum + 2 * text.length + 32, 0);
  }
  return bytes;
}
