import { levels, type Level } from '@logloom/schemas';
import type { Bound } from './ast.ts';
import { globMatcher } from './glob.ts';

const aliases: Record<string, Level> = {
  verbose: 'trace',
  information: 'info',
  warning: 'warn',
  err: 'error',
  crit: 'fatal',
  critical: 'fatal',
  emerg: 'fatal',
  emergency: 'fatal',
  panic: 'fatal',
};

const names = new Map<string, Level>([
  ...levels.map((level): [string, Level] => [level, level]),
  ...Object.entries(aliases),
]);

/** The level of that name or alias, in whatever case. */
export function levelOf(text: string): Level | undefined {
  return names.get(text.toLowerCase());
}

/** The levels whose name or alias matches the glob. */
export function levelsMatching(glob: string): Level[] {
  const matches = globMatcher(glob.toLowerCase());
  const found = new Set([...names].filter(([name]) => matches(name)).map(([, level]) => level));
  return levels.filter((level) => found.has(level));
}

/** The levels between two of them. */
export function levelsBetween(min: Bound<Level> | undefined, max: Bound<Level> | undefined): Level[] {
  return levels.filter((level, rank) => {
    const fromMin = min === undefined ? 1 : rank - levels.indexOf(min.value);
    const toMax = max === undefined ? 1 : levels.indexOf(max.value) - rank;
    return (
      (fromMin > 0 || (fromMin === 0 && min!.inclusive)) && (toMax > 0 || (toMax === 0 && max!.inclusive))
    );
  });
}
