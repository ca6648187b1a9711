import { escapeOutput } from './escape-controls.ts';

interface Destination {
  write: (line: string) => unknown;
}

/**
 * Where log lines go that may quote what others wrote: people read them on terminals, and they are kept. Control characters are
 * escaped, and `secrets`, such as passwords of URLs, are taken out wherever they stand: in an engine's error, say.
 */
export function logDestination(destination: Destination, secrets: readonly string[]): Destination {
  // As they stand in JSON. The longest first: one may be a part of another.
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
