import type { AuthSettings } from './auth-settings.ts';
import { openCanarySeal } from './canary/open-canary-seal.ts';
import type { Access, Authenticate } from './principal.ts';

/** Accepts every request, without a principal. */
export const authenticateNobody: Authenticate = async () => ({ ok: true, principal: {} });

/**
 * Authenticates as the settings say: with LIVE_AUTH_JWKS each request needs a JSON Web Token (RFC 7519) that one of the keys has signed and
 * that expires; without it, every request is accepted. A request with the canary's token is the canary's. Throws SettingsError when a file
 * of keys cannot be read, or a canary has no secret.
 */
export async function openAuthenticate(settings: AuthSettings): Promise<Authenticate> {
  const { CANARY = 'off', CANARY_SECRET } = settings;
  const seal = openCanarySeal({ CANARY, CANARY_SECRET });
  const users = await openForUsers(settings);
  if (seal === undefined) return users;
  return async (request) => (seal.isFromCanary(request) ? canaryAccess : users(request));
}

const canaryAccess: Access = {
  ok: true,
  principal: { subject: 'canary', name: 'canary', isCanary: true },
};

async function openForUsers(settings: AuthSettings): Promise<Authenticate> {
  const source = settings.LIVE_AUTH_JWKS;
  if (source === undefined) return authenticateNobody;
  // Loaded only where there are tokens: every thread of the one-process mode would load it at its start.
  const { authenticateByToken } = await import('./authenticate-by-token.ts');
  return authenticateByToken(source, settings);
}
