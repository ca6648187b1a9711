import type { DescribedSetting } from '@logloom/settings';
import { allSettings } from '../../apps/logloom/src/settings.ts';

const intro = `# Settings

<!-- Made by \`npm run docs\` from the declarations: change them, not this page. -->

Every setting is an environment variable. A \`.env\` file in the working folder is read too; the environment overrides it. \`logloom config\`
prints what is in force and where it came from.

- A wrong, blank or contradictory value stops the start, with every problem listed at once.
- An unknown name stops the start too, and the message suggests the nearest known name. Checked are names that begin with
  PREFIXES, and under other prefixes names that differ from a setting by at most two letters (\`KAFKA_BROKER\`) or lack its unit (\`SEARCH_RETENTION\`). Names of
  other programs (\`KAFKA_HOME\`) and those that Kubernetes adds for services (\`REDIS_PORT_6379_TCP\`, \`LIVE_PORT=tcp://…\`) are ignored
  ([ADR 24](adr/0024-settings-by-owner.md)). A service that runs on its own checks only its own settings and those of its libs.
- A secret, or a URL that may contain one, can be in a file instead: \`MONGODB_URL_FILE=/run/secrets/mongodb\`. Secrets are never printed.
- The standard \`OTEL_*\` variables configure traces ([tracing](tracing.md)).
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
