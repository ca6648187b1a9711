import type { SymptomKind } from './analysis-result.ts';
import { componentOf } from './symptoms.ts';

const names: Readonly<Record<SymptomKind, string>> = {
  'viewers-dropped': 'viewers lost their connection',
  'connect-failures': 'connections failed',
  'sends-failed': 'events were not taken',
  'sends-stalled': 'nothing was acknowledged',
  'deliveries-stopped': 'nothing was delivered',
  'deliveries-late': 'deliveries were late',
  'deliveries-announced': 'deliveries were left out, announced',
  'deliveries-wrong': 'deliveries were wrong',
  'server-loop-delayed': 'an event loop was held up',
  'server-busy': 'an event loop was busy',
  'server-unreadable': 'its metrics could not be read',
  'server-restarted': 'it started again',
  'server-disk-short': 'its disk was short of room',
  'server-memory-grows': 'its memory grew all the time',
  'generator-limit': 'it was at its limit',
  'machine-busy': 'other programs took its CPU',
};

/** How a report says what was seen. A result that a later version wrote may have others. */
export function symptomName(kind: SymptomKind): string {
  return (names as Readonly<Record<string, string | undefined>>)[kind] ?? kind;
}

/** The same with the component: `server: its metrics could not be read`. */
export function fullSymptomName(kind: SymptomKind): string {
  const component = (componentOf as Readonly<Record<string, string | undefined>>)[kind] ?? 'unknown';
  return `${component}: ${symptomName(kind)}`;
}
