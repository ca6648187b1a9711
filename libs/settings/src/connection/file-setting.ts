import { z } from 'zod';
import { isSecretName } from '../secrets.ts';
import type { Setting } from '../setting.ts';
import type { FileValue } from './file-value.ts';

/** A credential or certificate. `<name>_FILE` may name a file that holds it; LiveValues has what is in the file now. */
export function fileSetting(
  name: string,
  options: {
    bounds?: string;
    secrecy?: 'may-hold-one';
    description: string;
    isValid?: (text: string) => boolean;
  },
): Setting<FileValue | undefined> {
  const { bounds, secrecy, description, isValid = () => true } = options;
  return {
    schema: z
      .custom<FileValue>()
      .optional()
      .refine((value) => value === undefined || isValid(value.text), {
        message: `is not: ${bounds ?? 'valid'}`,
      }),
    bounds,
    secrecy: isSecretName(name) ? 'secret' : (secrecy ?? 'none'),
    isFileValue: true,
    description,
  };
}
