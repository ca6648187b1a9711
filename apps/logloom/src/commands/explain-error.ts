import { hideSecrets, SettingsError } from '@logloom/settings';
import { CommanderError } from 'commander';
import { allSettings } from '../settings.ts';
import { CommandError } from './command-errors.ts';

/** The exit code for a command's error, and the message for the user; secrets in `env` stay hidden. */
export function explain(error: unknown, env: NodeJS.ProcessEnv): { exitCode: number; message: string } {
  const { exitCode, message } = explainOpenly(error);
  return { exitCode, message: hideSecrets(message, allSettings.secretsGiven(env)) };
}

function explainOpenly(error: unknown): { exitCode: number; message: string } {
  // commander has written its own message; help and version are not failures.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, message: '' };
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof SettingsError) return { exitCode: 2, message: error.message };
  const { code, message, stack } = error as Error & { code?: string };
  // Errors with a code explain themselves; others are faults of Logloom.
  return { exitCode: 2, message: code === undefined ? (stack ?? message) : message };
}
