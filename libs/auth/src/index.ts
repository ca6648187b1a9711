export { authErrors, guardErrors } from './errors.ts';
export { authError, type AuthError, type AuthErrorCode } from './auth-error.ts';
export type { AuthSettings } from './auth-settings.ts';
export { authenticateNobody, openAuthenticate } from './authenticate.ts';
export {
  canaryService,
  CanarySeal,
  parseCanaryMessage,
  type CanaryMark,
  type SealedContent,
} from './canary/canary-seal.ts';
export { openCanarySeal, type CanarySettings } from './canary/open-canary-seal.ts';
export { checkExposure, checkIngestExposure, isLoopback } from './check-exposure.ts';
export { clientAddress, clientHeader, forwardedClientAddress, type ClientAddress } from './client-address.ts';
export { glob } from './glob.ts';
export type { Access, AccessRequest, Authenticate, Principal } from './principal.ts';
export type { IngestKey, IngestKeys, Quota } from './ingest-keys.ts';
export { KeysUnavailable } from './keys-unavailable.ts';
export { mayHaveVisibleMembers } from './may-have-visible-members.ts';
export { networkOf } from './network-of.ts';
export {
  isAllowedOrigin,
  RequestGuard,
  type GuardedRequest,
  type GuardErrorCode,
  type RequestGuardOptions,
} from './request-guard.ts';
export { openSealer, Sealer } from './sealer.ts';
export { tokenOf, tokenProtocol } from './token-of.ts';
export {
  idsOnly,
  placedIn,
  visibleDocument,
  VisibleDocument,
  visibleDocumentJson,
  type DocumentMember,
} from './visible-document.ts';
