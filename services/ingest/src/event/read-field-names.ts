import { InvalidValue } from '@logloom/settings';
import { slots, type SlotName } from './field-names.ts';
import type { FieldNames } from './name-table.ts';

const maxNames = 100;
const fields = Object.keys(slots).filter((name) => name !== 'attributes');

/** INGEST_FIELD_NAMES: lines of field=name,name. Throws InvalidValue. */
export function readFieldNames(text: string): FieldNames {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const problems: string[] = [];
  const found: Partial<Record<SlotName, string[]>> = {};
  for (const line of lines) {
    const equals = line.indexOf('=');
    const field = line.slice(0, Math.max(0, equals)).trim();
    const names = line
      .slice(equals + 1)
      .split(',')
      .map((name) => name.trim());
    if (!fields.includes(field))
      problems.push(`${line} does not begin with one of ${fields.join(', ')} and =`);
    else if (names.some((name) => name === '' || name.length > 128)) problems.push(`${line} has no names`);
    else found[field as SlotName] = [...(found[field as SlotName] ?? []), ...names];
  }
  if (Object.values(found).flat().length > maxNames) problems.push(`has more than ${maxNames} names`);
  if (problems.length > 0) throw new InvalidValue(...problems);
  return found;
}
