import { isFileValue } from './connection/file-value.ts';

/** Settings that are a secret as a whole, by their names. */
const secretName = /_(?:KEY|TOKEN|PASSWORD|SECRET|PASSPHRASE)$/;
/** Whether a setting is a secret as a whole. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** The part before the host of a URL, also of one with several hosts or too few slashes. */
const userInfo = /(:\/{0,3})([^\s/?#]*)@/g;
const secretParameter = /([?&][^=&\s]*(?:password|passwd|secret|token|api_?key)[^=&\s]*=)([^&\s]+)/gi;

/** A setting's value as it may be shown: without the user and password of a URL, and hidden if the name marks a secret. */
export function withoutSecrets(name: string, value: string): string {
  if (value !== '' && secretName.test(name)) return '***';
  return value.replaceAll(userInfo, '$1***@').replaceAll(secretParameter, '$1***');
}

/** The secrets in the settings, in the forms that may appear in errors of engines and libraries. */
export function secretsOf(settings: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value === 'string') return secretsIn(name, value);
    return isFileValue(value) ? secretsIn(name, value.text) : [];
  });
}

function secretsIn(name: string, value: string): string[] {
  if (secretName.test(name)) return [value];
  const passwords = [...value.matchAll(userInfo)].flatMap(([, , user = '']) =>
    user.includes(':') ? [user.slice(user.indexOf(':') + 1)] : [],
  );
  const parameters = [...value.matchAll(secretParameter)].map(([, , secret = '']) => secret);
  return [...passwords, ...parameters].flatMap((secret) => [secret, decoded(secret)]);
}

/** Secrets that came with a changed file, after secretsOf() was asked. */
const later = new Set<string>();

/** Hides the secrets of a setting's new value from now on, beside the old ones: these may still stand in errors. */
export function rememberSecret(name: string, value: string): void {
  for (const secret of secretsIn(name, value)) later.add(secret);
}

/** Shorter texts occur in everything that is logged. */
const shortestSecret = 6;

/** Hides these texts from now on: secrets that came from elsewhere than settings. */
export function rememberSecrets(secrets: readonly string[]): void {
  for (const secret of secrets) if (secret.length >= shortestSecret) later.add(secret);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Removes the secrets of secretsOf() from a text. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  // Longest first: one may be part of another.
  const longest = [...secrets, ...later]
    .filter((secret) => secret !== '')
    .toSorted((a, b) => b.length - a.length);
  return longest.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}
