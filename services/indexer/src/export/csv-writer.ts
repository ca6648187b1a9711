import { attributeValues } from '@logloom/filter';
import { formatMicros } from '@logloom/schemas';
import type { FoundEvent } from '@logloom/search-store';

/** The columns of a CSV file where none are chosen, and their order. */
export const csvColumns = [
  'id',
  'timestamp',
  'level',
  'service',
  'host',
  'message',
  'correlationId',
  'correlationKind',
  'traceId',
  'spanId',
  'attributes',
  'partition',
  'offset',
] as const;

const prefix = 'attributes.';

/** Whether a column can have that name: one of the above, or `attributes.<path>`. */
export function isCsvColumn(name: string): boolean {
  return (
    (csvColumns as readonly string[]).includes(name) ||
    (name.startsWith(prefix) && name.length > prefix.length)
  );
}

export interface CsvOptions {
  columns: readonly string[];
  /**
   * Whether a text that a spreadsheet would run as a formula gets a `'` before it. Without, the file says exactly what the events say.
   */
  escapesFormulas: boolean;
}

/** Lines of CSV as RFC 4180 has it; a field that is missing is empty, several values of an attribute are a JSON list. */
export class CsvWriter {
  readonly #options: CsvOptions;
  readonly #readsPaths: boolean;

  constructor(options: CsvOptions) {
    this.#options = options;
    this.#readsPaths = options.columns.some((column) => column.startsWith(prefix));
  }

  get head(): string {
    return this.#line(this.#options.columns);
  }

  line(event: FoundEvent): string {
    const attributes = this.#readsPaths ? attributeValues(event.attributes) : undefined;
    return this.#line(
      this.#options.columns.map((column) => {
        if (column === 'timestamp') return formatMicros(event.timestamp);
        if (!column.startsWith(prefix)) return String(event[column as keyof FoundEvent] ?? '');
        const values = attributes?.get(column.slice(prefix.length)) ?? [];
        return values.length > 1 ? JSON.stringify(values) : String(values[0] ?? '');
      }),
    );
  }

  #line(fields: readonly string[]): string {
    return `${fields.map((field) => this.#field(field)).join(',')}\r\n`;
  }

  #field(text: string): string {
    const isFormula = this.#options.escapesFormulas && /^[=+\-@\t\r]/.test(text) && !isNumber(text);
    const escaped = isFormula ? `'${text}` : text;
    return /[",\r\n]/.test(escaped) ? `"${escaped.replaceAll('"', '""')}"` : escaped;
  }
}

/** `-1` is no formula. */
function isNumber(text: string): boolean {
  return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text);
}
