import { CodedError, type CodeOf } from '@logloom/errors';
import { settingsErrors } from './errors.ts';

/** What is wrong with the settings, all of it at once. */
export class SettingsError extends CodedError<CodeOf<typeof settingsErrors>> {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      settingsErrors,
      'bad-settings',
      `wrong settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.problems = problems;
  }
}
