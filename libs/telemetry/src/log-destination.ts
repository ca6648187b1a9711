import { escapeOutput } from './escape-controls.ts';

interface Destination {
  write: (line: string) => unknown;
}

/**
 * The destination of log lines. They may quote untrusted text, are read on terminals and are kept. So control characters are escaped, and
 * `secrets`, such as passwords in URLs, are removed wherever they appear, for example in an engine's error.
 */
export function logDestination(destination: Destination, secrets: readonly string[]): Destination {
  // As they are written in JSON. Longest first: one may be part of another.
  const hidden = [...new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
  return {
    write: (line) =>
      destination.write(
        escapeOutput(
          hidden.reduce(
            (text, secret) => (text.includes(secret) ? text.replaceAll(secret, '***') : text),
            line,
          ),
        ),
      ),
  };
}
