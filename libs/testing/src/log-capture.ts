/** What was logged with one call. */
export interface CapturedLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string | undefined;
}

type Write = (fields: object | string, message?: string) => void;

/** A logger with pino's methods that keeps what it is given. */
export interface LogCapture extends Record<CapturedLine['level'], Write> {
  readonly lines: CapturedLine[];
}

/** A logger for a test; pass it where the code wants one, and look at `lines`. */
export function captureLog(): LogCapture {
  const lines: CapturedLine[] = [];
  const at =
    (level: CapturedLine['level']): Write =>
    (fields, message) => {
      if (typeof fields === 'string') lines.push({ level, fields: {}, message: fields });
      else lines.push({ level, fields: fields as Record<string, unknown>, message });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
