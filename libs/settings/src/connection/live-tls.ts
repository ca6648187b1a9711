import { LiveValues, type LiveValuesOptions } from './live-values.ts';
import { makeTlsMaterial, type TlsKey, type TlsMaterial } from './tls-material.ts';
import type { TlsValues } from './tls-settings.ts';

/** The certificates of the settings with this prefix, as their files are now. */
export class LiveTls extends LiveValues<TlsKey, TlsMaterial> {
  /** Throws SettingsError when what was given at the start cannot be used. */
  constructor(
    prefix: string,
    values: TlsValues,
    callbacks: Pick<LiveValuesOptions<TlsKey, TlsMaterial>, 'onTrouble' | 'onChange'>,
  ) {
    super({ values, make: (texts) => makeTlsMaterial(prefix, texts), ...callbacks });
  }
}
