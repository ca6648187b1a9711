export {
  contractNames,
  contractPath,
  contractText,
  parseSchema,
  versionPath,
  type ContractName,
} from './contracts.ts';
export { correlationToJson, memberDeltas, memberOffsets, type CorrelationJson } from './correlation.ts';
export {
  eventId,
  eventToJson,
  formatMicros,
  levels,
  parseMicros,
  placeEvent,
  type PlacedEvent,
} from './event.ts';
export {
  redriveClaimCode,
  redriveHeaders,
  redriveSource,
  redrivenFrom,
  type RedrivePlace,
} from './redrive.ts';
export { topics } from './topics.ts';
export type {
  CloseReason,
  Correlation,
  DeadLetter,
  Level,
  LogEvent,
  Source,
  Tick,
} from './generated/types.ts';
