import { describeSettings } from '../../apps/logloom/src/settings.ts';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const defaults = new Map(describeSettings().map((setting) => [setting.name, setting.default]));
const factors: Readonly<Record<string, number>> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
};
const amount = String.raw`(\d[\d,.]*)(?: (KiB|MiB|GiB|ms|s|min|h|days)\b)?`;

interface Statement {
  file: string;
  name: string;
  says: string;
}

/** What the pages say about the defaults of settings: in tables with a column `default`, and in brackets or words behind a name. */
function statements(): Statement[] {
  const found: Statement[] = [];
  const pages = globSync(['docs/*.md', '*.md', 'libs/*/README.md'], { cwd: root });
  // docs/settings.md is made from the declarations (generated-docs.test.ts).
  for (const file of pages.filter((page) => page !== 'docs/settings.md')) {
    const text = readFileSync(join(root, file), 'utf8');
    let column = -1;
    for (const line of text.split('\n')) {
      if (!line.startsWith('|')) column = -1;
      const cells = line.split('|').map((cell) => cell.trim());
      if (cells.includes('default')) column = cells.indexOf('default');
      else if (column > 0 && cells[column] !== undefined) {
        const names = settingsIn(cells[1]!);
        const values = names.length > 1 ? cells[column]!.split(', ') : [cells[column]!];
        if (values.length === names.length)
          found.push(...names.map((name, i) => ({ file, name, says: values[i]! })));
      }
      const inline = new RegExp(
        String.raw`\`([A-Z][A-Z0-9_]+)\`,? \(?(?:by default|default:?|which is)? ?${amount}\)`,
        'g',
      );
      for (const [, name, number, unit = ''] of line.matchAll(inline))
        if (defaults.has(name!)) found.push({ file, name: name!, says: `${number} ${unit}`.trim() });
    }
  }
  return found;
}

function settingsIn(cell: string): string[] {
  return [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)]
    .map(([, name]) => name!)
    .filter((name) => defaults.has(name));
}

/** As the settings have it; undefined where it is no amount. */
function asDefault(says: string): string | undefined {
  const [, number, unit] = new RegExp(`^${amount}$`).exec(says.replaceAll('`', '')) ?? [];
  if (number === undefined) return undefined;
  return String(Number(number.replaceAll(',', '')) * (unit === undefined ? 1 : factors[unit]!));
}

test('the defaults that the pages name are those of the settings', () => {
  const all = statements().map((statement) => ({ ...statement, value: asDefault(statement.says) }));
  const amounts = all.filter(({ value }) => value !== undefined);
  assert.ok(amounts.length >= 12, `${amounts.length} are checked`);
  const wrong = amounts.filter(({ name, value }) => value !== defaults.get(name));
  assert.deepEqual(
    wrong.map(({ file, name, says }) => `${file}: ${name} is ${defaults.get(name)}, not ${says}`),
    [],
  );
});
