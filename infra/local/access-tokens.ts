import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const keyId = 'local';

/** The file of keys (JWKS) by which a secured broker checks tokens for OAUTHBEARER; made unless it is there. */
export function tokenKeys(dir: string): string {
  const [file, keyFile] = [join(dir, 'jwks.json'), join(dir, 'token.key')];
  if (existsSync(file)) return file;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const key = createPublicKey(privateKey).export({ format: 'jwk' });
  writeFileSync(file, JSON.stringify({ keys: [{ ...key, kid: keyId, alg: 'ES256', use: 'sig' }] }));
  return file;
}

/** A token for this user that the broker takes for so many seconds. */
export function signToken(dir: string, subject: string, lifeSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: subject, aud: 'kafka', scope: 'kafka', iat: now, exp: now + lifeSeconds };
  const body = [{ alg: 'ES256', kid: keyId, typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = createPrivateKey(readFileSync(join(dir, 'token.key')));
  const signature = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}
