import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** `from './x.ts'`, `import './x.ts'`, `import('./x.ts')`; also of types, and of types in JSDoc. */
const imports = /\b(?:from|import)\s*\(?\s*(['"])([@.][^'"\n]+)\1/g;

/**
 * The cycles among files, each as the files of one strongly connected component (Tarjan, 1972), sorted. Imports of types count. `files` are
 * paths from `root`; the names of packages are looked up in the `package.json` files among them.
 */
export function importCycles(root: string, files: readonly string[]): string[][] {
  const packages = entryPoints(root, files);
  const known = new Set(files.filter((file) => /\.[cm]?[jt]s$/.test(file)));
  const importsOf = (file: string): string[] =>
    [...read(join(root, file)).matchAll(imports)].flatMap(([, , specifier = '']) => {
      const target = specifier.startsWith('.')
        ? normalize(join(dirname(file), specifier))
        : packages.get(specifier);
      return target !== undefined && known.has(target) ? [target] : [];
    });

  const cycles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    lowest.set(file, index);
    open.push(file);
    const targets = importsOf(file);
    for (const target of targets) {
      const reached = order.has(target)
        ? open.includes(target)
          ? order.get(target)!
          : Infinity
        : visit(target);
      lowest.set(file, Math.min(lowest.get(file)!, reached));
    }
    if (lowest.get(file) === index) {
      const component = open.splice(open.indexOf(file));
      if (component.length > 1 || targets.includes(file)) cycles.push(component.sort());
    }
    return lowest.get(file)!;
  };
  for (const file of known) if (!order.has(file)) visit(file);
  return cycles.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

/** What the `exports` of the packages name: `@logloom/x/part` by its file. */
function entryPoints(root: string, files: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of files) {
    if (!file.endsWith('package.json')) continue;
    const { name, exports = {} } = JSON.parse(read(join(root, file))) as {
      name: string;
      exports?: Record<string, string | { default?: string }>;
    };
    for (const [path, target] of Object.entries(exports)) {
      const to = typeof target === 'string' ? target : target.default;
      if (to !== undefined) found.set(join(name, path), normalize(join(dirname(file), to)));
    }
  }
  return found;
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}
