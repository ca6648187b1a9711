import type { Settings } from '@logloom/settings';
import type { Authenticate } from './holder.ts';

export type AuthSettings = Pick<
  Settings,
  | 'LIVE_AUTH_JWKS'
  | 'LIVE_AUTH_ISSUER'
  | 'LIVE_AUTH_AUDIENCE'
  | 'LIVE_AUTH_FILTER_CLAIM'
  | 'LIVE_AUTH_REQUIRE_FILTER'
>;

/** Lets everybody in; nobody is known. */
export const authenticateNobody: Authenticate = async () => ({ ok: true, holder: {} });

/**
 * What the settings say about tokens: with LIVE_AUTH_JWKS each request needs a JSON Web Token (RFC 7519) that one of the keys has
 * signed and that expires; without, everybody is let in. Throws SettingsError when a file of keys cannot be read.
 */
export async function openAuthenticate(settings: AuthSettings): Promise<Authenticate> {
  const source = settings.LIVE_AUTH_JWKS;
  if (source === undefined) return authenticateNobody;
  // Loaded only where there are tokens: every thread of the one-process mode would load it at its start.
  const { authenticateByToken } = await import('./authenticate-by-token.ts');
  return authenticateByToken(source, settings);
}
