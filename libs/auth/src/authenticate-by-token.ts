import { parseFilter } from '@logloom/filter';
import { SettingsError } from '@logloom/settings/settings-error';
import { withoutSecrets } from '@logloom/settings/secrets';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import { authError, type AuthError } from './auth-error.ts';
import type { AuthSettings } from './auth-settings.ts';
import { openKeySet } from './key-set.ts';
import { KeysUnavailable } from './keys-unavailable.ts';
import type { Access, Authenticate, Principal } from './principal.ts';
import { tokenOf } from './token-of.ts';

/** With these only the owner of a private key can sign; a secret shared with this server would let whoever reads it do so too. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Clocks of two machines differ. */
const clockToleranceSeconds = 5;

/** Accepts requests with a token that was signed by a key of `source`. Throws SettingsError when a file of keys cannot be read. */
export async function authenticateByToken(source: string, settings: AuthSettings): Promise<Authenticate> {
  let keys: JWTVerifyGetKey;
  try {
    keys = await openKeySet(source);
  } catch (error) {
    throw new SettingsError([
      `LIVE_AUTH_JWKS=${withoutSecrets('LIVE_AUTH_JWKS', source)}: ${(error as Error).message}`,
    ]);
  }
  const options: JWTVerifyOptions = {
    algorithms,
    requiredClaims: ['exp'],
    clockTolerance: clockToleranceSeconds,
    ...(settings.LIVE_AUTH_ISSUER === undefined ? {} : { issuer: settings.LIVE_AUTH_ISSUER }),
    ...(settings.LIVE_AUTH_AUDIENCE === undefined ? {} : { audience: settings.LIVE_AUTH_AUDIENCE }),
  };
  return async (request) => {
    const token = tokenOf(request);
    if (token === undefined) return refuse(authError('unauthorized'));
    try {
      const { payload } = await jwtVerify(token, keys, options);
      return principalOf(payload, settings);
    } catch (error) {
      return refuse(errorOf(error));
    }
  };
}

function principalOf(payload: JWTPayload, settings: AuthSettings): Access {
  const { LIVE_AUTH_FILTER_CLAIM: name, LIVE_AUTH_REQUIRE_FILTER: isRequired } = settings;
  const claim = payload[name];
  const principal: Principal = {
    subject: JSON.stringify([payload.iss ?? null, payload.sub ?? null, claim ?? null]),
    ...(payload.sub === undefined ? {} : { name: payload.sub }),
    expiresAtMs: payload.exp! * 1000,
  };
  if (claim === undefined) {
    if (isRequired) return refuse(authError('forbidden', `the token has no claim ${name}`));
    return { ok: true, principal };
  }
  // Whatever cannot be read as a filter must not become none.
  const parsed = typeof claim === 'string' && claim.trim() !== '' ? parseFilter(claim) : undefined;
  if (parsed === undefined || !parsed.ok)
    return refuse(authError('forbidden', `the token's claim ${name} is not a filter`));
  return { ok: true, principal: { ...principal, filter: parsed.filter } };
}

function errorOf(error: unknown): AuthError {
  if (error instanceof errors.JWTExpired) return authError('token-expired');
  if (
    error instanceof KeysUnavailable ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    !(error instanceof errors.JOSEError) ||
    // jose throws these when the server of the keys sends something else than keys.
    error.code === 'ERR_JOSE_GENERIC'
  )
    return authError('auth-unavailable');
  return authError('unauthorized', `the token is not valid: ${error.message}`);
}

function refuse(error: AuthError): Access {
  return { ok: false, error };
}
