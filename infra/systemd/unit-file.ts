import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The settings of a unit file, by section and name, in order: a name may come several times. Source: systemd.syntax(7). */
export type UnitFile = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Reads a unit of this folder; `instance` stands for %i. */
export function readUnit(file: string, instance = ''): UnitFile {
  return parseUnit(readFileSync(join(import.meta.dirname, file), 'utf8'), instance);
}

/** The settings in a unit's text. Throws when a line is none. */
export function parseUnit(text: string, instance = ''): UnitFile {
  const sections: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> | undefined;
  for (const line of text.split('\n')) {
    if (line.trim() === '' || /^[#;]/.test(line)) continue;
    const heading = /^\[(\w+)\]$/.exec(line);
    if (heading !== null) {
      section = sections[heading[1]!] ??= {};
      continue;
    }
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (section === undefined || name === undefined) throw new Error(`${line} is no setting`);
    (section[name] ??= []).push(value!.replaceAll('%i', instance));
  }
  return sections;
}

/** The variables that Environment= sets. */
export function environmentOf(unit: UnitFile): Record<string, string> {
  const pairs = (unit['Service']!['Environment'] ?? []).flatMap((line) => line.split(' '));
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/).slice(0, 2) as [string, string]));
}
