/** The value of a setting that may be in a file, which is read again when it changes. Plain data: it is copied to worker threads. */
export interface FileValue {
  /** The setting's name, without `_FILE`. */
  readonly setting: string;
  /** As it was at the start. */
  readonly text: string;
  /** Where it came from; undefined: from the environment, and it never changes. */
  readonly file?: string;
}

/** Whether the value of a setting is one that a file may hold. */
export function isFileValue(value: unknown): value is FileValue {
  return typeof value === 'object' && value !== null && 'setting' in value && 'text' in value;
}
