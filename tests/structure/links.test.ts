import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The anchors of a Markdown file's headings, as GitHub makes them. */
function anchorsOf(file: string): Set<string> {
  const headings = withoutCode(read(file)).matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    Array.from(headings, ([, text]) =>
      text!
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```/gm, '');
}

test('every relative link in a Markdown file leads to a file, and its anchor to a heading', () => {
  const dangling: string[] = [];
  const pages = files.filter((file) => file.endsWith('.md'));
  let links = 0;
  for (const page of pages)
    for (const [, target] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target!)) continue;
      links++;
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) dangling.push(`${page}: ${target}`);
      else if (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor))
        dangling.push(`${page}: ${target} has no such heading`);
    }
  assert.ok(links > 50, `${links} links are checked`);
  assert.deepEqual(dangling, []);
});

test('every path into docs that a file names exists', () => {
  const dangling: string[] = [];
  let paths = 0;
  for (const file of files.filter((name) => /\.(ts|js|mjs|md|yaml|json|avsc|conf|css|html)$/.test(name))) {
    if (file === 'package-lock.json') continue;
    for (const [path] of read(file).matchAll(/(?<![\w./-])docs\/[\w./-]*\w/g)) {
      paths++;
      if (!existsSync(join(root, path))) dangling.push(`${file}: ${path}`);
    }
  }
  assert.ok(paths > 50, `${paths} paths are checked`);
  assert.deepEqual(dangling, []);
});

test('no comment names a page or a decision that is not in the repository', () => {
  const dangling: string[] = [];
  for (const file of files.filter((name) => /\.(ts|js|mjs)$/.test(name)))
    for (const [, comment] of read(file).matchAll(/(?:^|\s)(\/\*[\s\S]*?\*\/|\/\/[^\n]*)/g)) {
      for (const [page] of comment!.matchAll(/\b[\w/-]+\.md\b|\bdocs: \w+/g))
        if (!files.some((known) => known === page || known.endsWith(`/${page}`)))
          dangling.push(`${file}: ${page}`);
      for (const [said, number] of comment!.matchAll(/(?:\bADR|docs\/adr,) (\d+)/g))
        if (!files.some((known) => known.startsWith(`docs/adr/${number!.padStart(4, '0')}-`)))
          dangling.push(`${file}: ${said}`);
    }
  assert.deepEqual(dangling, []);
});

test('every decision has a number of its own, and its title has the same', () => {
  const decisions = files.filter((name) => /^docs\/adr\/\d{4}-/.test(name));
  const numbers = decisions.map((name) => Number(name.slice('docs/adr/'.length).slice(0, 4)));
  assert.ok(numbers.length > 20);
  assert.deepEqual([...new Set(numbers)], numbers);
  for (const [i, name] of decisions.entries())
    assert.match(read(name), new RegExp(`^# ${numbers[i]}\\. `), name);
});
