import { CodedError, type CodeOf } from '@logloom/errors';
import { settingsErrors } from './errors.ts';

/** All problems of the settings. */
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
