import { describeSettings } from '../settings.ts';

/** The settings with their defaults and bounds, as a part of a help text. */
export function settingsHelp(): string {
  const rows = describeSettings().map(
    ({ name, default: value, bounds, description }) =>
      `  ${name.padEnd(25)} ${description}${bounds === undefined ? '' : ` [${bounds}]`}${value === undefined ? '' : ` (${value})`}`,
  );
  return `\nSettings, from the environment or a .env file:\n${rows.join('\n')}\n  OTEL_*                    the standard OpenTelemetry settings`;
}
