import { parseSettings } from '../settings.ts';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAuthenticate } from '../authenticate.ts';
import type { Authenticate } from '../principal.ts';

type GeneratedKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

/** For tests: signs tokens, and tells the keys that they can be checked with. */
export class TestIssuer {
  readonly #keys = new Map<string, { privateKey: GeneratedKey; jwk: JWK }>();

  static async create(...keyIds: string[]): Promise<TestIssuer> {
    const issuer = new TestIssuer();
    for (const keyId of keyIds) await issuer.addKey(keyId);
    return issuer;
  }

  async addKey(keyId: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: keyId, alg: 'ES256', use: 'sig' };
    this.#keys.set(keyId, { privateKey, jwk });
  }

  /** The JWKS, as JSON. */
  jwks(...keyIds: string[]): string {
    const wanted = keyIds.length === 0 ? [...this.#keys.keys()] : keyIds;
    return JSON.stringify({ keys: wanted.map((keyId) => this.#keys.get(keyId)!.jwk) });
  }

  /** What finds out who shows a token of this issuer, as a service has it; `folder` is for the keys. */
  async authenticate(folder: string, settings: Record<string, string> = {}): Promise<Authenticate> {
    const file = join(folder, 'keys.json');
    writeFileSync(file, this.jwks());
    return openAuthenticate(parseSettings({ LIVE_AUTH_JWKS: file, ...settings }));
  }

  /** A token that lives for `seconds`; by the first key unless `keyId` says otherwise. */
  sign(claims: Record<string, unknown> = {}, { keyId = '', seconds = 3600 } = {}): Promise<string> {
    const kid = keyId === '' ? [...this.#keys.keys()][0]! : keyId;
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      iss: 'https://login.test',
      aud: 'logloom',
      sub: 'someone',
      exp: now + seconds,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(this.#keys.get(kid)!.privateKey);
  }
}
