import { z } from 'zod';

/** Whether a value is a secret as a whole, or a URL that may have a user and password in it. */
export type Secrecy = 'secret' | 'may-hold-one' | 'none';

/** The declaration of one setting. Its name is the environment variable. */
export interface Setting<Value> {
  readonly schema: z.ZodType<Value>;
  /** What the number counts, such as `ms` or `bytes`; absent for texts. */
  readonly unit?: string | undefined;
  /** The default, as it would be written; absent: the description says what happens without a value. */
  readonly default?: string | undefined;
  /** Which values are allowed, in words; absent: any text. What is said of a wrong value ends with it. */
  readonly bounds?: string | undefined;
  readonly secrecy: Secrecy;
  /** Whether the value is a FileValue, which is read again when its file changes. */
  readonly isFileValue?: true;
  /** One plain sentence, without a capital letter and a full stop. */
  readonly description: string;
}

export type Declarations = Readonly<Record<string, Setting<unknown>>>;
/** The values of declared settings. */
export type Values<D extends Declarations> = {
  readonly [Name in keyof D]: D[Name] extends Setting<infer Value> ? Value : never;
};

export interface NumberOptions {
  unit: string;
  min?: number;
  max?: number;
  description: string;
}

/** A whole number. */
export function numberSetting(options: NumberOptions & { default: number }): Setting<number>;
export function numberSetting(options: NumberOptions): Setting<number | undefined>;
export function numberSetting({
  unit,
  min = 1,
  max,
  default: fallback,
  description,
}: NumberOptions & { default?: number }): Setting<number | undefined> {
  const bounds = max === undefined ? `${min} or more` : `${min} to ${max}`;
  const message =
    unit === portUnit ? `must be a port, ${bounds}` : `must be a whole number of ${unit}, ${bounds}`;
  const number = z.coerce
    .number(message)
    .int(message)
    .min(min, message)
    .max(max ?? Number.MAX_SAFE_INTEGER, message);
  return {
    schema: fallback === undefined ? number.optional() : number.default(fallback),
    unit,
    default: fallback === undefined ? undefined : String(fallback),
    bounds,
    secrecy: 'none',
    description,
  };
}

/** Whether `<name>_FILE` may name a file with the value. */
export function mayBeInFile({
  secrecy,
  isFileValue,
}: Pick<Setting<unknown>, 'secrecy' | 'isFileValue'>): boolean {
  return secrecy !== 'none' || isFileValue === true;
}

/** A port; this unit distinguishes it from Kubernetes' service links of the same name. */
export function portSetting(fallback: number, description: string): Setting<number> {
  return numberSetting({ unit: portUnit, min: 0, max: 65_535, default: fallback, description });
}

/** A port that is undefined where nobody sets it: the owner then has one that nobody asked for. */
export function optionalPortSetting(description: string): Setting<number | undefined> {
  return numberSetting({ unit: portUnit, min: 0, max: 65_535, description });
}

export const portUnit = 'port';

export function flagSetting(fallback: boolean, description: string): Setting<boolean> {
  return {
    schema: z
      .enum(['true', 'false'], 'must be true or false')
      .default(fallback ? 'true' : 'false')
      .transform((text) => text === 'true'),
    default: String(fallback),
    bounds: 'true or false',
    secrecy: 'none',
    description,
  };
}

export function choiceSetting<const Choice extends string>(
  choices: readonly Choice[],
  fallback: NoInfer<Choice>,
  description: string,
): Setting<Choice> {
  return {
    schema: z
      .enum(choices as [Choice, ...Choice[]], `must be one of ${choices.join(', ')}`)
      .optional()
      .transform((choice): Choice => choice ?? fallback),
    default: fallback,
    bounds: choices.join(', '),
    secrecy: 'none',
    description,
  };
}

export interface TextOptions {
  /** The allowed texts, in words. */
  bounds?: string;
  minLength?: number;
  secrecy?: Secrecy;
  description: string;
}

export function textSetting(options: TextOptions & { default: string }): Setting<string>;
export function textSetting(options: TextOptions): Setting<string | undefined>;
export function textSetting({
  bounds,
  minLength = 1,
  secrecy = 'none',
  default: fallback,
  description,
}: TextOptions & { default?: string }): Setting<string | undefined> {
  const text = z.string().min(minLength, `must have ${minLength} characters or more`);
  return {
    schema: fallback === undefined ? text.optional() : text.default(fallback),
    default: fallback,
    bounds,
    secrecy,
    description,
  };
}

/** A URL of one of the protocols (`http:`), which may hold a user and a password. */
export function urlSetting(protocols: readonly string[], description: string): Setting<string | undefined> {
  const bounds = `URL with ${protocols.join(' or ')}`;
  return {
    schema: z
      .string()
      .refine(
        (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
        `must be a ${bounds}`,
      )
      .optional(),
    bounds,
    secrecy: 'may-hold-one',
    description,
  };
}

export interface ListOptions {
  /** The allowed items; all must match. */
  isItem?: (item: string) => boolean;
  bounds?: string;
  description: string;
}

/** Texts, separated by commas; none by default. */
export function listSetting({
  isItem,
  bounds = 'comma-separated',
  description,
}: ListOptions): Setting<string[]> {
  return {
    schema: z
      .string()
      .default('')
      .transform(commaSeparated)
      .refine((items) => isItem === undefined || items.every((item) => isItem(item)), `must be ${bounds}`),
    default: '',
    bounds,
    secrecy: 'none',
    description,
  };
}

export function commaSeparated(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** The problems of a value, thrown by the `read` of a customSetting(): each is a phrase that follows the value. */
export class InvalidValue extends Error {
  readonly problems: readonly string[];
  constructor(...problems: string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

export interface CustomOptions<Value> extends Omit<Setting<Value>, 'schema' | 'secrecy'> {
  secrecy?: Secrecy;
  /** Turns the text into the value. Throws InvalidValue. */
  read: (text: string) => Value;
}

/** A setting with a special form; without a default it is optional. */
export function customSetting<Value>(options: CustomOptions<Value> & { default: string }): Setting<Value>;
export function customSetting<Value>(options: CustomOptions<Value>): Setting<Value | undefined>;
export function customSetting<Value>({
  read,
  secrecy = 'none',
  ...rest
}: CustomOptions<Value>): Setting<Value | undefined> {
  const schema = z
    .string()
    .optional()
    .transform((text, context): Value | undefined => {
      const given = text ?? rest.default;
      try {
        return given === undefined ? undefined : read(given);
      } catch (error) {
        if (!(error instanceof InvalidValue)) throw error;
        for (const problem of error.problems) context.addIssue(problem);
        return undefined;
      }
    });
  return { ...rest, secrecy, schema };
}
