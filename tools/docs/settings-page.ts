import type { DescribedSetting } from '@logloom/settings';
import { allSettings } from '../../apps/logloom/src/settings.ts';

const intro = `# Settings

<!-- Made by \`npm run docs\` from the declarations: change them, not this page. -->

Every setting is an environment variable. A file \`.env\` in the working folder is read beneath the environment. \`logloom config\` prints
what is in force and where it came from.

- A wrong, blank or contradictory value stops the start, with every problem listed at once.
- A name that Logloom does not know stops the start too, with the nearest known name: every name that begins with
  PREFIXES, and under other prefixes one that differs from a setting by at most two letters (\`KAFKA_BROKER\`). Names of
  others (\`KAFKA_HOME\`) and what Kubernetes adds for services (\`REDIS_PORT_6379_TCP\`, \`LIVE_PORT=tcp://…\`) are ignored
  ([ADR 24](adr/0024-settings-by-owner.md)). A service on its own checks only the names of its own and of its libs.
- A secret, and a URL that may hold one, can be in a file instead: \`MONGODB_URL_FILE=/run/secrets/mongodb\`. Secrets are never printed.
- The standard \`OTEL_*\` variables set up traces.
`;

const secrecies = { secret: 'yes', 'may-hold-one': 'may hold one', none: 'no' } as const;

/** docs/settings.md, before Prettier formats it. */
export function settingsPage(): string {
  const described = allSettings.describe();
  const prefixes = allSettings.groups.flatMap((group) => group.prefixes.map((prefix) => `\`${prefix}\``));
  const sections = allSettings.groups.map(({ owner }) => {
    const rows = described.filter((setting) => setting.owner === owner).map(row);
    return [
      `## ${owner}`,
      '',
      `Declared in \`${owner}/src/settings.ts\`.`,
      '',
      '| setting | what it does | unit | default | values | secret |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n');
  });
  return [intro.replace('PREFIXES', prefixes.join(', ')), ...sections].join('\n');
}

function row(setting: DescribedSetting): string {
  const { name, description, unit = '', default: fallback, bounds = '', secrecy } = setting;
  const shown = fallback === undefined ? '' : fallback === '' ? 'empty' : code(fallback);
  const cells = [code(name), description, unit, shown, bounds, secrecies[secrecy]];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}
