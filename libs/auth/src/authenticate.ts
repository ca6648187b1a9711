import type { AuthSettings } from './auth-settings.ts';
import type { Authenticate } from './principal.ts';

/** Accepts every request, without a principal. */
export const authenticateNobody: Authenticate = async () => ({ ok: true, principal: {} });

/**
 * Authenticates as the settings say: with LIVE_AUTH_JWKS each request needs a JSON Web Token (RFC 7519) that one of the keys has signed and
 * that expires; without it, every request is accepted. Throws SettingsError when a file of keys cannot be read.
 */
export async function openAuthenticate(settings: AuthSettings): Promise<Authenticate> {
  const source = settings.LIVE_AUTH_JWKS;
  if (source === undefined) return authenticateNobody;
  // Loaded only where there are tokens: every thread of the one-process mode would load it at its start.
  const { authenticateByToken } = await import('./authenticate-by-token.ts');
  return authenticateByToken(source, settings);
}
