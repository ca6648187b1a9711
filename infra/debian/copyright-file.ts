import { globSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installed } from './layout.ts';

const header = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Logloom`;

interface Manifest {
  name?: string;
  version?: string;
  license?: string | { type: string };
  author?: string | { name: string };
}

/** What a manifest leaves out, by the package's licence file. */
const undeclared: Readonly<Record<string, string>> = {
  '@kafkajs/confluent-schema-registry': 'MIT',
};

/**
 * The copyright file: one stanza for Logloom, one for Node, and one for each package of `folder`/node_modules, with the text that its licence
 * file has. `node` is the folder of Node's package. Throws when a package declares no licence. Source: Debian's copyright format 1.0.
 */
export function copyrightFile(folder: string, ownLicence: string, node: string): string {
  const stanzas = globSync(['node_modules/**/package.json'], { cwd: folder })
    .filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file))
    .filter((file) => !file.startsWith('node_modules/@logloom/'))
    .sort()
    .map((file) => stanzaOf(join(folder, dirname(file)), `${installed.logloom.slice(1)}/${dirname(file)}/*`));
  return (
    [
      header,
      stanza('*', 'Expat', ownLicence),
      stanza(installed.node.slice(1), 'Node', readFileSync(join(node, 'LICENSE'), 'utf8')),
      ...stanzas,
    ].join('\n\n') + '\n'
  );
}

function stanzaOf(folder: string, files: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const { name = '', license, author } = manifest;
  const declared = (typeof license === 'string' ? license : license?.type) ?? undeclared[name];
  if (declared === undefined) throw new Error(`${name} declares no licence`);
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file) && statSync(join(folder, file)).isFile())
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const named = typeof author === 'string' ? author : author?.name;
  const text =
    texts.length > 0 ? texts.join('\n\n') : `${name} declares ${declared}, and has no licence file.`;
  return stanza(files, declared, text, named ?? `the authors of ${name}`);
}

function stanza(files: string, licence: string, text: string, authors = 'its authors'): string {
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  const claims = lines.map((line) => /^[\s/*]*copyright\s+(?:\(c\)|©)?\s*(.*\w.*)$/i.exec(line)?.[1]);
  const found = [...new Set(claims.filter((claim) => claim !== undefined && /\d{4}/.test(claim)))];
  const copyright = (found.length > 0 ? found : [authors]).join('\n           ');
  const body = lines.map((line) => (line === '' ? ' .' : ` ${line}`)).join('\n');
  return `Files: ${files}\nCopyright: ${copyright}\nLicense: ${licence}\n${body}`;
}
