export { backfillHeader, isBackfill } from './backfill.ts';
export { canaryKind, isCanaryDocument, isCanaryEvent } from './canary.ts';
export { isDocumentForUsers, isForUsers } from './for-users.ts';
export { isLoadtestDocument, isLoadtestEvent, loadtestHeader, loadtestKind } from './loadtest.ts';
export { epochHeader, isOfEpoch } from './log-epoch.ts';
export {
  contractNames,
  contractPath,
  contractText,
  parseSchema,
  versionPath,
  type ContractName,
} from './contracts.ts';
export { durationMs, unitMs } from './duration.ts';
export { isPlaceholderId } from './placeholder-id.ts';
export { alertFingerprint } from './alert-fingerprint.ts';
export { measuredText } from './measured-text.ts';
export { alertDefaults, alertOf, alertToJson, type AlertJson } from './alert.ts';
export {
  correlationDefaults,
  correlationToJson,
  memberDeltas,
  memberOffsets,
  memberPlaces,
  placeCorrelation,
  type CorrelationJson,
  type DocumentMemberPlace,
  type MemberPlace,
} from './correlation.ts';
export {
  epochOfId,
  eventToJson,
  formatMicros,
  levels,
  mayBeOfEpoch,
  parseMicros,
  placeEvent,
  placeId,
  sourceText,
  type PlacedEvent,
} from './event.ts';
export { forEachOtherId, idKinds, type IdKind } from './event-ids.ts';
export type { FillMark, FillMove, LogView } from './log-view.ts';
export {
  redriveClaimCode,
  redriveHeaders,
  redriveSource,
  redrivenFrom,
  type RedrivePlace,
} from './redrive.ts';
export { senderHeaders, senderOf, type Sender } from './sender.ts';
export { spanDurationMicros, spanEventKind } from './span-event.ts';
export { topics } from './topics.ts';
export type {
  Acknowledgement,
  Alert,
  Cause,
  CloseReason,
  Correlation,
  CorrelationOptions,
  DeadLetter,
  Forward,
  ForwardedMember,
  Level,
  Link,
  LogEvent,
  MaintenanceWindow,
  Rules,
  Silence,
  Source,
  Tick,
  WindowCut,
  WindowSnapshot,
} from './generated/types.ts';
export { shortText } from './short-text.ts';
