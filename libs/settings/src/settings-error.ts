/** What is wrong with the settings, all of it at once. */
export class SettingsError extends Error {
  readonly code = 'bad-settings';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`wrong settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
    this.problems = problems;
  }
}
