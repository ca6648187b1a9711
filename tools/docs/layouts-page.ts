import { knownLayouts, knownWrappers } from '../../services/ingest/src/text/layouts/all-layouts.ts';
import type { Layout } from '../../services/ingest/src/text/layouts/layout.ts';

const intro = `# Layouts of plain text

The layouts that are known by name, in the order in which they are tried; [formats](formats.md#plain-text) says how a file is read, and what
becomes of a line that has none of them. The page is made from the
declarations in \`services/ingest/src/text/layouts\`, where each has examples that are its tests: change them and run \`npm run docs\`.
`;

/** docs/layouts.md, before Prettier formats it. */
export function layoutsPage(): string {
  return [
    intro,
    table(knownLayouts),
    '\n## Around lines\n',
    'What is behind these is read again.\n',
    table(knownWrappers),
    '',
  ].join('\n');
}

function table(layouts: readonly Layout[]): string {
  const rows = layouts.map(({ name, title, examples, service }) => {
    const line = examples[0]![0].replaceAll('\n', ' ⏎ ').replaceAll('\t', ' ').replaceAll('|', '\\|');
    return `| \`${name}\` | ${title.replaceAll('|', '\\|')} | ${service ?? ''} | \`${line.length > 150 ? `${line.slice(0, 147)}…` : line}\` |`;
  });
  return ['| name | written by | service | example |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
