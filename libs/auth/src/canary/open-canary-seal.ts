import { SettingsError } from '@logloom/settings/settings-error';
import type { Settings } from '../settings.ts';
import { CanarySeal } from './canary-seal.ts';

export type CanarySettings = Pick<Settings, 'CANARY' | 'CANARY_SECRET'>;

/** The deployment's seal; undefined without a canary. Throws SettingsError when there is one and no secret. */
export function openCanarySeal({ CANARY, CANARY_SECRET }: CanarySettings): CanarySeal | undefined {
  if (CANARY === 'off') return undefined;
  if (CANARY_SECRET === undefined)
    throw new SettingsError([
      'CANARY_SECRET: with CANARY=on, services on their own need the same secret each; only the one-process mode makes one by itself',
    ]);
  return new CanarySeal(CANARY_SECRET);
}
