import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';

/** Longer cells are cut. */
const maxWidth = 120;

/** Rows below their heads in columns; numbers are to the right. */
export function tableLines(heads: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const cells = rows.map((row) => heads.map((_, i) => cellText(row[i])));
  const isNumeric = heads.map((_, i) => rows.every((row) => row[i] === null || typeof row[i] === 'number'));
  const names = heads.map((head) => cut(escapeControls(head)));
  const widths = names.map((name, i) =>
    cells.reduce((width, row) => Math.max(width, row[i]!.length), name.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [pc.dim(line(names)), ...cells.map(line)];
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return cut(escapeControls(typeof value === 'string' ? value : JSON.stringify(value)));
}

function cut(text: string): string {
  return text.length > maxWidth ? `${text.slice(0, maxWidth - 1).toWellFormed()}…` : text;
}
