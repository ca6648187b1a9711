import { idKinds, type IdKind } from '@logloom/schemas';
import { InvalidValue } from '@logloom/settings';

/** CORRELATION_ID_ORDER: kinds of ids, each once. Throws InvalidValue. */
export function readIdOrder(text: string): IdKind[] {
  const kinds = readKinds(text);
  if (kinds.length === 0) throw new InvalidValue('must name at least one id');
  return kinds;
}

/** CORRELATION_JOINS: kinds of ids, or `none`. Throws InvalidValue. */
export function readJoins(text: string): ReadonlySet<IdKind> {
  return new Set(text.trim() === 'none' ? [] : readKinds(text));
}

function readKinds(text: string): IdKind[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(idKinds as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new InvalidValue(...unknown.map((name) => `'${name}' is none of ${idKinds.join(', ')}`));
  if (new Set(names).size < names.length) throw new InvalidValue('names an id twice');
  return names as IdKind[];
}
