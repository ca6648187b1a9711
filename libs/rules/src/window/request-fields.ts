/** The fields of a request in rules: those of a correlation document. `service` and `level` mean any member's; labels are `labels.NAME`. */
export const requestFields = [
  'id',
  'correlationId',
  'kind',
  'correlationKind',
  'service',
  'services',
  'level',
  'closeReason',
  'severity',
  'eventCount',
  'errorCount',
  'durationMs',
  'revision',
  'rules',
  'ids',
  'traceId',
  'requestId',
  'sessionId',
  'shape',
] as const;

const names: ReadonlySet<string> = new Set(requestFields);

export function isRequestField(name: string): boolean {
  return names.has(name) || name.startsWith('labels.');
}

/** Those that an event does not have: a rule over events that names one looks for an attribute. */
const ofRequestsAlone: ReadonlySet<string> = new Set([
  'services',
  'closeReason',
  'eventCount',
  'errorCount',
  'durationMs',
  'revision',
  'rules',
  'shape',
]);

export function isOfRequestsAlone(name: string): boolean {
  return ofRequestsAlone.has(name);
}
